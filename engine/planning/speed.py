"""How fast a device computes and is fed: as the test of the card measured, else from what its driver says of it; the
runs that were made here correct it later.

A GPU's peak is cores x clock x operations a core does in a tick of its matrix units; between products of matrices it
waits for its memory, and in small calls for the CPU that starts each kernel. What is reached of it is from the figures
of the models' authors and of NVIDIA's data sheets; none was re-run here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from engine.schema import Attention, Device

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
# Times slower through a mask: the kernels that know one are of FlashAttention's first generation, which its second is
# 1.7 to 3.0 times faster than, by its authors; 2.3 is the middle of that.
MASKED = 2.3
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


class Work(NamedTuple):
    """Operations of products and of attention; GB that everything else reads and writes; kernels."""

    products: float
    attention: float = 0.0
    moved_gb: float = 0.0
    kernels: int = 0


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
