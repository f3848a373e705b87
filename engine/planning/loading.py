"""How long a model is on its way from the disk before anything is drawn: bytes over a rate. Pure.

The words may have been read before, and then the text encoders stay on the disk: they count for the longer end only.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.planning.forecast import Range, corrected, middle
from engine.schema import Plan, Run
from engine.schema.card import ModelCard

# Before this machine was measured: 3 GB/s is what diffusers reaches from the memory of a fast machine (FlashPack's
# authors, Wan 14B), 0.1 GB/s is a hard disk. To read configs and tokenizers and to build the parts takes a while, too.
SECONDS_PER_GB, SECONDS_AT_LEAST = (1 / 3, 1 / 0.1), (0.2, 3.0)
SLOWER = 2.0  # times than the disk reads one file in order, at most: many files, and numbers turned into other numbers
TELLING_GB = 0.5  # a load of less says nothing about the disk


def loaded(plan: Plan, card: ModelCard, runs: Sequence[Run], warm: str, disk_gb: float = 0.0) -> Plan:
    """The plan with its forecast of loading. `warm`: what the worker has loaded, by `Plan.loads`; `disk_gb`: GB a
    second that the test of the card read, 0 where there was none."""
    parts = {name: part.size_gb for name, part in card.components.items()}
    readers = sum(size for name, size in parts.items() if name.startswith("text_encoder"))
    here = plan.loads == warm
    least = 0.0 if here else sum(parts.values()) - readers
    most = least + (readers if not here or plan.placement.text_encoder == "dropped" else 0.0)
    low, high = _seconds(least, plan, runs, disk_gb)[0], _seconds(most, plan, runs, disk_gb)[1]
    forecast = plan.forecast.model_copy(update={"loading_seconds": (round(low, 3), round(high, 3))})
    return plan.model_copy(update={"forecast": forecast})


def _seconds(size_gb: float, plan: Plan, runs: Sequence[Run], disk_gb: float) -> Range:
    """As guessed or as the disk was measured, or as this machine's runs that loaded something say."""
    if not size_gb:
        return 0.0, 0.0
    read = [run for run in runs if run.loaded_gb and run.device == plan.placement.device]
    own = [_slowness(run) for run in read if run.model == plan.model]
    return corrected(_guessed(size_gb, disk_gb), own, [_slowness(run) for run in read if run.loaded_gb >= TELLING_GB])


def _slowness(run: Run) -> float:
    """How many times longer it took than was to be guessed."""
    return run.loading_seconds / middle(_guessed(run.loaded_gb))


def _guessed(size_gb: float, disk_gb: float = 0.0) -> Range:
    (fast, slow), (soon, late) = SECONDS_PER_GB, SECONDS_AT_LEAST
    if disk_gb:  # the faster end stays: what was read lately may still be in RAM
        slow = max(SLOWER / disk_gb, fast)
    return soon + size_gb * fast, late + size_gb * slow
