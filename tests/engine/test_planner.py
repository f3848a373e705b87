"""Planning is pure: what is refused, what is snapped, and what is said about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import APP, Engine
from engine.planning.planner import plan
from engine.schema import HardwareProfile, Overrides, Request
from engine.schema.card import FasterRule, ModelCard
from engine.schema.errors import BadInput, BadPrompt, BadSetting
from engine.storage.catalog import Catalog

PROMPT = "a red ball rolls to the left on a blue background"


def request(**fields: Any) -> Request:
    return Request(**{"prompt": PROMPT, "seed": 1} | fields)


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t", "a" * 10_000, "a red ball\x00", "a ball\x1b[31m", "!!!", "..."])
def test_a_prompt_that_cannot_be_drawn_is_refused_in_a_sentence(
    prompt: str, card: ModelCard, machine: HardwareProfile
) -> None:
    with pytest.raises(BadPrompt) as refusal:
        plan(request(prompt=prompt), card.model_copy(update={"prompt": words(card, ("red", "ball"))}), machine)
    assert refusal.value.cause.endswith(".") and refusal.value.remedy


def words(card: ModelCard, vocabulary: tuple[str, ...]) -> Any:
    return card.prompt.model_copy(update={"words": vocabulary})


@pytest.mark.parametrize("prompt", ["🔴⚽", "красный мяч", "红色的球", "كرة حمراء", "ένα κόκκινο", "xyzzy"])
def test_a_prompt_without_a_known_word_is_refused(prompt: str, card: ModelCard, machine: HardwareProfile) -> None:
    small = card.model_copy(update={"prompt": words(card, ("red", "ball"))})
    with pytest.raises(BadPrompt):
        plan(request(prompt=prompt), small, machine)


def test_unknown_words_are_named_and_the_plan_goes_on(card: ModelCard, machine: HardwareProfile) -> None:
    small = card.model_copy(update={"prompt": words(card, ("a", "red", "ball"))})
    assert small.prompt.unknown("A red zebra, a Ball! zebra") == ["zebra"]
    made = plan(request(prompt="a red zebra ball"), small, machine)
    assert any("zebra" in reason for reason in made.reasons)


@pytest.mark.parametrize(
    "fields",
    [
        {"num_frames": 0},
        {"num_frames": -5},
        {"num_frames": 5000},
        {"seconds": 0.0},
        {"seconds": -1.0},
        {"seconds": 1e9},
        {"render": Overrides(width=-192, height=192)},
        {"render": Overrides(width=0, height=0)},
        {"render": Overrides(width=100_000, height=100_000)},
        {"take": Overrides(width=1, height=1)},
        {"render": Overrides(num_inference_steps=0)},
        {"render": Overrides(num_inference_steps=10**9)},
        {"take": Overrides(guidance_scale=-1.0)},
        {"take": Overrides(flow_shift=0.0)},
        {"dial": -0.1},
        {"dial": 1.1},
        {"sigma": 0.0},
        {"sigma": 1.5},
        {"seed": -1},
        {"seed": 2**64},
        {"device": "cuda:7"},
    ],
)
def test_a_setting_out_of_range_is_refused_in_a_sentence(
    fields: dict[str, Any], card: ModelCard, machine: HardwareProfile
) -> None:
    with pytest.raises(BadSetting) as refusal:
        plan(request(**fields), card, machine)
    assert refusal.value.cause and refusal.value.remedy


@pytest.mark.parametrize("asked", range(5, 50))
def test_frames_are_snapped_to_the_rule_and_said(asked: int, card: ModelCard, machine: HardwareProfile) -> None:
    made = plan(request(num_frames=asked), card, machine)
    frames = made.take.num_frames
    assert frames == made.render.num_frames
    assert (frames - 1) % card.frames.step == 0 and card.frames.minimum <= frames <= card.frames.maximum
    assert abs(frames - asked) <= card.frames.step
    assert any("frames" in reason for reason in made.reasons) == (frames != asked)


@pytest.mark.parametrize("side", range(64, 385, 7))
def test_sizes_are_snapped_to_the_rule_and_said(side: int, card: ModelCard, machine: HardwareProfile) -> None:
    made = plan(request(render=Overrides(width=side, height=192)), card, machine)
    assert made.render.width % card.size.multiple == 0
    assert made.take.width % card.size.multiple == 0 and made.take.width <= made.render.width
    assert any("multiples" in reason for reason in made.reasons) == (made.render.width != side)


def test_a_render_takes_the_steps_below_the_level_of_its_take(card: ModelCard, machine: HardwareProfile) -> None:
    twenty = Overrides(num_inference_steps=20, flow_shift=3.0)
    near, far, whole = (plan(request(render=twenty, sigma=sigma), card, machine) for sigma in (0.3, 0.75, 1.0))
    assert (near.render.steps, far.render.steps, whole.render.steps) == (3, 10, 20)  # u of 0.3 is 1/8, of 0.75 a half
    assert near.render.operations < far.render.operations < whole.render.operations
    assert any("last 10 of 20 steps" in reason for reason in far.reasons)
    assert far.render.num_inference_steps == 20


def test_levels_that_a_model_was_distilled_for_are_all_taken(machine: HardwareProfile) -> None:
    ltx = Catalog(APP / "presets" / "models").card("ltx-2-distilled")
    assert plan(request(model=ltx.id, sigma=0.5), ltx, machine).render.steps == len(ltx.render.sigmas)


def test_the_dial_spans_the_cards_range(card: ModelCard, machine: HardwareProfile) -> None:
    levels = [plan(request(dial=step / 20), card, machine).sigma for step in range(21)]
    assert levels == sorted(levels)
    assert (levels[0], levels[10], levels[-1]) == (card.sigma.close, card.sigma.default, card.sigma.detail)


def test_a_negative_prompt_is_refused_where_the_model_has_none(card: ModelCard, machine: HardwareProfile) -> None:
    with pytest.raises(BadInput):
        plan(request(negative_prompt="ugly"), card, machine)


def test_the_cpu_is_chosen_with_a_reason(card: ModelCard, machine: HardwareProfile) -> None:
    assert any("CPU" in reason for reason in plan(request(), card, machine).reasons)


def test_faster_is_planned_with_what_it_costs_and_refused_where_it_cannot_be(
    card: ModelCard, machine: HardwareProfile
) -> None:
    assert plan(request(), card, machine).step_cache is None
    made = plan(request(faster=True), card, machine)
    assert made.render.operations < plan(request(), card, machine).render.operations
    assert made.step_cache and card.faster and any(card.faster.measured in reason for reason in made.reasons)
    with pytest.raises(BadSetting, match="cannot be made faster"):
        plan(request(faster=True), card.model_copy(update={"faster": None}), machine)


def test_faster_where_nobody_measured_it_says_so(card: ModelCard, machine: HardwareProfile) -> None:
    made = plan(request(faster=True), card.model_copy(update={"faster": FasterRule()}), machine)
    assert any("not measured" in reason for reason in made.reasons)


def test_a_model_that_draws_the_end_first_says_so_of_its_take(machine: HardwareProfile) -> None:
    backwards = Catalog(APP / "presets" / "models").card("framepack-i2v-13b")
    request = Request(prompt=PROMPT, model=backwards.id, seed=1, mode="continue", pictures={"image": "0" * 32})
    assert any("the end first" in reason for reason in plan(request, backwards, machine).reasons)


def test_a_run_that_was_never_seen_to_go_on_has_no_first_part(card: ModelCard, machine: HardwareProfile) -> None:
    other = card.model_copy(update={"pipeline": "WanVideoToVideoPipeline"})
    with pytest.raises(BadSetting, match="cannot stop in the middle"):
        plan(Request(prompt=PROMPT, seed=1, mode="continue"), other, machine)


def test_a_prompt_is_too_long_only_for_what_its_model_reads(tmp_path: Path) -> None:
    """LTX-2 reads 1024 tokens, which is more than the 2000 characters that every model takes."""
    engine, long = Engine(tmp_path), "a red ball rolls " * 300
    assert engine.plan(Request(prompt=long, model="ltx-2", seed=1)).request.prompt == long
    with pytest.raises(BadPrompt, match=r"reads 512 tokens, about 384 words\. Shorten it to at most 4096 characters"):
        engine.plan(Request(prompt=long, model="wan2.1-t2v-1.3b", seed=1))
