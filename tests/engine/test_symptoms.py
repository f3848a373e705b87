"""What a slow render suffers from, on samples constructed for each symptom, and on ones that have none."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest

from engine import Engine, Noticed
from engine.jobs.scheduler import DeviceWorker
from engine.machine.gauges import Gauges
from engine.machine.symptoms import HARDWARE_HEAT, POWER_CAP, SOFTWARE_HEAT, Sample, found
from engine.schema import Job, ShotPlan
from engine.schema.events import Progress


def steps(seconds: Sequence[float], vram_gb: float = 20, busy: float = 0.99, clock: int = 2500, reasons: int = 0):  # type: ignore[no-untyped-def]
    return [
        Sample(seconds=each, vram_gb=vram_gb, vram_total_gb=24, busy=busy, clock_mhz=clock, highest_clock_mhz=2600,
               clock_reasons=reasons) for each in seconds
    ]  # fmt: skip


EVEN, JUMP = [5.0] * 10, [5.0] * 4 + [31.0] * 6
ROWS = {
    "spills on Windows": (steps(JUMP, vram_gb=23.8), True, "Windows lent"),
    "spills from the first step on": (steps([20.0] * 8, vram_gb=23.8), True, "Windows lent"),
    "full and slow on Linux": (steps([20.0] * 8, vram_gb=23.8), False, "attention"),
    "full without a jump": (steps(EVEN, vram_gb=23.8), True, ""),
    "a jump with room left": (steps(JUMP, vram_gb=15), True, ""),
    "one long step": (steps([5, 5, 5, 31, 5, 5, 5, 5], vram_gb=23.8), True, ""),
    "a jump on Linux, which does not lend": (steps(JUMP[:6] + [5.0] * 4, vram_gb=23.8), False, ""),
    "hot": (steps(EVEN, clock=1200, reasons=HARDWARE_HEAT), False, "hot"),
    "warm, by software": (steps(EVEN, clock=1900, reasons=SOFTWARE_HEAT), False, "hot"),
    "at its power limit, as good cards are": (steps(EVEN, clock=2450, reasons=POWER_CAP), False, ""),
    "at its power limit, as a 3090 at full work": (steps(EVEN, clock=1850, reasons=POWER_CAP), False, ""),
    "held back by a power limit": (steps(EVEN, clock=900, reasons=POWER_CAP), False, "power limit"),
    "waits for data": (steps([20.0] * 8, busy=0.1), False, "waited for data"),
    "waits, but as forecast": (steps([5.0] * 8, busy=0.1), False, ""),
    "a slow way through the attention": (steps([20.0] * 8), False, "attention"),
    "too short to judge": (steps([0.15] * 8, busy=0.1), True, ""),
    "as fast as forecast": (steps(EVEN), True, ""),
    "too few steps to tell": (steps([60.0] * 3, busy=0.1), True, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_symptom_is_named_with_its_remedy_or_there_is_none(name: str) -> None:
    samples, windows, words = ROWS[name]
    symptom = found(samples, forecast_seconds=0.01 if "short" in name else 6.0, windows=windows)
    assert (words in symptom.cause and symptom.remedy) if symptom and words else not (symptom or words)


class Card:
    """NVML with one card at work, by pynvml's own names."""

    NVMLError, NVML_CLOCK_SM = pynvml.NVMLError, pynvml.NVML_CLOCK_SM

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        answers = {
            "nvmlDeviceGetCount": 1, "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=20e9, total=24e9),
            "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=98), "nvmlDeviceGetClockInfo": 2500,
            "nvmlDeviceGetMaxClockInfo": 2600, "nvmlDeviceGetCurrentClocksEventReasons": 4,
        }  # fmt: skip
        return lambda *_: answers.get(name)


def test_one_sample_is_taken_after_each_step_but_the_first() -> None:
    gauges = Gauges("cuda:0", "cuda", Card())
    for step in range(6):
        gauges.see(Progress(phase="sampling", step=step, steps=5))
    assert len(gauges.samples) == 4 and gauges.samples[0].busy == 0.98 and gauges.samples[0].clock_reasons == POWER_CAP
    assert not Gauges("cpu", "cpu", Card()).samples


def test_a_machine_without_nvml_has_no_samples() -> None:
    gauges = Gauges("cuda:0", "cuda")
    for step in range(4):
        gauges.see(Progress(phase="sampling", step=step, steps=5))
    assert gauges.samples == []


@pytest.mark.parametrize(
    "name", ["nvmlDeviceGetUtilizationRates", "nvmlDeviceGetClockInfo", "nvmlDeviceGetCurrentClocksEventReasons"]
)
def test_the_questions_are_ones_that_pynvml_knows(name: str) -> None:
    assert hasattr(pynvml, name)


EXPLAINED = {"hot": "hot", "held back by a power limit": "power limit", "waits for data": "waited for data",
             "a slow way through the attention": "attention", "spills on Windows": "Windows lent"}  # fmt: skip


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_lane_of_a_card_explains_a_slow_job_beside_its_result(
    name: str, tmp_path: Path, tiny_plan: ShotPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Windows" if ROWS[name][1] else "Linux")
    monkeypatch.setattr(platform, "release", lambda: "6.1")
    by_arithmetic = (4.0 * tiny_plan.take.steps, 1.0)  # what was learned from this slow card is far longer
    forecast = tiny_plan.forecast.model_copy(update={"take_seconds": (900, 1100), "estimated_seconds": by_arithmetic})
    job = Job(id="slow", stage="take", plan=tiny_plan.model_copy(update={"forecast": forecast}))
    with Engine(tmp_path) as studio:
        studio.store.add_jobs([job])
        gauges = Gauges("cuda:0", "cuda", Card())
        gauges.samples = ROWS[name][0]
        DeviceWorker(studio.places, studio.store, "cuda:0")._explain(job, gauges)
        (noticed,) = [event for _, event in studio.store.events(job.id)]
    assert isinstance(noticed, Noticed) and EXPLAINED[name] in noticed.cause and noticed.remedy
