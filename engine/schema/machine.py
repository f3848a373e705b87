"""The machine, as it was read."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import model_validator

from engine.schema.frozen_model import Attention, DeviceKind, FrozenModel
from engine.schema.message import Message

PACKAGES: dict[Attention, str] = {"flash": "flash_attn", "sage": "sageattention"}  # and their modules


class Tenant(FrozenModel):
    """Another program that holds memory of a card."""

    name: str
    vram_gb: float


class Capabilities(FrozenModel):
    """What can be counted on: copies beside the computing (`streams`), page-locked RAM, number formats, libraries."""

    streams: bool = False
    pinned_memory: bool = False
    fp8: bool = False
    bf16: bool = False
    bitsandbytes: bool = False


OF_KIND: dict[DeviceKind, Capabilities] = {
    "cpu": Capabilities(fp8=True, bf16=True, bitsandbytes=True),
    "cuda": Capabilities(streams=True, pinned_memory=True, fp8=True, bf16=True, bitsandbytes=True),
    "rocm": Capabilities(streams=True, pinned_memory=True, fp8=True, bf16=True, bitsandbytes=True),
    "xpu": Capabilities(streams=True, pinned_memory=True, fp8=True, bf16=True, bitsandbytes=True),
    "mps": Capabilities(bf16=True),
    "pretend": Capabilities(
        streams=True, pinned_memory=True, fp8=True, bf16=True
    ),  # diffusers lets bitsandbytes on known devices only
}


class Measured(FrozenModel):
    """What a test of the card found; 0 where it could not be measured.

    Operations a second in products of 16-bit matrices (32-bit ones on a CPU) and in attention; GB a second through the
    device's memory, from RAM to it, and from the disk; seconds to start a kernel. `ways`: operations a second of every
    way through the attention, 0 where it does not compute rightly there. `compiled`: how many times as fast compiled
    blocks are, and the seconds that compiling takes.
    """

    products: float = 0.0
    attention: float = 0.0
    memory_gb: float = 0.0
    kernel_seconds: float = 0.0
    pinned_link_gb: float = 0.0
    pageable_link_gb: float = 0.0
    disk_gb: float = 0.0
    ways: dict[Attention, float] = {}
    compiled: float = 0.0
    compile_seconds: float = 0.0


BF16_CAPABILITY = 8.0  # Ampere: NVIDIA's older cards compute bfloat16 in software, slower than float16


class Device(FrozenModel):
    """One thing that can run a model. `id` is torch's name for it: cpu, cuda:0 (of AMD too), mps.

    `cuda`: the newest CUDA that its driver allows; `cores` and `clock_mhz`: what its driver says of its speed;
    `tenants`: who else uses its memory, the largest first; `shares_ram`: it has no memory of its own; `measured`: by
    the test of the card, where it was run here.
    """

    id: str
    kind: DeviceKind
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
    shares_ram: bool = False
    tenants: tuple[Tenant, ...] = ()
    measured: Measured | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_before_kinds(cls, fields: Any) -> Any:
        fields = with_kind(fields, "id")
        return {"shares_ram": True} | fields if isinstance(fields, dict) and fields.get("kind") == "mps" else fields

    @property
    def capability(self) -> float:
        """As a number. An unknown one counts as old: what old cards do, new ones do too."""
        return float(self.compute_capability or 0)

    @property
    def capabilities(self) -> Capabilities:
        known = OF_KIND[self.kind]
        old = bool(self.compute_capability) and self.capability < BF16_CAPABILITY
        return known.but(bf16=known.bf16 and not old)


def with_kind(fields: Any, name: str) -> Any:
    """The fields of a noun from before devices had a kind: until then torch's name was all that told it."""
    if isinstance(fields, dict) and "kind" not in fields and isinstance(fields.get(name), str):
        return fields | {"kind": fields[name].partition(":")[0]}
    return fields


class Held(FrozenModel):
    """What a worker process of ours holds between two jobs. `loads`: which model and how, as `Plan.loads` says it."""

    pid: int
    device: str
    loads: str = ""
    vram_gb: float = 0.0
    ram_gb: float = 0.0


class HardwareProfile(FrozenModel):
    """The machine as it is now. `devices` always ends with the CPU; the first one is the one to use.

    `workers`: what our own hold; it is counted as free, since they let go of it for the next job.
    `models_disk_free_gb`: on the disk where new models go, when that is another one.
    `attention_packages`: ways through the attention that a person installed.
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
    workers: tuple[Held, ...] = ()
    attention_packages: tuple[Attention, ...] = ()
    notes: tuple[Message, ...] = ()
    problems: tuple[Message, ...] = ()

    @property
    def room_for_models_gb(self) -> float:
        return self.disk_free_gb if self.models_disk_free_gb is None else self.models_disk_free_gb

    def loaded_on(self, device: str) -> str:
        """What the worker of a device has ready, by `ShotPlan.loads`; empty where there is none."""
        return next((worker.loads for worker in self.workers if worker.device == device), "")

    @property
    def disk_gb(self) -> float:
        """GB a second from the disk, as a test of one of the cards measured it; 0 where there was none."""
        return next((device.measured.disk_gb for device in self.devices if device.measured), 0.0)

    @property
    def best(self) -> Device:
        return self.devices[0]


Part = Literal[
    "placements",
    "formats",
    "decode",
    "products",
    "attention",
    "memory",
    "kernels",
    "link",
    "pinned",
    "disk",
    "compiled",
]


PARTS: tuple[Part, ...] = get_args(Part)


class Reading(FrozenModel):
    """One thing that was tried or measured. `value` is in `unit`, and None where there is only a yes or no; `problem`:
    torch's own words for what went wrong, or for why the card has not this way, which no plan chooses by itself."""

    part: Part
    name: str
    ok: bool
    value: float | None = None
    unit: str = ""
    problem: str = ""

    @property
    def line(self) -> str:
        value = "" if self.value is None else f"{self.value:g} {self.unit}"
        return f"{self.part}: {self.name}  {value}  {self.problem}".rstrip()
