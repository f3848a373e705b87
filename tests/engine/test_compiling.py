"""Compiled blocks: only where asked for, refused where they go wrong, and the same clip within rounding."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import BadSetting
from engine.types import Device, LoraUse, Placement, Plan
from engine.worker import families, sampling, weights
from engine.worker.families.latent_video import Shot
from tests.engine.test_attention import ADA, APPLE, COGVIDEOX, CPU, LTX, TURING, WAN, planned

LORA = LoraUse(id="0" * 32, strength=0.5)


def test_nothing_is_compiled_unless_somebody_asks() -> None:
    assert not planned(WAN, ADA).placement.compiled


def test_what_is_asked_for_is_done_and_said() -> None:
    made = planned(WAN, ADA, compiled=True, offload="resident", precision="full")
    assert made.placement.compiled and any("compiled, as asked" in reason for reason in made.reasons)


def test_a_model_that_does_not_lie_whole_on_the_card_is_not_compiled_and_that_is_said() -> None:
    made = planned(LTX, ADA, compiled=True)
    assert not made.placement.compiled and any("not compiled" in reason for reason in made.reasons)


@pytest.mark.parametrize(
    ("device", "card", "more"),
    [
        (CPU, WAN, {}),
        (APPLE, WAN, {}),
        (TURING, WAN, {}),
        (ADA, COGVIDEOX, {}),
        (ADA, WAN, {"loras": (LORA,)}),
    ],
)
def test_where_it_goes_wrong_it_is_refused(device: Device, card: Any, more: dict[str, Any]) -> None:
    with pytest.raises(BadSetting):
        planned(card, device, compiled=True, **more)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch compiles for a CPU with g++")
@torch.no_grad()
def test_compiled_blocks_draw_the_same_clip_within_rounding(tiny_home: Path, tiny_plan: Plan) -> None:
    whole = Placement(device="cpu", dtype="float32")
    drawn = []
    for placement in (whole, whole.model_copy(update={"compiled": True})):
        model = weights.load(tiny_home / "models" / "tiny-wan", placement, "WanPipeline")
        run = tiny_plan.take.model_copy(update={"num_inference_steps": 2})
        shot = Shot(tiny_plan, run, torch.Generator("cpu").manual_seed(1))
        watch = sampling.Watch(lambda event: None, lambda: False)
        drawn.append(sampling.draw(model, families.of("wan"), shot, watch)["latents"])
    assert any(hasattr(block, "_compiled_call_impl") for block in model.pipe.transformer.blocks)
    torch.testing.assert_close(drawn[1], drawn[0], atol=1e-3, rtol=1e-3)
