"""Forecasts are arithmetic: more work never takes less, and what was measured takes over from the guess."""

from __future__ import annotations

import pytest

from engine.card import ModelCard
from engine.forecast import seconds
from engine.planner import plan
from engine.types import HardwareProfile, Overrides, Plan, Request, Run


def planned(card: ModelCard, machine: HardwareProfile, frames: int, side: int, runs: tuple[Run, ...] = ()) -> Plan:
    size = Overrides(width=side, height=side)
    return plan(Request(prompt="a red ball", seed=1, num_frames=frames, render=size), card, machine, runs)


def test_a_bigger_request_never_needs_less(card: ModelCard, machine: HardwareProfile) -> None:
    made = [planned(card, machine, frames, side) for frames, side in ((9, 128), (25, 128), (25, 192), (49, 384))]
    for smaller, larger in zip(made, made[1:], strict=False):
        assert smaller.forecast.render_seconds[1] <= larger.forecast.render_seconds[1]
        assert smaller.forecast.ram_gb <= larger.forecast.ram_gb


def test_a_forecast_without_measurements_says_that_it_is_an_estimate(card: ModelCard, machine: HardwareProfile) -> None:
    assert "estimated" in planned(card, machine, 25, 192).forecast.basis


def test_measured_runs_take_over(card: ModelCard, machine: HardwareProfile) -> None:
    work = planned(card, machine, 25, 192).render.operations
    runs = tuple(Run(model="starter", stage="render", device="cpu", operations=work, seconds=7.0 + n / 10, ram_gb=1)
                 for n in range(6))  # fmt: skip
    low, high = planned(card, machine, 25, 192, runs).forecast.render_seconds
    assert 6 <= low <= 7.5 <= high <= 9
    assert "6 runs" in planned(card, machine, 25, 192, runs).forecast.basis


@pytest.mark.parametrize("count", [0, 1, 3, 4, 20, 50])
def test_a_range_is_never_upside_down(count: int) -> None:
    low, high = seconds(1e12, [1e10 * (1 + n % 3) for n in range(count)], "cpu", 2)
    assert 0 < low < high


def test_too_little_memory_is_unlikely(card: ModelCard, machine: HardwareProfile) -> None:
    small = machine.model_copy(update={"ram_gb": 0.5, "ram_free_gb": 0.1, "page_file_gb": 0})
    assert planned(card, small, 25, 192).forecast.verdict == "unlikely"
    assert planned(card, machine, 25, 192).forecast.verdict == "comfortable"
