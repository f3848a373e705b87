"""The pretend card in this process: `pretend:0` and `pretend:1`, devices of torch in host memory.

What it cannot show is what a real card computes and how fast; what it shows is where every tensor lies, what waits for
what, and how much memory is held. Importing this does nothing; `install()` makes the devices known to torch.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import re
import types
from collections.abc import Iterator
from typing import Any

import torch
import torch._dynamo  # looks at signatures when it is imported, before any is replaced here

from tests.accelerator.build import library

NAME = "pretend"


class Card:
    """One of the two cards: its memory in bytes, and what was seen of it."""

    def __init__(self, number: int) -> None:
        self.number, self.device = number, f"{NAME}:{number}"

    def cap(self, size: float) -> None:
        """Above this many bytes an allocation raises torch.OutOfMemoryError; 0 takes the cap away."""
        _lib().pretend_cap(self.number, ctypes.c_int64(int(size)))

    def workspace(self, size: float) -> None:
        """Bytes that a convolution holds beside its result, at most as many as that."""
        _lib().pretend_workspace(self.number, ctypes.c_int64(int(size)))

    def reset(self) -> None:
        _lib().pretend_reset(self.number)

    @property
    def live(self) -> int:
        return _lib().pretend_live(self.number)

    @property
    def peak(self) -> int:
        return _lib().pretend_peak(self.number)

    @property
    def imitated(self) -> int:
        """Of the peak, what convolutions held as their workspace: a real card takes as much as its library likes."""
        return _lib().pretend_imitated(self.number)

    @property
    def races(self) -> int:
        """How often memory was given back to a stream while another one could still be reading it."""
        return _lib().pretend_races(self.number)

    @property
    def brought(self) -> int:
        """Bytes copied to the card."""
        return _lib().pretend_to_card(self.number)


def pinned() -> tuple[int, int]:
    """Page-locked bytes: in use, and taken from the system."""
    return _lib().pretend_pinned_live(), _lib().pretend_pinned_reserved()


def seed(number: int) -> None:
    """Which of the copies that nobody waited for come early."""
    _lib().pretend_seed(number)


@functools.cache
def install() -> bool:
    """Make torch know the cards; False where there is no compiler to build them with."""
    path = library()
    if path is None:
        return False
    _lib().pretend_init()
    found = re.search(r"pinned_max_cached_size_mb:(\d+)", os.environ.get("PYTORCH_CUDA_ALLOC_CONF", ""))
    if found:
        _lib().pretend_pinned_exact(ctypes.c_int64(int(found[1]) * 2**20))
    torch.utils.rename_privateuse1_backend(NAME)
    torch._register_device_module(NAME, _module())
    torch.utils.generate_methods_for_privateuse1_backend(for_storage=True)
    torch._has_compatible_shallow_copy_type = lambda one, other: True  # as between a CPU and the devices it knows
    torch.Tensor.data = property(torch._C.TensorBase.data.__get__, _set_data)  # type: ignore[assignment]
    return True


@functools.cache
def _lib() -> Any:
    lib = ctypes.CDLL(str(library()), mode=ctypes.RTLD_GLOBAL)
    for name in ("live", "peak", "imitated", "races", "to_card", "from_card"):
        getattr(lib, f"pretend_{name}").restype = ctypes.c_int64
    for name in ("pinned_live", "pinned_reserved"):
        getattr(lib, f"pretend_{name}").restype = ctypes.c_int64
    return lib


_plain_data = torch._C.TensorBase.data


def _set_data(self: torch.Tensor, source: torch.Tensor) -> None:
    """torch lets `data` move between the CPU and the devices that it knows; the pretend card is none of them."""
    if self.device == source.device:
        _plain_data.__set__(self, source)
        return
    moved = torch.Tensor._make_subclass(type(self), source.detach(), False)
    vars(moved).update(vars(self))  # swapping takes what was set on it along
    torch.utils.swap_tensors(self, moved)


def _module() -> types.ModuleType:
    """What libraries ask of `torch.pretend`, as they ask `torch.cuda`."""
    module = types.ModuleType(f"torch.{NAME}")

    class Stream(torch.Stream):
        def __new__(cls, device: Any = None, **_: Any) -> Any:
            return torch.Stream(device=device or torch.device(NAME, torch.accelerator.current_device_index()))

    @contextlib.contextmanager
    def stream(chosen: Any) -> Iterator[None]:
        if chosen is None:
            yield
            return
        with chosen:
            yield

    def info(index: Any = None) -> tuple[int, int]:
        return torch.accelerator.get_memory_info(index)

    vars(module).update(
        Stream=Stream, Event=torch.Event, stream=stream, is_available=lambda: True, is_initialized=lambda: True,
        device_count=torch.accelerator.device_count, current_device=torch.accelerator.current_device_index,
        set_device=torch.accelerator.set_device_index, current_stream=torch.accelerator.current_stream,
        synchronize=torch.accelerator.synchronize, empty_cache=torch.accelerator.empty_cache, mem_get_info=info,
        max_memory_allocated=torch.accelerator.max_memory_allocated,
        max_memory_reserved=torch.accelerator.max_memory_reserved,
        memory_allocated=torch.accelerator.memory_allocated, memory_reserved=torch.accelerator.memory_reserved,
        reset_peak_memory_stats=torch.accelerator.reset_peak_memory_stats,
        manual_seed=lambda number: None, manual_seed_all=lambda number: None, _is_in_bad_fork=lambda: False,
        get_rng_state=lambda *given: torch.empty(0, dtype=torch.uint8), set_rng_state=lambda *given: None,
        get_device_name=lambda index=0: "pretend card", get_device_capability=lambda index=0: (8, 9),
        is_bf16_supported=lambda *given: True, get_amp_supported_dtype=lambda: [torch.float16, torch.bfloat16],
    )  # fmt: skip
    return module


CARDS = (Card(0), Card(1))
