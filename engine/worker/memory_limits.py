"""Which memory ran out, from the exact words of those who say it (anything else is no shortage, whatever it says), and
the most memory that a job holds.
"""

from __future__ import annotations

import errno
import re
import threading
import traceback
from collections.abc import Iterator

import psutil
import torch

from engine.schema import Shortage
from engine.worker.accelerator import Accelerator

PAGE_FILE_FULL, NOT_ENOUGH, OUT_OF_MEMORY = 1455, 8, 14  # Windows' error numbers
HOST = re.compile(r"cudaHostAlloc|cudaHostRegister|hipHostMalloc|HostAllocator")
PAGE_FILE = re.compile(rf"paging file is too small|\(?os error {PAGE_FILE_FULL}\)?", re.I)
CPU_ALLOCATOR = re.compile(r"DefaultCPUAllocator: (can't allocate memory|not enough memory)|\(os error 12\)")
LIBRARY = r"(CUBLAS|CUDNN|CUSOLVER|HIPBLAS|ROCBLAS)_STATUS"
CARD = re.compile(
    r"^(CUDA|HIP)( driver)? error: out of memory"
    r"|^(CUDA|HIP|XPU|MPS backend) out of memory"
    rf"|{LIBRARY}_ALLOC_FAILED|{LIBRARY}_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"
    # Libraries that start with the first multiplication, or the first convolution, on a card that is full by then.
    rf"|{LIBRARY}_NOT_INITIALIZED when calling|cuDNN error: {LIBRARY}_NOT_INITIALIZED"
    r"|miopenStatusAllocFailed|Memory not available to allocate buffer"  # AMD's convolutions
    r"|UR_RESULT_ERROR_OUT_OF_(DEVICE|HOST)_MEMORY"  # Intel
    r"|^Invalid buffer size: [\d.]+ [KMG]i?B"  # Apple: one piece larger than Metal has
    r"|^Error out of memory at line \d+ in file "  # bitsandbytes
)
NO_ENGINE = re.compile(r"(GET|FIND) was unable to find an engine to execute this computation")
ASKED = re.compile(r"Tried to allocate ([\d.]+) ([KMG]iB)")
LYING_IDLE = re.compile(r"([\d.]+) ([KMG]iB) is reserved by PyTorch but unallocated")
FULL = 0.05  # of the card is left
BYTES = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def shortage(error: BaseException) -> Shortage | None:
    """What ran out, looking at the error and at what caused it; None when nothing did."""
    for one in _causes(error):
        found = _named(one)
        if found:
            return found
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _named(error: BaseException) -> Shortage | None:
    text = str(error)
    if isinstance(error, OSError):
        number = getattr(error, "winerror", None)
        if number == PAGE_FILE_FULL or PAGE_FILE.search(text):
            return "page_file"
        return "ram" if error.errno == errno.ENOMEM or number in (NOT_ENOUGH, OUT_OF_MEMORY) else None
    if isinstance(error, MemoryError):  # numpy's too
        return "ram"
    if isinstance(error, torch.OutOfMemoryError):
        return "fragmented" if _in_pieces(text) else "vram"
    if not isinstance(error, RuntimeError):  # torch.AcceleratorError is one
        return "page_file" if PAGE_FILE.search(text) else None
    if PAGE_FILE.search(text):
        return "page_file"
    if CPU_ALLOCATOR.search(text):
        return "ram"
    if NO_ENGINE.search(text):
        return "vram" if _is_full() else None
    if not CARD.search(text) and not HOST.search(text):
        return None
    return "pinned" if HOST.search(text) or _was_pinning(error) else "vram"


def _in_pieces(text: str) -> bool:
    """Whether torch's pool held more than was asked for, but not in one piece."""
    asked, idle = ASKED.search(text), LYING_IDLE.search(text)
    return bool(asked and idle) and _bytes(idle) > _bytes(asked)


def _is_full() -> bool:
    """Whether the card has no room left: cuDNN says the same of a format that it does not know and of a workspace that
    it does not get."""
    if not torch.accelerator.is_available():
        return False
    free, total = torch.accelerator.get_memory_info()
    return free < FULL * total


def _bytes(found: re.Match[str] | None) -> float:
    return float(found[1]) * BYTES[found[2]] if found else 0.0


def _was_pinning(error: BaseException) -> bool:
    """torch's words are the same for both memories: the last line of Python tells which one was asked for."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and "pin_memory(" in (frames[-1].line or "")


# ---- the most memory that a job holds at any moment ----

INTERVAL_SECONDS = 0.02


class Gauge:
    """Watches while it is open. RAM by looking often, because no system but Linux can reset its own record."""

    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator, self._peak = accelerator, 0
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="memory gauge", daemon=True)

    def __enter__(self) -> Gauge:
        self._accelerator.forget_peak()
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watcher.join()

    @property
    def ram_gb(self) -> float:
        return round(self._peak / 1e9, 3)

    @property
    def vram_gb(self) -> float:
        """What torch took from the card; its context is not in it."""
        return round(self._accelerator.peak_gb, 3)

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._done.wait(INTERVAL_SECONDS):
            self._peak = max(self._peak, process.memory_info().rss)
