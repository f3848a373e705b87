"""Weights that were made smaller are read back as they were, and a copy that is not whole is made again."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine import Engine, Finished, Request
from engine.schema import Placement
from engine.worker import families
from engine.worker.loading import pipeline_loader, weight_cache
from engine.worker.loading.weight_cache import WHOLE, KeptWeights
from engine.worker.sampling import denoise
from tests.conftest import PROMPT
from tests.engine.test_families import CASES, Case, planned, shot

FP8 = Placement(device="cpu", dtype="float32", precision="fp8")
pytestmark = pytest.mark.slow


@torch.no_grad()
def loaded(
    case: Case, folder: Path, caches: Path, placement: Placement = FP8
) -> tuple[np.ndarray, dict[str, torch.Tensor]]:
    """The frames of a take, and every weight as it was loaded."""
    family, made = families.of(case.family), planned(case)
    model = pipeline_loader.load(folder, placement, case.pipeline, pipeline_loader.Loading(family, caches=caches))
    stored = {
        f"{part}.{name}": tensor.clone()
        for part, module in model.pipe.components.items() if isinstance(module, torch.nn.Module)
        for name, tensor in (*module.named_parameters(), *module.named_buffers())
    }  # fmt: skip
    take = shot(made, "take")
    latents = denoise.draw(model, family, take, denoise.StepReporter(lambda event: None, lambda: False))
    return family.decode(model.pipe, latents, take).frames.astype(float), stored


def assert_same(
    one: tuple[np.ndarray, dict[str, torch.Tensor]], other: tuple[np.ndarray, dict[str, torch.Tensor]]
) -> None:
    """The same weights to the last bit; pixels to rounding, since sums depend on where in memory their terms lie."""
    assert one[1].keys() == other[1].keys()
    for name, tensor in one[1].items():
        assert tensor.dtype == other[1][name].dtype and torch.equal(tensor.float(), other[1][name].float()), name
    assert np.abs(one[0] - other[0]).max() <= 1


def copies(caches: Path) -> list[Path]:
    return sorted(path.parent for path in caches.glob(f"*/*/{WHOLE}"))


@pytest.fixture
def model(tmp_path: Path) -> tuple[Case, Path, Path]:
    """A model and the folder of its kept weights, with a copy of its transformer in it."""
    case = CASES["wan-2.1"]
    case.build(tmp_path / "model")
    pipeline_loader.load(tmp_path / "model", FP8, case.pipeline, pipeline_loader.Loading(caches=tmp_path / "caches"))
    assert len(copies(tmp_path / "caches")) == 1
    return case, tmp_path / "model", tmp_path / "caches"


@pytest.mark.parametrize("name", CASES)
def test_every_family_draws_the_same_from_kept_weights(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, folder = CASES[name], tmp_path / name
    case.build(folder)
    first = loaded(case, folder, tmp_path / "caches")
    read: list[str] = []
    original = KeptWeights.read

    def noting(self: KeptWeights, parts: dict[str, Any]) -> dict[str, Any]:
        found = original(self, parts)
        read.extend(found)
        return found

    monkeypatch.setattr(KeptWeights, "read", noting)
    assert_same(loaded(case, folder, tmp_path / "caches"), first)
    assert {"transformer", "text_encoder"} <= set(read)


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "a flipped bit": lambda path: path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1])),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "gone": lambda path: path.unlink(),
    "another file": lambda path: path.with_name("more.safetensors").write_bytes(b"x"),
    "no record": lambda path: (path.parent / WHOLE).unlink(),
    "a record of nonsense": lambda path: (path.parent / WHOLE).write_text("[" * 100_000),
    "a record that agrees with damage": lambda path: _agree(path, b"\x08\0\0\0\0\0\0\0{}      "),
    "a record that agrees with a huge header": lambda path: _agree(path, b"\xff" * 8 + b"{}"),
}


def _agree(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    (path.parent / WHOLE).write_text(json.dumps(weight_cache._sums(path.parent)))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_copy_is_thrown_away_and_made_again(damage: str, model: tuple[Case, Path, Path]) -> None:
    case, folder, caches = model
    (copy,) = copies(caches)
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    DAMAGES[damage](next(copy.glob("*.safetensors")))
    pipeline_loader.load(folder, FP8, case.pipeline, pipeline_loader.Loading(caches=caches))
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


def test_other_weights_or_another_format_have_a_copy_of_their_own(model: tuple[Case, Path, Path]) -> None:
    _, folder, caches = model
    half = FP8.model_copy(update={"dtype": "bfloat16"})
    mine = KeptWeights(caches, folder, pipeline_loader.check(folder), FP8).folder("transformer")
    assert [mine] == copies(caches)
    assert KeptWeights(caches, folder, "another", FP8).folder("transformer") != mine
    assert KeptWeights(caches, folder, pipeline_loader.check(folder), half).folder("transformer") != mine


def test_weights_that_a_lora_was_merged_into_are_not_kept_and_not_read(model: tuple[Case, Path, Path]) -> None:
    case, folder, caches = model
    seen: list[torch.dtype] = []

    def merge(pipe: Any) -> None:
        seen.append(next(iter(pipe.transformer.blocks[0].attn1.parameters())).dtype)
        for tensor in pipe.transformer.parameters():
            tensor.data.zero_()

    (copy,) = copies(caches)
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    pipeline_loader.load(folder, FP8, case.pipeline, pipeline_loader.Loading(first=merge, caches=caches))
    assert seen == [torch.float32] and [copy] == copies(caches)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


def test_what_an_ended_worker_left_is_swept_away(model: tuple[Case, Path, Path]) -> None:
    case, folder, caches = model
    for name, age in (("old", 7200), ("new", 0)):
        (caches / f".making-{name}").mkdir()
        os.utime(caches / f".making-{name}", (time.time() - age,) * 2)
    half = FP8.model_copy(update={"dtype": "bfloat16"})
    pipeline_loader.load(folder, half, case.pipeline, pipeline_loader.Loading(caches=caches))
    assert [path.name for path in caches.glob(".making-*")] == [".making-new"]


def test_the_worker_keeps_them_in_the_persons_data_folder(studio: Engine) -> None:
    request = Request(prompt=PROMPT, model="tiny-wan", seed=4, num_frames=9, precision="fp8")
    for _ in range(2):
        (job,) = studio.make_takes(request)
        assert isinstance(list(studio.watch(job.id))[-1], Finished)
    kept = [path.name.partition("-")[0] for path in copies(studio.places.caches)]
    assert kept == ["text_encoder", "transformer"]


def test_a_full_disk_keeps_nothing_and_still_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CASES["wan-2.1"].build(tmp_path / "model")
    monkeypatch.setattr(weight_cache, "MARGIN_BYTES", 10**18)
    assert pipeline_loader.load(
        tmp_path / "model", FP8, "WanPipeline", pipeline_loader.Loading(caches=tmp_path / "caches")
    ).pipe
    assert not list((tmp_path / "caches").iterdir())


def test_the_copy_used_longest_ago_makes_room(model: tuple[Case, Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    case, folder, caches = model
    (old,) = copies(caches)
    monkeypatch.setattr(weight_cache, "LIMIT_BYTES", sum(path.stat().st_size for path in old.rglob("*")) + 1000)
    placement = FP8.model_copy(update={"dtype": "bfloat16"})
    pipeline_loader.load(folder, placement, case.pipeline, pipeline_loader.Loading(caches=caches))
    (new,) = copies(caches)
    assert new != old


@pytest.mark.parametrize("small", ["transformer", "text_encoder"])
def test_one_part_is_stored_in_8_bits_while_the_other_stays_whole(tmp_path: Path, small: str) -> None:
    case = CASES["starter"]
    case.build(tmp_path / "model")
    other = {"precision": "full", "text_precision": "fp8"} if small == "text_encoder" else {"text_precision": "full"}
    placement = FP8.model_copy(update=other)
    first = loaded(case, tmp_path / "model", tmp_path / "caches", placement)
    drawn = {tensor.dtype for name, tensor in first[1].items() if name.startswith("transformer.")}
    assert (torch.float8_e4m3fn in drawn) == (small == "transformer")
    assert [folder.name.partition("-")[0] for folder in copies(tmp_path / "caches")] == [small]
    assert_same(first, loaded(case, tmp_path / "model", tmp_path / "caches", placement))  # from the kept copy
