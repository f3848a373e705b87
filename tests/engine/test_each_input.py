"""Each thing that a model can be given, alone: the engine's take is the bare pipeline's video to the last bit."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.schema import MediaRole
from engine.worker import families
from engine.worker.loading import pipeline_loader
from engine.worker.sampling import denoise
from tests.conftest import PROMPT
from tests.engine.test_families import CASES, Loaded, bare_arguments, planned, shot

pytestmark = pytest.mark.slow
WATCH = denoise.StepReporter(lambda event: None, lambda: False)
# What tests/engine/test_families.py tries only together with something else.
ALONE: dict[str, tuple[tuple[MediaRole, ...], ...]] = {
    "ltx-conditions": (("last_image",), ("keyframes",)),
    "ltx-2-conditions": (("image",), ("last_image",), ("keyframes",)),
    "wan-vace": (("image",), ("last_image",), ("keyframes",), ("video", "mask")),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Any:
    @cache
    def build(name: str) -> tuple[Path, pipeline_loader.Model]:
        case, folder = CASES[name], tmp_path_factory.mktemp(name) / name
        case.build(folder)
        family = families.of(case.family)
        return folder, pipeline_loader.load(
            folder, planned(case).placement, case.pipeline, pipeline_loader.Loading(family)
        )

    return build


@torch.no_grad()
@pytest.mark.parametrize(("name", "roles"), [(name, roles) for name, each in ALONE.items() for roles in each])
def test_a_take_with_one_input_is_the_bare_pipelines_video(name: str, roles: tuple[MediaRole, ...], built: Any) -> None:
    folder, model = built(name)
    case = replace(CASES[name], gives=roles)
    family, made = families.of(case.family), planned(case)
    run, take = made.take, shot(made, "take")
    ours = family.decode(model.pipe, denoise.draw(model, family, take, WATCH), take).frames
    pipe = pipeline_loader.pipeline_class(case.pipeline).from_pretrained(folder, **family.parts(folder))
    pipe.scheduler = family.scheduler(pipe, run)
    bare = pipe(
        prompt=PROMPT, num_inference_steps=run.num_inference_steps, **family.size(pipe, run), output_type="np",
        generator=torch.Generator("cpu").manual_seed(5),
        **bare_arguments(Loaded(case, folder, model, family, made), pipe, take),
    )  # fmt: skip
    assert np.array_equal(ours, (np.asarray(bare.frames[0]) * 255).round().astype(np.uint8))
