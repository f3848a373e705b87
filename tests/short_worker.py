"""A real worker whose memory runs out where a file says so: torch's own errors, raised where torch would raise them.

    python -m tests.short_worker FAULTS.json <the worker's own arguments>

FAULTS.json is a list of [place, error]; each is raised once, in its order, the next time its place is reached.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch

from engine.schema import Device
from engine.worker import __main__ as worker
from engine.worker import accelerator

FAULTS = Path(sys.argv.pop(1))
WORDS = "CUDA out of memory. Tried to allocate 20.00 MiB. 1.00 MiB is reserved by PyTorch but unallocated."
IN_PIECES = WORDS.replace("1.00 MiB", "900.00 MiB")
# A CPU by a second name, with memory of its own as far as the plan knows: offloading to it is real, and costs nothing.
CARD = Device(id="cpu:0", kind="pretend", name="a card", vram_gb=24, vram_free_gb=23, compute_capability="8.9")
SEEN = FAULTS.with_name("card.json")  # another one, where a test wants that


def fail(place: str) -> None:
    faults = json.loads(FAULTS.read_text())
    if faults and faults[0][0] == place:
        FAULTS.write_text(json.dumps(faults[1:]))
        match faults[0][1]:
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "ram":
                torch.empty(10**15)
            case "pinned":
                raise torch.AcceleratorError("CUDA error: out of memory (cudaHostAlloc)")
            case "page_file":
                raise RuntimeError("The paging file is too small for this operation to complete. (os error 1455)")
            case "fragmented":
                raise torch.OutOfMemoryError(IN_PIECES)
            case "vram":
                raise torch.OutOfMemoryError(WORDS)


def short(place: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*given: Any, **named: Any) -> Any:
        fail(place)
        return function(*given, **named)

    return called


if __name__ == "__main__":
    loaded = diffusers.WanPipeline.from_pretrained.__func__  # type: ignore[attr-defined]
    diffusers.WanPipeline.from_pretrained = classmethod(short("loading", loaded))  # type: ignore[method-assign]
    for kind, name, place in ((diffusers.WanTransformer3DModel, "forward", "denoising"),
                              (diffusers.AutoencoderKLWan, "decode", "decoding"),
                              (diffusers.AutoencoderKLLTXVideo, "decode", "decoding"),
                              (diffusers.AutoencoderKLWan, "encode", "encoding")):  # fmt: skip
        setattr(kind, name, short(place, getattr(kind, name)))
    seen = Device.model_validate_json(SEEN.read_text()) if SEEN.exists() else CARD
    accelerator.described = lambda: (seen,)
    worker.main()
