"""What diffusers changes in silence, or fails at deep inside: each snapped openly, or set right, before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine import APP
from engine.planning import cost
from engine.planning.planner import plan
from engine.schema import HardwareProfile, Overrides, Request, ShotPlan
from engine.schema.card import ModelCard
from engine.schema.errors import BadSetting
from engine.storage.catalog import Catalog
from engine.worker import families
from engine.worker.loading import pipeline_loader
from engine.worker.sampling import denoise
from tests.conftest import PROMPT
from tests.engine.test_families import CASES, planned, shot

CARDS = Catalog(APP / "presets" / "models").cards
# family, or model where it differs: sides are multiples of this, frames are step x k + 1 (what the code needs, which is
# not what its own checks ask for)
NEEDS = {
    "wan2.2-ti2v-5b": (32, 4), "wan": (16, 4), "wan_vace": (16, 4), "wan_animate": (16, 4), "ltx": (32, 8),
    "ltx2": (32, 8), "mochi": (16, 6), "cogvideox": (16, 8), "hunyuan_video": (16, 4), "hunyuan_video15": (16, 4),
}  # fmt: skip
KNOWN = [card for card in CARDS.values() if card.id in NEEDS or card.family in NEEDS]
OF_ANY_LENGTH = [card for card in KNOWN if card.frames.minimum < card.frames.maximum]  # the others refuse, openly


def asked(card: ModelCard, **fields: object) -> Request:
    given = {role: "0" * 32 for role in card.needs if role in ("image", "last_image")}
    moving = {role: "0" * 32 for role in card.needs if role in ("control_video", "face_video")}
    return Request.model_validate({"prompt": PROMPT, "model": card.id, "seed": 1, "pictures": given, "videos": moving}
                                  | fields)  # fmt: skip


@pytest.mark.parametrize("card", OF_ANY_LENGTH, ids=lambda card: card.id)
def test_an_illegal_length_is_snapped_to_a_legal_one_and_said(card: ModelCard, machine: HardwareProfile) -> None:
    step = NEEDS.get(card.id, NEEDS.get(card.family))[1]  # type: ignore[index]
    legal = card.frames.minimum + 2 * card.frames.step
    made = plan(asked(card, num_frames=legal - 1), card, machine)  # one short, which diffusers floors by a whole step
    assert made.take.num_frames == made.render.num_frames == legal and (legal - 1) % step == 0
    assert any(f"{legal} frames instead of {legal - 1}" in reason for reason in made.reasons)


@pytest.mark.parametrize("card", [card for card in KNOWN if not card.size.only], ids=lambda card: card.id)
def test_an_illegal_size_is_snapped_to_a_legal_one_and_said(card: ModelCard, machine: HardwareProfile) -> None:
    multiple = NEEDS.get(card.id, NEEDS.get(card.family))[0]  # type: ignore[index]
    wide = card.render.sizes["wide"]
    size = Overrides(width=wide.width - 8, height=wide.height - 8)  # legal for checks that ask for multiples of 8
    made = plan(asked(card, render=size, aspect="wide"), card, machine)
    for run in (made.take, made.render):
        assert run.width % multiple == 0 and run.height % multiple == 0
    assert any("multiples" in reason for reason in made.reasons)


def test_ltx_refuses_eight_frames_where_diffusers_would_make_one(machine: HardwareProfile) -> None:
    card = CARDS["ltx-video-2b-0.9.5"]
    with pytest.raises(BadSetting, match="cannot make a clip of 8 frames"):
        plan(asked(card, num_frames=8), card, machine)


# The reference's shift where the hub's scheduler ships 3 or 5: github.com/Wan-Video, wan/configs/*.py and README.
SHIFTS = {"wan2.2-t2v-a14b": 12.0, "wan2.2-i2v-a14b": 5.0, "wan2.2-ti2v-5b": 5.0, "wan2.1-t2v-1.3b": 8.0,
          "wan2.1-t2v-14b": 5.0, "wan2.1-i2v-14b-720p": 5.0}  # fmt: skip


@pytest.mark.parametrize("name", SHIFTS)
def test_a_wan_is_planned_with_the_shift_of_its_reference(name: str, machine: HardwareProfile) -> None:
    assert plan(asked(CARDS[name]), CARDS[name], machine).render.flow_shift == SHIFTS[name]


@pytest.mark.slow
def test_the_planned_shift_is_the_one_that_is_sampled_with_whatever_the_model_ships(tmp_path: Path) -> None:
    case = CASES["wan-2.2-moe"]
    case.build(tmp_path / "model")
    pipe = pipeline_loader.load(tmp_path / "model", planned(case).placement, case.pipeline).pipe
    run = planned(case).take.model_copy(update={"flow_shift": 12.0, "num_inference_steps": 4})
    assert pipe.scheduler.config.flow_shift != 12.0
    scheduler = families.of("wan").scheduler(pipe, run)
    scheduler.set_timesteps(4)
    assert scheduler.sigmas[1] == pytest.approx(12 * 0.75 / (1 + 11 * 0.75), abs=0.01)  # s u / (1 + (s - 1) u)


@pytest.mark.slow
@torch.no_grad()
@pytest.mark.parametrize(("name", "calls"), [("ltx-2-distilled", 1), ("ltx-2.3-distilled", 1)])
def test_a_distilled_ltx_2_costs_one_forward_a_step(
    name: str, calls: int, machine: HardwareProfile, tmp_path: Path
) -> None:
    card, case = CARDS[name], CASES["ltx-2"]
    assert plan(asked(card), card, machine).render.forwards == calls
    case.build(tmp_path / "model")
    family, made = families.of("ltx2"), planned(case)
    run = made.take.model_copy(update={"arguments": card.take.arguments, "guidance_scale": card.take.guidance_scale})
    made = made.model_copy(update={"take": run})
    model = pipeline_loader.load(tmp_path / "model", made.placement, case.pipeline, pipeline_loader.Loading(family))
    seen: list[int] = []
    model.pipe.transformer.register_forward_hook(lambda *_: seen.append(1))
    denoise.draw(model, family, shot(made, "take"), denoise.StepReporter(lambda event: None, lambda: False))
    assert len(seen) == calls * run.num_inference_steps


def framepack(num_frames: int, machine: HardwareProfile) -> ShotPlan:
    card = CARDS["framepack-i2v-13b"]
    return plan(asked(card).model_copy(update={"num_frames": num_frames}), card, machine)


@torch.no_grad()
@pytest.mark.parametrize("sections", [1, 3])
def test_framepack_is_planned_for_the_calls_that_it_makes(
    sections: int, machine: HardwareProfile, tmp_path: Path
) -> None:
    name = {1: "framepack", 3: "framepack-long"}[sections]
    case, family = CASES[name], families.of("framepack")
    case.build(tmp_path / "model")
    made = planned(case)
    model = pipeline_loader.load(tmp_path / "model", made.placement, case.pipeline, pipeline_loader.Loading(family))
    seen: list[int] = []
    model.pipe.transformer.register_forward_hook(lambda *_: seen.append(1))
    denoise.draw(model, family, shot(made, "take"), denoise.StepReporter(lambda event: None, lambda: False))
    calls = framepack(case.num_frames, machine).take.forwards
    assert calls == sections
    assert len(seen) == made.take.num_inference_steps * calls


def test_a_longer_framepack_takes_more_time_and_no_more_memory(machine: HardwareProfile) -> None:
    card = CARDS["framepack-i2v-13b"]
    short, long = (framepack(frames, machine) for frames in (37 + 36, 37 + 36 * 19))
    here = short.placement
    assert cost.working(card, short.render, here) == cost.working(card, long.render, here)
    assert long.render.forwards == 10 * short.render.forwards
    assert 10 < long.render.operations / short.render.operations < 11  # sections are decoded two by two
