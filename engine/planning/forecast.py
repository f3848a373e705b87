"""What a plan will need, as pure arithmetic: no files, no torch, no clock.

Time = bytes of the weights over the disk's rate + operations / rate + what kernels move in the card's memory + what
offloading moves over the bus + what becomes of the frames. The work was traced on the real architecture. How fast a
device computes and is fed was measured by the test of the card, or else is what its driver says of it (a GPU's peak is
cores x clock x operations a core does in a tick of its matrix units; between products of matrices it waits for its
memory); the runs that were made here correct it later.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import sqrt
from statistics import quantiles
from typing import NamedTuple

from engine.planning.cost import (
    Work,
    call_work,
    calls,
    copies_gb,
    mapped_gb,
    memory,
    moved_gb,
    other_work,
    resident_share,
)
from engine.schema import (
    Attention,
    Device,
    HardwareProfile,
    Pass,
    Placement,
    Run,
    ShotForecast,
    ShotPlan,
    ShotStage,
    Verdict,
)
from engine.schema.card import ModelCard
from engine.schema.message import Message

# Operations a tick and core, 16-bit numbers with 32-bit sums: (GeForce, professional) by compute capability. GeForce
# cards do half of what their chip can. Before Turing there are no matrix units, and 16 bits are computed as 32. Last:
# GB/s of memory for a thousand cores and GHz, of the best known card of that generation.
GENERATIONS = {(5, 0): (2, 2, 70), (7, 0): (16, 16, 115), (7, 5): (8, 16, 67), (8, 0): (32, 32, 209),
               (8, 6): (4, 8, 42), (8, 9): (4, 8, 20), (9, 0): (32, 32, 100),
               (10, 0): (64, 64, 215), (12, 0): (4, 8, 27)}  # fmt: skip
# Cards that are not what their chip promises, by NVIDIA's data sheets: 10^12 dense 16-bit operations a second (0: as
# computed), and GB/s. The first name that is in the driver's counts.
SHEETS = {"H20": (148, 4000), "H200": (0, 4800), "H100 PCIe": (756, 2000), "H800 PCIe": (756, 2000),
          "L20": (119.5, 864), "L40": (181, 864), "L2": (59, 300), "A10G": (70, 600), "RTX PRO 6000": (504, 1792),
          "GB10": (0, 273)}  # fmt: skip
# Of the peak at the highest clock, in products and in attention: 65 of 88 TFLOP/s on a 3090, 150 of 203 on a 4090, 200
# of 269 on a 5090, 240 and 200 of 312 on an A100. Hopper is harder to feed: 590 of 1070 on an H100, and 339 in
# the attention that torch brings (FlashAttention 2, by its authors).
REACHED, REACHED_BY = (0.74, 0.74), {(8, 0): (0.77, 0.64), (9, 0): (0.55, 0.32)}
MEMORY_REACHED = 0.85  # of its memory's speed, by a kernel that does nothing but read and write
KERNEL_SECONDS = 6e-6  # for Python and CUDA to start one
# A whole run takes this times the pure arithmetic: 19 of the 19 published runs that are marked fitted lie in it.
BEYOND = (0.63, 1.35)
LAPTOP = 1.26  # and this times more where the power is that of a laptop
# Sustained operations a second where the driver tells nothing. A CPU core of the last ten years does 10 to 60 GFLOP/s
# in torch's matmuls; an unknown GPU 10 to 100 TFLOP/s; an Apple GPU 2 to 20.
GUESSED = {"cpu": (1.0e10, 6.0e10), "mps": (2.0e12, 2.0e13)}
GUESSED_CARD = (1.0e13, 1.0e14)
PCIE_GB_PER_LANE = {1: 0.2, 2: 0.4, 3: 0.79, 4: 1.57, 5: 3.1, 6: 6.2}  # a second, page-locked, as a copy reaches it
UNKNOWN_LINK_GB = 12.0  # PCIe 3 with 16 lanes
PAGEABLE = 0.4  # of that without page-locked memory
CROWDED = 2.0  # times slower where many small pieces travel


class Pace(NamedTuple):
    """Operations a second in products and in attention, GB a second of memory, seconds to start a kernel."""

    products: float
    attention: float
    moved_gb: float = 0.0
    kernel: float = 0.0

    def seconds(self, work: Work) -> float:
        """Kernels are started while others compute, so only what takes longer counts."""
        moving = work.moved_gb / self.moved_gb if self.moved_gb else 0.0
        return max(work.products / self.products + work.attention / self.attention + moving,
                   work.kernels * self.kernel)  # fmt: skip

    def times(self, longer: float) -> Pace:
        """The same where everything takes so many times as long."""
        return Pace(self.products / longer, self.attention / longer, self.moved_gb / longer, self.kernel * longer)


def paces(device: Device, cpu_count: int, way: Attention = "native") -> tuple[Pace, Pace]:
    """What a run reaches, (slowest, fastest), with this way through the attention."""
    measured = _measured(device, way)
    if device.kind == "cpu" and measured:
        # Small models compute far below the products that were measured, which nothing exceeds: the Starter drew at a
        # third of them (2 cores). So the faster end is measured, and the slower one stays a guess.
        slowest = min(GUESSED["cpu"][0] * cpu_count, measured.products / 2)
        return Pace(slowest, slowest), measured
    pure = measured or _pace(device)
    if not pure:
        slow, fast = GUESSED.get(device.kind, GUESSED_CARD)
        cores = cpu_count if device.kind == "cpu" else 1
        return Pace(slow * cores, slow * cores), Pace(fast * cores, fast * cores)
    laptop = LAPTOP if "Laptop" in device.name and not device.measured else 1
    least, most = (longer * laptop for longer in BEYOND)
    return pure.times(most), pure.times(least)


def link_gb(device: Device, pinned: bool) -> float:
    """GB a second from the computer's memory to the device."""
    found = device.measured and (device.measured.pinned_link_gb if pinned else device.measured.pageable_link_gb)
    if found:
        return found
    per_lane = PCIE_GB_PER_LANE.get(device.pcie_generation)
    link = per_lane * device.pcie_width if per_lane and device.pcie_width else UNKNOWN_LINK_GB
    return link * (1.0 if pinned else PAGEABLE)


def _measured(device: Device, way: Attention) -> Pace | None:
    """What the test of the card measured, where it could measure that."""
    found = device.measured
    if not (found and found.products and found.attention):
        return None
    return Pace(found.products, found.ways.get(way) or found.attention, found.memory_gb, found.kernel_seconds)


def _pace(device: Device) -> Pace | None:
    """What the arithmetic of a transformer reaches; None where the driver does not tell enough."""
    if not (device.cores and device.clock_mhz and device.compute_capability):
        return None
    major, minor = (int(part) for part in device.compute_capability.split("."))
    known = max(capability for capability in GENERATIONS if capability <= max((major, minor), (5, 0)))
    geforce, professional, memory = GENERATIONS[known]
    ticks = device.cores * device.clock_mhz * 1e6
    tflops, sheet_gb = next((sheet for name, sheet in SHEETS.items() if re.search(rf"\b{name}\b", device.name)), (0, 0))
    peak = 1e12 * tflops or ticks * (geforce if "GeForce" in device.name else professional)
    products, attention = REACHED if tflops else REACHED_BY.get(known, REACHED)
    gb = MEMORY_REACHED * (sheet_gb or ticks / 1e12 * memory)
    return Pace(products * peak, attention * peak, gb, KERNEL_SECONDS)


# ---- what a plan needs ----

# Seconds of a run that no operation explains, on a CPU and on a card: there kernels are chosen and built at their first
# call. And for each million pixels, to bring frames to RAM and write them.
OVERHEAD, ON_CARD, FRAMES = (0.1, 0.5), (1.2, 2.5), (0.02, 0.04)
ENOUGH_RUNS = 4  # from here on the range is what was measured, and not a margin around it
Range = tuple[float, float]


def forecast(
    card: ModelCard, passes: dict[ShotStage, Pass], placement: Placement, hardware: HardwareProfile, runs: Sequence[Run]
) -> ShotForecast:
    """The forecast of a take and its render. `runs` are this machine's measured runs, of all models, oldest first."""
    device = next((device for device in hardware.devices if device.id == placement.device), hardware.best)
    here = [run for run in runs if run.device == placement.device and run.estimated_seconds]
    own = [run for run in here if run.model == card.id]
    # Runs are compared with what was known before the card was tested: they were made before and after it.
    untested = device.but(measured=None)
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
    return ShotForecast(
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


def on_disk(plan: ShotPlan, name: str, machine: HardwareProfile) -> ShotPlan:
    """The plan, saying so where what is to be downloaded for it does not fit on the disk."""
    needed_gb, free_gb = plan.forecast.download_gb, machine.room_for_models_gb
    if needed_gb <= free_gb:
        return plan
    reason = Message(
        "{name} is {needed_gb:.0f} GB to download, and {free_gb:.0f} GB are free on the disk for models.",
        name=name,
        needed_gb=needed_gb,
        free_gb=free_gb,
    )
    return plan.but(reasons=(reason, *plan.reasons))


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


def _basis(card: ModelCard, device: Device, own: int, here: int) -> Message:
    if own:
        return Message.plural("from {count} run on this machine", "from {count} runs on this machine", count=own)
    how = (
        Message("the memory traced on the model's architecture")
        if card.traced
        else Message("the memory by a rule of thumb")
    )
    if device.measured:
        return Message("estimated, not measured: {how}, the time from the test of the card", how=how)
    if here:
        return Message("estimated, not measured: {how}, the time from other models' runs on this machine", how=how)
    return Message("estimated, not measured: {how}, the time from what is known of the device", how=how)


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


# ---- loading: bytes over a rate ----

# Before this machine was measured: 3 GB/s is what diffusers reaches from the memory of a fast machine (FlashPack's
# authors, Wan 14B), 0.1 GB/s is a hard disk. To read configs and tokenizers and to build the parts takes a while, too.
SECONDS_PER_GB, SECONDS_AT_LEAST = (1 / 3, 1 / 0.1), (0.2, 3.0)
SLOWER = 2.0  # times than the disk reads one file in order, at most: many files, and numbers turned into other numbers
TELLING_GB = 0.5  # a load of less says nothing about the disk


def loaded(plan: ShotPlan, card: ModelCard, runs: Sequence[Run], warm: str, disk_gb: float = 0.0) -> ShotPlan:
    """The plan with its forecast of loading. `warm`: what the worker has loaded, by `ShotPlan.loads`; `disk_gb`: GB a
    second that the test of the card read, 0 where there was none."""
    parts = {name: part.size_gb for name, part in card.components.items()}
    readers = sum(size for name, size in parts.items() if name.startswith("text_encoder"))
    here = plan.loads == warm
    least = 0.0 if here else sum(parts.values()) - readers
    most = least + (readers if not here or plan.placement.text_encoder == "dropped" else 0.0)
    low, high = _seconds(least, plan, runs, disk_gb)[0], _seconds(most, plan, runs, disk_gb)[1]
    forecast = plan.forecast.but(loading_seconds=(round(low, 3), round(high, 3)))
    return plan.but(forecast=forecast)


def _seconds(size_gb: float, plan: ShotPlan, runs: Sequence[Run], disk_gb: float) -> Range:
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
