"""Compiled blocks: where asked for or where they pay, refused where they go wrong, the same clip within rounding."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from engine import Engine, Request
from engine.planning.compiling import where_it_pays
from engine.schema import Device, LoraUse, Measured, Placement, ShotPlan, ShotStage
from engine.schema.errors import BadSetting
from engine.worker import families
from engine.worker.card_checks import CardTester
from engine.worker.families.family import Shot
from engine.worker.loading import pipeline_loader
from engine.worker.sampling import denoise
from tests.engine.test_attention import ADA, APPLE, COGVIDEOX, CPU, LTX, TURING, WAN, planned
from tests.engine.test_placing import machine

LORA = LoraUse(id="0" * 32, strength=0.5)


def test_nothing_is_compiled_unless_somebody_asks_or_the_card_was_tested() -> None:
    assert not planned(WAN, ADA).placement.compiled


ONE = planned(WAN, ADA, offload="resident", precision="full")
SECONDS = sum(ONE.forecast.take_seconds + ONE.forecast.render_seconds) / 2
Queue = list[tuple[ShotStage, ShotPlan]]


def on(compiled: float, compile_seconds: float, queued: Queue) -> ShotPlan:
    device = ADA.model_copy(update={"measured": Measured(compiled=compiled, compile_seconds=compile_seconds)})
    there = machine(8).model_copy(update={"devices": (device,)})
    return where_it_pays(ONE, WAN, there, queued)


@pytest.mark.parametrize(
    ("gain", "compile_seconds", "waiting", "compiled"),
    [(1.2, 0.01, 0, True), (1.2, 0.2 * SECONDS, 0, False), (1.2, 0.2 * SECONDS, 20, True), (1.01, 0.01, 99, False)],
    ids=["a little", "too long", "not for many", "no gain"],
)  # fmt: skip
def test_blocks_are_compiled_where_that_saves_more_than_it_takes_in_what_waits(
    gain: float, compile_seconds: float, waiting: int, compiled: bool
) -> None:
    made = on(gain, compile_seconds, [("render", ONE)] * waiting)
    assert made.placement.compiled == compiled and made.loads == ONE.loads  # nothing is loaded anew
    assert len(made.reasons) - len(ONE.reasons) == compiled


@pytest.mark.parametrize("changes", [{"model": "mochi-1-preview"}, {"render": ONE.take}], ids=["model", "size"])
def test_of_what_waits_only_the_same_model_and_size_counts(changes: dict[str, Any]) -> None:
    other = ONE.model_copy(update=changes)
    assert not on(1.2, 0.2 * SECONDS, [("render", other)] * 20).placement.compiled


def test_takes_that_are_asked_for_together_count_each_other(tmp_path: Path) -> None:
    device = ADA.model_copy(update={"measured": Measured(compiled=1.2, compile_seconds=0.5 * SECONDS)})
    there = machine(8).model_copy(update={"devices": (device,)})
    asked = Request(prompt="a red ball", seed=1, model=WAN.id, offload="resident", precision="full")
    with Engine(tmp_path) as engine:
        assert not engine.plan(asked, there).placement.compiled
        assert engine.plan(asked, there, takes=100).placement.compiled


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
def test_compiled_blocks_draw_the_same_clip_within_rounding_and_the_plain_ones_the_very_same(
    tiny_home: Path, tiny_plan: ShotPlan, tmp_path: Path
) -> None:
    shelf, drawn = pipeline_loader.PipelineCache([tiny_home / "models"]), []
    for compiled in (False, True, False):
        placement = Placement(device="cpu", dtype="float32", compiled=compiled)
        model = shelf.get(tiny_plan.model_copy(update={"placement": placement}), tmp_path)
        run = tiny_plan.take.model_copy(update={"num_inference_steps": 2})
        shot = Shot(tiny_plan.model_copy(update={"placement": placement}), run, torch.Generator("cpu").manual_seed(1))
        watch = denoise.StepReporter(lambda event: None, lambda: False)
        drawn.append(denoise.draw(model, families.of("wan"), shot, watch)["latents"])
    assert all(block._compiled_call_impl for block in model.pipe.transformer.blocks)
    assert torch.equal(drawn[2], drawn[0]) and not torch.equal(drawn[1], drawn[0])
    torch.testing.assert_close(drawn[1], drawn[0], atol=1e-3, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch compiles for a CPU with g++")
def test_the_test_of_the_card_says_what_compiling_saves_and_costs(tmp_path: Path, tiny_plan: ShotPlan) -> None:
    tester = CardTester("cpu", tmp_path, tiny_plan, small=True)
    readings = {reading.name: reading for reading in tester.blocks_compiled()}
    assert readings["gain"].value and readings["first call"].value
