"""Forecasts are arithmetic: more work never takes less, and what was measured takes over from the guess."""

from __future__ import annotations

import itertools
import random
from typing import Any, get_args

import pytest

from engine import APP
from engine.planning.forecast import corrected, forecast
from engine.planning.planner import plan
from engine.planning.recommendations import example
from engine.schema import Aspect, Device, HardwareProfile, Overrides, PictureRole, Request, Run, ShotForecast, ShotPlan
from engine.schema.card import ModelCard
from engine.schema.errors import BadInput
from engine.storage.catalog import Catalog
from tests.engine.published import PUBLISHED, Published

CARDS = Catalog(APP / "presets" / "models").cards


def planned(card: ModelCard, machine: HardwareProfile, frames: int, side: int, runs: tuple[Run, ...] = ()) -> ShotPlan:
    size = Overrides(width=side, height=side)
    return plan(Request(prompt="a red ball", seed=1, num_frames=frames, render=size), card, machine, runs)


def test_a_bigger_request_never_needs_less(card: ModelCard, machine: HardwareProfile) -> None:
    made = [planned(card, machine, frames, side) for frames, side in ((9, 128), (25, 128), (25, 192), (49, 384))]
    for smaller, larger in itertools.pairwise(made):
        assert smaller.forecast.render_seconds[1] <= larger.forecast.render_seconds[1]
        assert smaller.forecast.ram_gb <= larger.forecast.ram_gb


def test_a_forecast_without_measurements_says_that_it_is_an_estimate(card: ModelCard, machine: HardwareProfile) -> None:
    assert "estimated" in planned(card, machine, 25, 192).forecast.basis


def measured(plan: ShotPlan, model: str, times: float, count: int) -> tuple[Run, ...]:
    """Runs of a stage that took so many times what arithmetic said."""
    said = plan.forecast.estimated_seconds[1]
    run = Run(model=model, stage="render", device="cpu", operations=1, seconds=times * said, ram_gb=1,
              forecast_seconds=plan.forecast.render_seconds, estimated_seconds=said)  # fmt: skip
    return (run,) * count


@pytest.mark.parametrize("times", [0.2, 1.0, 7.0])
def test_measured_runs_take_over(times: float, card: ModelCard, machine: HardwareProfile) -> None:
    before = planned(card, machine, 25, 192)
    runs = measured(before, "starter", times, 6)
    after = planned(card, machine, 25, 192, runs).forecast
    low, high = after.render_seconds
    assert low <= runs[0].seconds <= high + 0.1 and high - low < 0.25 * high + 0.2
    assert "6 runs" in after.basis


def test_runs_of_other_models_say_something_and_less(card: ModelCard, machine: HardwareProfile) -> None:
    before = planned(card, machine, 25, 192)
    low, high = planned(card, machine, 25, 192, measured(before, "another", 7.0, 6)).forecast.render_seconds
    own_low, own_high = planned(card, machine, 25, 192, measured(before, "starter", 7.0, 6)).forecast.render_seconds
    assert low < own_low and own_high < high
    assert "estimated" in planned(card, machine, 25, 192, measured(before, "another", 7.0, 6)).forecast.basis


def test_runs_of_older_versions_teach_nothing(card: ModelCard, machine: HardwareProfile) -> None:
    old = Run(model="starter", stage="render", device="cpu", operations=1e9, seconds=1000, ram_gb=1)
    assert planned(card, machine, 25, 192, (old,)).forecast == planned(card, machine, 25, 192).forecast


@pytest.mark.parametrize("count", [0, 1, 3, 4, 20, 50])
def test_a_range_is_never_upside_down(count: int) -> None:
    low, high = corrected((1.0, 9.0), [1 + n % 3 for n in range(count)], [])
    assert 0 < low < high


def test_too_little_memory_is_unlikely(card: ModelCard, machine: HardwareProfile) -> None:
    small = machine.model_copy(update={"ram_gb": 0.5, "ram_free_gb": 0.1, "page_file_gb": 0})
    assert planned(card, small, 25, 192).forecast.verdict == "unlikely"
    assert planned(card, machine, 25, 192).forecast.verdict == "comfortable"


def on_card(published: Published) -> ShotPlan:
    card = CARDS[published.model]
    size = Overrides(width=published.width, height=published.height, num_inference_steps=published.steps)
    pictures: dict[PictureRole, str] = {"image": "0" * 32} if "image" in card.needs else {}
    from_noise = {"render": size, "sigma": 1.0}
    request = Request(prompt="a", seed=1, model=card.id, num_frames=published.frames, pictures=pictures, **from_noise)
    cpu = Device(id="cpu", name="a CPU")
    server = HardwareProfile(system="Linux", devices=(published.device, cpu), cpu_count=16, ram_gb=256,
                             ram_free_gb=240, page_file_gb=0, disk_free_gb=1000)  # fmt: skip
    return plan(request, card, server)


def test_published_times_lie_in_the_range_of_an_estimate_in_eight_of_ten() -> None:
    kept = [run for run in PUBLISHED if _within(run.seconds, on_card(run).forecast.render_seconds)]
    assert len(kept) >= 0.8 * len(PUBLISHED), [run for run in PUBLISHED if run not in kept]


def _within(seconds: float, low_high: tuple[float, float]) -> bool:
    return low_high[0] <= seconds <= low_high[1]


GPU = {"cores": 10496, "clock_mhz": 2100, "compute_capability": "8.6", "pcie_generation": 4, "pcie_width": 16}
RUNNABLE = [card for card in CARDS.values() if not card.not_yet]
ASPECTS = get_args(Aspect)
ORDER = ["unlikely", "tight", "offloads", "comfortable"]


@pytest.mark.parametrize("model", RUNNABLE, ids=lambda card: card.id)
def test_more_vram_is_never_worse_and_with_the_same_settings_never_slower(model: ModelCard) -> None:
    draw = random.Random(model.id)
    for _ in range(8):
        vram_gb, more_gb, ram_gb = draw.uniform(4, 120), draw.uniform(0, 100), draw.uniform(8, 256)
        small, large = (gpu_plan(model, size, ram_gb) for size in (vram_gb, vram_gb + more_gb))
        assert ORDER.index(large.forecast.verdict) >= ORDER.index(small.forecast.verdict)
        passes = {"take": small.take, "render": small.render}
        again = forecast(model, passes, small.placement, gpu_machine(vram_gb + more_gb, ram_gb), [])
        assert ORDER.index(again.verdict) >= ORDER.index(small.forecast.verdict)
        assert never_more(again, small.forecast)


@pytest.mark.parametrize("model", RUNNABLE, ids=lambda card: card.id)
def test_a_bigger_request_never_has_a_smaller_forecast(model: ModelCard) -> None:
    frames, side = model.frames.minimum, model.size.minimum * (2 if model.latent_upsampler else 1)
    base = sized(model, frames, side, 20).forecast
    longer = sized(model, min(frames + 2 * model.frames.step, model.frames.maximum), side, 20).forecast
    larger = sized(model, frames, side + 2 * model.size.multiple, 20).forecast
    for bigger in (longer, larger):
        assert never_more(base, bigger)
    assert never_more(base, sized(model, frames, side, 40).forecast)
    assert sized(model, frames, side, 40).render.operations > sized(model, frames, side, 20).render.operations


def never_more(small: ShotForecast, large: ShotForecast) -> bool:
    """Whether one forecast asks for as much as the other at most, in memory and at both ends of both times."""
    amounts = [
        (one.vram_gb, one.ram_gb, *one.take_seconds, *one.render_seconds, *one.estimated_seconds)
        for one in (small, large)
    ]
    return all(less <= more for less, more in zip(*amounts, strict=True))


@pytest.mark.parametrize("model", RUNNABLE, ids=lambda card: card.id)
def test_whatever_is_asked_for_a_plan_obeys_the_models_rules_or_is_refused_in_a_sentence(model: ModelCard) -> None:
    draw, rule, size = random.Random(model.id), model.frames, model.size
    made = []
    for _ in range(30):
        sides = {"width": draw.randint(1, 1 + size.maximum), "height": draw.randint(1, 1 + size.maximum)}
        asked = {"render": Overrides(**sides)} if draw.random() < 0.7 else {"aspect": draw.choice(ASPECTS)}
        try:
            made.append(gpu_plan(model, draw.uniform(4, 90), 64, num_frames=draw.randint(1, rule.maximum + 8), **asked))
        except BadInput as refusal:
            assert refusal.cause and refusal.remedy
    assert made
    for run in (run for one in made for run in (one.take, one.render)):
        assert rule.minimum <= run.num_frames <= rule.maximum and (run.num_frames - rule.offset) % rule.step == 0
        assert run.width % size.multiple == 0 == run.height % size.multiple
        assert size.minimum <= min(run.width, run.height) and max(run.width, run.height) <= size.maximum
        assert not size.only or (run.width, run.height) == (size.only.width, size.only.height)


def sized(model: ModelCard, frames: int, side: int, steps: int) -> ShotPlan:
    size = Overrides(width=side, height=side, num_inference_steps=steps)
    whole = "gguf" if model.is_gguf else "full"
    return gpu_plan(model, 200, 500, num_frames=frames, render=size, offload="resident", precision=whole)


def gpu_plan(model: ModelCard, vram_gb: float, ram_gb: float, **fields: Any) -> ShotPlan:
    request = example(model).model_copy(update={"aspect": "square", **fields})
    return plan(request, model, gpu_machine(vram_gb, ram_gb))


def gpu_machine(vram_gb: float, ram_gb: float) -> HardwareProfile:
    device = Device(id="cuda:0", name="NVIDIA GeForce RTX 3090", vram_gb=vram_gb, vram_free_gb=0.96 * vram_gb, **GPU)
    cpu = Device(id="cpu", name="a CPU")
    return HardwareProfile(system="Linux", devices=(device, cpu), cpu_count=8, ram_gb=ram_gb,
                           ram_free_gb=0.9 * ram_gb, page_file_gb=0, disk_free_gb=1000)  # fmt: skip
