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

    @property
    def capability(self) -> float:
        """As a number. An unknown one counts as old: what old cards do, new ones do too."""
        return float(self.compute_capability or 0)


class HardwareProfile(Noun):
    """The machine as it is now. `devices` always ends with the CPU; the first one is the one to use.

    `models_disk_free_gb`: on the disk where new models go, when that is another one.
    `notes`: what is so and is well to know; `problems`: what is wrong. Both are sentences.
    """

    system: str
    devices: tuple[Device, ...]
    cpu_count: int
    ram_gb: float
    ram_free_gb: float
    page_file_gb: float
    disk_free_gb: float
    models_disk_free_gb: float | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def room_for_models_gb(self) -> float:
        return self.disk_free_gb if self.models_disk_free_gb is None else self.models_disk_free_gb

    @property
    def best(self) -> Device:
        return self.devices[0]
