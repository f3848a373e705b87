"""The one device that a worker computes on, and what torch is asked about it. No other card is ever touched: a context
there would take some hundred MB of somebody's memory.

torch has one module for each kind of device (torch.cuda for NVIDIA and AMD, torch.xpu, torch.mps), with the same names
for the same questions as far as they know them.
"""

from __future__ import annotations

import gc
from typing import Any, cast

import torch
from torch.backends import cudnn

from engine.schema import Device, DeviceKind
from engine.schema.errors import MachineProblem
from engine.schema.machine import OF_KIND, Capabilities
from engine.schema.message import Message

GB = 1e9


def kind_of(device: str) -> DeviceKind:
    """By torch's name of it: AMD's cards go by the name cuda there."""
    named = torch.device(device).type
    return "rocm" if named == "cuda" and torch.version.hip else cast(DeviceKind, named)


def module_of(device: str) -> Any:
    """torch's module for a device; None for the CPU."""
    kind = torch.device(device).type
    return None if kind == "cpu" else torch.get_device_module(kind)


class Accelerator:
    """The device of this process; on the CPU, nothing to ask and nothing to free."""

    def __init__(self, device: str) -> None:
        self.device, self.kind = device, kind_of(device)
        self._module = module_of(device)

    @property
    def capabilities(self) -> Capabilities:
        return OF_KIND[self.kind]

    def choose(self) -> None:
        """Make it the one that libraries mean when they name none. Raises MachineProblem where torch cannot use it."""
        if self._module is None:
            return
        if not self._module.is_available():
            raise MachineProblem(
                Message("The graphics card was found, but this torch build cannot use it."),
                Message("Run `python bootstrap.py --torch` to see which build fits, or choose the device cpu."),
            )
        if self.kind != "mps":
            self._module.set_device(self.device)

    def synchronize(self) -> None:
        """Wait until it has computed what it was given."""
        if self._module is not None:
            self._module.synchronize()

    @property
    def misreads_conv3d(self) -> bool:
        """Whether cuDNN computes large 16-bit convolutions through time wrong (9.8 to 9.14: pytorch issue 163539), and
        torch no longer steers round it. Tensors whose channels lie last take another way."""
        return self.kind == "cuda" and 90800 <= (cudnn.version() or 0) < 91500  # type: ignore[no-untyped-call]

    def event(self) -> Any:
        """A mark behind everything that was handed to it so far, to wait for later."""
        marked = self._module.Event()
        marked.record(self._module.current_stream())
        return marked

    def free(self) -> None:
        """Give back what nothing holds any more, of the card's memory and of the RAM that was locked for it."""
        gc.collect()  # hooks hold on to models in circles
        if self._is_there:
            self._module.empty_cache()
            if self.capabilities.pinned_memory:
                torch.accelerator.empty_host_cache()

    def forget_peak(self) -> None:
        if self._counts:
            self._module.reset_peak_memory_stats(self.device)

    @property
    def peak_gb(self) -> float:
        """The most that torch took from the card; its context is not in it."""
        return self._module.max_memory_reserved(self.device) / GB if self._counts else 0.0

    @property
    def held_gb(self) -> float:
        """What torch has of it now."""
        return self._module.memory_reserved(self.device) / GB if self._counts else 0.0

    @property
    def _counts(self) -> bool:
        return self._is_there and self.kind != "mps"

    @property
    def _is_there(self) -> bool:
        """Whether there is anything to ask: a plan may name a card that this torch cannot use."""
        return self._module is not None and bool(self._module.is_available())


def described() -> tuple[Device, ...]:
    """The GPUs that torch sees. What is free is said of none: to ask would open a context on each."""
    if torch.backends.mps.is_available():
        limit = torch.mps.recommended_max_memory() / GB
        return (Device(id="mps", kind="mps", name="Apple GPU", vram_gb=limit, vram_free_gb=limit, shares_ram=True),)
    for name in ("cuda", "xpu"):
        module = torch.get_device_module(name)
        if module.is_available():
            return tuple(_described(f"{name}:{index}", module) for index in range(module.device_count()))
    return ()


def _described(device: str, module: Any) -> Device:
    properties = module.get_device_properties(device)
    total_gb = properties.total_memory / GB
    kind = kind_of(device)
    capability = f"{properties.major}.{properties.minor}" if kind == "cuda" else ""
    return Device(id=device, kind=kind, name=properties.name, vram_gb=total_gb, vram_free_gb=total_gb,
                  compute_capability=capability)  # fmt: skip
