"""What a slow render suffers from, read off samples taken at its steps. Pure; each symptom says what helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from engine.schema import FrozenModel
from engine.schema.message import Message

# Bits of NVML's clock event reasons.
POWER_CAP, HARDWARE_SLOWDOWN, SOFTWARE_HEAT, HARDWARE_HEAT, POWER_BRAKE = 0x4, 0x8, 0x20, 0x40, 0x80
HEAT, POWER = SOFTWARE_HEAT | HARDWARE_HEAT | HARDWARE_SLOWDOWN, POWER_CAP | POWER_BRAKE
FULL = 0.97  # of VRAM, above which Windows' driver begins to lend RAM
JUMP = 2.0  # a step this many times longer than the steps before it is no noise
IDLE = 0.35  # of the time at work
SLOWED = 0.8  # of the highest clock
HELD_BACK = 0.6  # of it: good cards at full work run at 0.7 and more of it under their power limit
LOST = 3.0  # times the forecast at full work: another path through the attention is taken
WORTH_A_WORD_SECONDS = 0.2  # a shorter step is slow by what starts it, not by what it computes
ENOUGH = 4  # samples to judge by
MARGIN = 1.5  # the longest that arithmetic allows, of the middle that it says


class Sample(FrozenModel):
    """One step: how long it took, and the card as NVML saw it right after. `busy`: share of the time at work."""

    seconds: float
    vram_gb: float
    vram_total_gb: float
    busy: float
    clock_mhz: int
    highest_clock_mhz: int
    clock_reasons: int = 0


@dataclass(frozen=True)
class Symptom:
    cause: Message
    remedy: Message


def found(samples: Sequence[Sample], forecast_seconds: float, windows: bool) -> Symptom | None:
    """The symptom that explains most. `forecast_seconds`: the longest that a step takes by arithmetic."""
    if len(samples) < ENOUGH:
        return None
    quickest = min(sample.seconds for sample in samples)
    slow = quickest > max(LOST * forecast_seconds, WORTH_A_WORD_SECONDS) and forecast_seconds > 0
    if windows and (spills(samples) or (slow and all(map(_full, samples)))):
        return Symptom(
            Message(
                "The graphics card's memory was full, so Windows lent it some of the computer's, which is far slower."
            ),
            Message(
                "Choose a smaller size or offloading, or switch off 'CUDA - Sysmem Fallback Policy' in the "
                "NVIDIA panel."
            ),
        )
    if slowed_by(samples, HEAT, SLOWED):
        return Symptom(
            Message("The graphics card was hot and slowed itself down."),
            Message("Give it air: clean fans, open the case."),
        )
    if slowed_by(samples, POWER, HELD_BACK):
        return Symptom(
            Message("The graphics card was held back by its power limit."),
            Message("Plug a laptop in and choose its high-performance plan; raise a lowered power limit."),
        )
    if slow and idles(samples):
        return Symptom(
            Message("The graphics card waited for data most of the time."),
            Message("A smaller number format needs less moving; a faster slot or more free memory (RAM) helps too."),
        )
    if slow:
        return Symptom(
            Message(
                "The graphics card worked all the time and was still far slower than it can be: a slow way "
                "through the attention was taken."
            ),
            Message("Run `python bootstrap.py --torch` to see whether this torch build fits the card."),
        )
    return None


def spills(samples: Sequence[Sample]) -> bool:
    """Whether steps became several times longer at once, and stayed so, with the card's memory full."""
    for index in range(2, len(samples) - 1):
        before = median(sample.seconds for sample in samples[:index])
        after = samples[index : index + 2]
        if all(_full(sample) and sample.seconds > JUMP * before for sample in after):
            return True
    return False


def slowed_by(samples: Sequence[Sample], reasons: int, share: float) -> bool:
    """Whether the clock was below this share of its highest in most steps, for one of these reasons."""
    slowed = [s for s in samples if s.clock_reasons & reasons and s.clock_mhz < share * s.highest_clock_mhz]
    return len(slowed) > len(samples) / 2


def idles(samples: Sequence[Sample]) -> bool:
    return median(sample.busy for sample in samples) < IDLE


def _full(sample: Sample) -> bool:
    return sample.vram_gb >= FULL * sample.vram_total_gb
