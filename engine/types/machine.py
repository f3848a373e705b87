"""The machine, as it was read."""

from __future__ import annotations

from engine.types.noun import Noun


class Tenant(Noun):
    """Another program that holds memory of a card."""

    name: str
    vram_gb: float


class Device(Noun):
    """One thing that can run a model. `id` is torch's name for it: cpu, cuda:0, mps.

    `cuda`: the newest CUDA that its driver allows; `cores` and `clock_mhz`: what its driver says of its speed;
    `tenants`: who else uses its memory, the largest first.
    """

    id: str
    name: str
    vram_gb: float = 0.0
    vram_free_gb: float = 0.0
    compute_capability: str = ""
    driver: str = ""
    cuda: str = ""
    cores: int = 0
    clock_mhz: int = 0
    pcie_generation: int = 0
    pcie_width: int = 0
    tenants: tuple[Tenant, ...] = ()


class HardwareProfile(Noun):
    """The machine as it is now. `devices` always ends with the CPU; the first one is the one to use."""

    system: str
    devices: tuple[Device, ...]
    cpu_count: int
    ram_gb: float
    ram_free_gb: float
    page_file_gb: float
    disk_free_gb: float
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> Device:
        return self.devices[0]
