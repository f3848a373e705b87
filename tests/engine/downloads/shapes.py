"""The model that the tests of downloads fetch, and what it must look like once it is installed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from engine.install.downloads import Downloads
from engine.paths import Places
from engine.schema.card import ModelCard
from engine.schema.manifest import Download, DownloadState, read_record

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


def until(downloads: Downloads, model: str, *states: DownloadState, seconds: float = 120) -> Download:
    """Wait for a download to come to one of these states."""
    end = time.monotonic() + seconds
    while (found := downloads.get(model)).state not in states:
        assert time.monotonic() < end, found
        assert found.state != "failed", found
        time.sleep(0.02)
    return found


def wait_for(condition: Callable[[], Any], seconds: float = 120) -> None:
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


def a_folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, body in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(body)
    return path
