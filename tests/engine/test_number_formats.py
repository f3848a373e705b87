"""Every number format and offload mode that a CPU can run, on every family: only what a format rounds may change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.schema import Placement
from engine.worker import families
from engine.worker.loading import pipeline_loader
from engine.worker.sampling import denoise
from tests.engine.test_families import CASES, Case, Loaded, planned, shot

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=CASES)
def plain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, Any]:
    """A case and the folder of its checkpoint."""
    folder = tmp_path_factory.mktemp(request.param) / request.param
    CASES[request.param].build(folder)
    return CASES[request.param], folder


@torch.no_grad()
def frames(case: Case, folder: Any, **changes: Any) -> np.ndarray:
    """A take under a placement on the CPU."""
    made, family = planned(case), families.of(case.family)
    placement = Placement(device="cpu", dtype="float32").model_copy(update=changes)
    loaded = Loaded(
        case,
        folder,
        pipeline_loader.load(folder, placement, case.pipeline, pipeline_loader.Loading(family)),
        family,
        made,
    )
    take = shot(made, "take")
    latents = denoise.draw(loaded.model, family, take, denoise.StepReporter(lambda event: None, lambda: False))
    return family.decode(loaded.model.pipe, latents, take).frames.astype(float)


def test_fp8_rounds_the_weights_and_no_more(plain: tuple[Case, Any]) -> None:
    changed = np.abs(frames(*plain, precision="fp8") - frames(*plain)).mean()
    case = plain[0]
    held = case.pipeline == "LTXConditionPipeline" and "video" in case.gives  # every frame of the take is a given one
    assert changed == 0 if held else 0 < changed < 8


def test_streaming_changes_no_pixel(plain: tuple[Case, Any]) -> None:
    assert np.array_equal(frames(*plain, offload="group"), frames(*plain))


def test_one_part_at_a_time_changes_no_pixel_by_more_than_rounding(plain: tuple[Case, Any]) -> None:
    """Parts that were moved lie elsewhere in memory, where sums of floats end in another last bit (6e-7, seen)."""
    assert np.abs(frames(*plain, offload="model") - frames(*plain)).max() <= 1


def test_fp8_streams_like_full_precision(plain: tuple[Case, Any]) -> None:
    assert np.array_equal(frames(*plain, offload="group", precision="fp8"), frames(*plain, precision="fp8"))


def test_decoding_in_slices_changes_no_pixel(plain: tuple[Case, Any]) -> None:
    assert np.array_equal(frames(*plain, vae_slicing=True), frames(*plain))
