"""Downloads against a hub that misbehaves in every way a real one does, and processes that are really killed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from engine.card import Component, ModelCard
from engine.downloader.selection import check_names, check_wanted, files_of_part
from engine.downloads import Downloads
from engine.errors import BadFile, BadInput, HubProblem, InUse, MachineProblem, ModelGated, ModelProblem, RushesError
from engine.manifest import MARGIN_BYTES, Download, DownloadState, Quote, read_record
from engine.paths import Places, open_home
from tests.hub import Drop, Endless, Hub, NoRange, Stall, Status, Wrong

REPO = "someone/Shapes-Diffusers"
WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"
INDEX = {
    "_class_name": "WanPipeline",
    "scheduler": ["diffusers", "UniPCMultistepScheduler"],
    "text_encoder": ["transformers", "UMT5EncoderModel"],
    "tokenizer": ["transformers", "TokenizersBackend"],
    "transformer": ["diffusers", "WanTransformer3DModel"],
    "transformer_2": [None, None],
    "vae": ["diffusers", "AutoencoderKLWan"],
}


def weights(seed: int, kilobytes: int) -> bytes:
    return save({"w": np.random.default_rng(seed).integers(0, 255, kilobytes * 1000, dtype=np.uint8)})


def a_model(kilobytes: int = 700) -> dict[str, bytes]:
    """What a repository in the diffusers layout holds: what is needed, and what must not be fetched."""
    needed = {
        "model_index.json": json.dumps(INDEX).encode(),
        "LICENSE": b"Apache",
        "scheduler/scheduler_config.json": b"{}",
        "tokenizer/tokenizer.json": b'{"model": {}}' * 50,
        "tokenizer/spiece.model": bytes(range(256)),
        "text_encoder/config.json": b"{}",
        "text_encoder/model.safetensors": weights(1, kilobytes // 4),
        "transformer/config.json": b"{}",
        WEIGHTS: weights(2, kilobytes),
        "vae/config.json": b"{}",
        "vae/diffusion_pytorch_model.safetensors": weights(3, kilobytes // 4),
    }
    needless = {
        "README.md": b"#",
        "shapes_single_file.safetensors": weights(4, 50),
        "assets/a picture.png": b"png",
        "transformer/diffusion_pytorch_model.bin": b"\x80\x04pickle",
        "transformer/diffusion_pytorch_model.fp16.safetensors": weights(5, 50),
        "transformer/modeling_shapes.py": b"import os",
        "safety_checker/model.safetensors": weights(6, 50),
    }
    return needed | needless


NEEDED = sorted(name for name in a_model(10) if not name.startswith(("README", "shapes", "assets", "safety"))
                and not name.endswith((".bin", ".py")) and "fp16" not in name)  # fmt: skip


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No token, no cache and no proxy of the person who runs the tests."""
    for name in ("HF_TOKEN", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub() as hub:
        hub.add(REPO, a_model())
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def shapes(card: ModelCard) -> ModelCard:
    return card.model_copy(update={"id": "shapes-1.0", "name": "Shapes", "repo": REPO})


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return open_home(tmp_path / "home")


@pytest.fixture
def downloads(places: Places) -> Iterator[Downloads]:
    downloads = Downloads(places, patience=8)
    downloads.start()
    yield downloads
    downloads.close()


def until(downloads: Downloads, model: str, *states: DownloadState, seconds: float = 60) -> Download:
    """Wait for a download to come to one of these states."""
    end = time.monotonic() + seconds
    while (found := downloads.get(model)).state not in states:
        assert time.monotonic() < end, found
        assert found.state != "failed", found
        time.sleep(0.02)
    return found


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def check_installed(places: Places, card: ModelCard, files: dict[str, bytes]) -> None:
    """Whole, exactly the needed files, with their hashes in the record, and nothing left behind."""
    folder = places.models / card.id
    record = read_record(folder)
    assert record
    assert sorted(file.name for file in record.files) == NEEDED
    there = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert there == sorted([*NEEDED, "rushes.json"])
    for file in record.files:
        assert (folder / file.name).read_bytes() == files[file.name]
        assert file.sha256 == hashlib.sha256(files[file.name]).hexdigest()
    assert not (places.arriving / card.id).exists()


# ---- before the start -----------------------------------------------------------------------------------------------


def test_a_quote_names_files_bytes_licence_and_disk(downloads: Downloads, hub: Hub, shapes: ModelCard) -> None:
    quote = downloads.quote(shapes)
    files = hub.repos[REPO].files
    assert sorted(file.name for file in quote.manifest.files) == NEEDED
    assert quote.bytes_to_download == sum(len(files[name]) for name in NEEDED)
    assert quote.bytes_here == 0
    assert quote.fits
    assert quote.disk_free_after == quote.disk_free - quote.bytes_to_download
    assert quote.licence == shapes.licence.line
    assert quote.manifest.licence == "apache-2.0"
    assert {file.commit for file in quote.manifest.files} == {hub.repos[REPO].commit}
    assert not downloads.list()
    assert hub.sent(".safetensors") == 0


def test_an_install_is_whole_exact_and_recorded(
    downloads: Downloads, hub: Hub, shapes: ModelCard, places: Places
) -> None:
    downloads.add(shapes, downloads.quote(shapes))
    done = until(downloads, shapes.id, "finished")
    check_installed(places, shapes, hub.repos[REPO].files)
    assert done.bytes_done == done.bytes_total
    record = read_record(places.models / shapes.id)
    assert record
    assert {(file.repo, file.commit) for file in record.files} == {(REPO, hub.repos[REPO].commit)}
    assert str(places.home) not in (places.models / shapes.id / "rushes.json").read_text()
    with pytest.raises(InUse):
        downloads.add(shapes)
