"""How fast a device computes and is fed, from what its driver says of it; what was measured here corrects it later.

A GPU's peak is cores x clock x operations a core does in a tick of its matrix units. What diffusers reaches of it, and
what published runs took beyond that, is from the figures of the models' authors and engines; none was re-run here.
"""

from __future__ import annotations

from engine.types import Device

# Operations a tick and core, 16-bit numbers with 32-bit sums: (GeForce, professional) by compute capability. GeForce
# cards do half of what their chip can. Before Turing there are no matrix units, and 16 bits are computed as 32.
PER_TICK = {(5, 0): (2, 2), (7, 0): (16, 16), (7, 5): (8, 16), (8, 0): (32, 32), (8, 6): (4, 8), (9, 0): (32, 32),
            (12, 0): (4, 8)}  # fmt: skip
# Of the peak at the highest clock: 65 of 88 TFLOP/s on a 3090, 150 of 203 on a 4090, 200 of 269 on a 5090; 590 of 1070
# on an H100, whose matrix units are harder to feed.
REACHED, REACHED_BY_HOPPER = 0.74, 0.55
# A whole run takes this times the pure arithmetic: 1.1 to 1.9 in published runs of Wan, HunyuanVideo and CogVideoX.
BEYOND = (1.0, 2.0)
LAPTOP = 1.6  # and this times more where the power is that of a laptop
# Sustained operations a second where the driver tells nothing. A CPU core of the last ten years does 10 to 60 GFLOP/s
# in torch's matmuls; an unknown GPU 10 to 100 TFLOP/s; an Apple GPU 2 to 20.
GUESSED = {"cpu": (1.0e10, 6.0e10), "mps": (2.0e12, 2.0e13)}
GUESSED_CARD = (1.0e13, 1.0e14)
PCIE_GB_PER_LANE = {1: 0.2, 2: 0.4, 3: 0.79, 4: 1.57, 5: 3.1, 6: 6.2}  # a second, page-locked, as a copy reaches it
UNKNOWN_LINK_GB = 12.0  # PCIe 3 with 16 lanes
PAGEABLE = 0.4  # of that without page-locked memory


def rates(device: Device, cpu_count: int) -> tuple[float, float]:
    """Operations a second that a run reaches, (slowest, fastest)."""
    peak = _peak(device)
    if not peak:
        slow, fast = GUESSED.get(device.kind, GUESSED_CARD)
        cores = cpu_count if device.kind == "cpu" else 1
        return slow * cores, fast * cores
    least, most = BEYOND
    return peak / (most * (LAPTOP if "Laptop" in device.name else 1)), peak / least


def link_gb(device: Device, pinned: bool) -> float:
    """GB a second from the computer's memory to the device."""
    per_lane = PCIE_GB_PER_LANE.get(device.pcie_generation)
    link = per_lane * device.pcie_width if per_lane and device.pcie_width else UNKNOWN_LINK_GB
    return link * (1.0 if pinned else PAGEABLE)


def _peak(device: Device) -> float:
    """Operations a second that the arithmetic of a transformer reaches; 0 where the driver does not tell enough."""
    if not (device.cores and device.clock_mhz and device.compute_capability):
        return 0.0
    major, minor = (int(part) for part in device.compute_capability.split("."))
    known = max(capability for capability in PER_TICK if capability <= max((major, minor), (5, 0)))
    a_tick = PER_TICK[known][0 if "GeForce" in device.name else 1]
    reached = REACHED_BY_HOPPER if known == (9, 0) else REACHED
    return device.cores * device.clock_mhz * 1e6 * a_tick * reached
