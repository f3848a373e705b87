"""What a plan will need, as pure arithmetic: no files, no torch, no clock.

Time = operations / rate + what kernels move in the card's memory + what offloading moves over the bus + what becomes of
the frames. The work was traced on the real architecture; the rates are what the driver's word on the card promises,
until runs on this machine say better.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import quantiles

from engine.planning.cost import call_work, calls, copies_gb, mapped_gb, memory, moved_gb, other_work, resident_share
from engine.planning.speed import CROWDED, link_gb, paces
from engine.schema import Device, Forecast, HardwareProfile, Pass, Placement, Plan, Run, Stage, Verdict
from engine.schema.card import ModelCard

# Seconds of a run that no operation explains, on a CPU and on a card: there kernels are chosen and built at their first
# call. And for each million pixels, to bring frames to RAM and write them.
OVERHEAD, ON_CARD, FRAMES = (0.1, 0.5), (1.2, 2.5), (0.02, 0.04)
ENOUGH_RUNS = 4  # from here on the range is what was measured, and not a margin around it
Range = tuple[float, float]


def forecast(
    card: ModelCard, passes: dict[Stage, Pass], placement: Placement, hardware: HardwareProfile, runs: Sequence[Run]
) -> Forecast:
    """The forecast of a take and its render. `runs` are this machine's measured runs, of all models, oldest first."""
    device = next((device for device in hardware.devices if device.id == placement.device), hardware.best)
    here = [run for run in runs if run.device == placement.device and run.estimated_seconds]
    own = [run for run in here if run.model == card.id]
    # Runs are compared with what was known before the card was tested: they were made before and after it.
    untested = device.model_copy(update={"measured": None})
    estimates = {stage: estimated(card, run, placement, untested, hardware.cpu_count) for stage, run in passes.items()}
    seconds = {}
    for stage, run in passes.items():
        same = [measured.slowness for measured in own if measured.stage == stage]
        if device.measured and not own:  # it says more than the runs of other models
            seconds[stage] = estimated(card, run, placement, device, hardware.cpu_count)
        else:
            seconds[stage] = corrected(estimates[stage], same, [run.slowness for run in own or here])
    vram_gb, ram_gb = (
        max(needs) for needs in zip(*(memory(card, run, placement) for run in passes.values()), strict=True)
    )
    seen_gb = max(ram_gb, min(ram_gb + mapped_gb(card, placement), 0.9 * hardware.ram_free_gb))
    return Forecast(
        verdict=_verdict(placement, vram_gb, ram_gb, device, hardware),
        vram_gb=round(vram_gb, 2),
        ram_gb=round(seen_gb, 2),
        disk_gb=round(card.size_gb + copies_gb(card, placement), 3),
        download_gb=0.0 if not card.repo else round(card.size_gb, 3),
        take_seconds=_rounded(seconds["take"]),
        render_seconds=_rounded(seconds["render"]),
        estimated_seconds=(round(middle(estimates["take"]), 3), round(middle(estimates["render"]), 3)),
        basis=_basis(card, device, len(own), len(here)),
    )  # fmt: skip


def on_disk(plan: Plan, name: str, machine: HardwareProfile) -> Plan:
    """The plan, saying so where what is to be downloaded for it does not fit on the disk."""
    needed_gb, free_gb = plan.forecast.download_gb, machine.room_for_models_gb
    if needed_gb <= free_gb:
        return plan
    reason = f"{name} is {needed_gb:.0f} GB to download, and {free_gb:.0f} GB are free on the disk for models."
    return plan.model_copy(update={"reasons": (reason, *plan.reasons)})


def estimated(card: ModelCard, run: Pass, placement: Placement, device: Device, cpu_count: int) -> Range:
    """Seconds of a run by arithmetic alone."""
    moving = moved_gb(card, run, placement)[0] / link_gb(device, placement.pin_memory or placement.offload == "model")
    slow, fast = (pace.seconds(other_work(card, run)) for pace in paces(device, cpu_count))
    low, high = denoising(card, run, placement, device, cpu_count)
    least, most = OVERHEAD
    if device.kind != "cpu":
        least, most = (fixed + each * run.pixels / 1e6 for fixed, each in zip(ON_CARD, FRAMES, strict=True))
    return low + fast + moving + least, high + slow + CROWDED * moving + most


def denoising(card: ModelCard, run: Pass, placement: Placement, device: Device, cpu_count: int) -> Range:
    """Seconds of the calls of the transformer. Streamed weights travel while those before them compute, one layer
    ahead; so what stays on the card computes in a time of its own."""
    travelling = moved_gb(card, run, placement)[1] / link_gb(device, placement.pin_memory)
    slow, fast = (pace.seconds(call_work(card, run)) for pace in paces(device, cpu_count, placement.attention))
    count, stays = calls(card, run), resident_share(card, placement)
    low, high = (stays * computing + max((1 - stays) * computing, moving)
                 for computing, moving in ((fast, travelling), (slow, CROWDED * travelling)))  # fmt: skip
    return count * low, count * high


def corrected(estimate: Range, own: Sequence[float], others: Sequence[float]) -> Range:
    """An estimate in the light of what was measured: how many times longer than the middle of theirs runs took.

    `own`: runs of this model and stage, newest last; `others`: runs of other stages or models, which say less.
    """
    centre = middle(estimate)
    if len(own) >= ENOUGH_RUNS:
        slow, *_, fast = quantiles(own[-20:], n=10)[::-1]
        return 0.95 * centre * fast, 1.1 * centre * slow
    if own:
        return 0.75 * centre * min(own), 1.4 * centre * max(own)
    if others:
        return 0.5 * centre * min(others[-20:]), 2 * centre * max(others[-20:])
    return estimate


def middle(estimate: Range) -> float:
    low, high = estimate
    return sqrt(low * high)


def _basis(card: ModelCard, device: Device, own: int, here: int) -> str:
    if own:
        return f"from {own} run{'s' if own > 1 else ''} on this machine"
    how = "the memory traced on the model's architecture" if card.traced else "the memory by a rule of thumb"
    if device.measured:
        return f"estimated, not measured: {how}, the time from the test of the card"
    if here:
        return f"estimated, not measured: {how}, the time from other models' runs on this machine"
    return f"estimated, not measured: {how}, the time from what is known of the device"


def _verdict(placement: Placement, vram_gb: float, ram_gb: float, device: Device, hardware: HardwareProfile) -> Verdict:
    on_card = placement.kind != "cpu"
    if on_card and not device.vram_gb:
        return "unknown"
    if ram_gb > hardware.ram_gb + hardware.page_file_gb or (on_card and vram_gb > device.vram_gb):
        return "unlikely"
    if ram_gb > 0.9 * hardware.ram_free_gb or (on_card and vram_gb > 0.92 * device.vram_free_gb):
        return "tight"
    return "comfortable" if placement.offload == "resident" else "offloads"


def _rounded(low_high: Range) -> Range:
    low, high = low_high
    return round(low, 3), round(high, 3)  # a tiny model takes less than a tenth
