"""Weights that are brought to the card layer by layer while the layers before them compute (group offloading).

diffusers copies on a stream of its own and waits for nothing that computes, so the host, which runs far ahead of the
card, would bring a whole model there: some 15 GB where two blocks are meant. `bound` holds the host back: a block is
begun only when the card is done with the one before the last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.hooks import apply_group_offloading

from engine.schema import Placement
from engine.worker.accelerator import Accelerator

BLOCKS_IN_FLIGHT = 2  # engine/planning/cost.py counts on it


def stream(part: torch.nn.Module, placement: Placement, resident_gb: float = 0.0) -> None:
    """Have a part's weights wait in RAM and come to the device as they are needed, but for its last blocks, of
    `resident_gb` together, which stay there."""
    accelerator = Accelerator(placement.device)
    ahead = accelerator.capabilities.streams
    whole = reads_past_its_layers(part)
    enable = getattr(part, "enable_group_offload", None)
    how: dict[str, Any] = {
        "onload_device": torch.device(placement.device),
        "offload_type": "block_level" if whole else "leaf_level",
        "num_blocks_per_group": 1 if whole else None,
        "use_stream": ahead and not whole,
        "record_stream": ahead and not whole,
        "non_blocking": ahead and not whole,
        "low_cpu_mem_usage": not placement.pin_memory,
    }
    resident = last_blocks(part, resident_gb)
    with _away(part, resident):
        enable(**how) if enable else apply_group_offloading(module=part, **how)
    for block in resident:
        block.to(placement.device)
    for layer in part.modules():  # what bitsandbytes scales 4 bits by: no hook brings it, and it is small
        if scales := getattr(getattr(layer, "weight", None), "quant_state", None):
            scales.to(torch.device(placement.device))
    if ahead and not whole:
        bound(part, accelerator)


def last_blocks(part: torch.nn.Module, gb: float) -> list[torch.nn.Module]:
    """As many as there is room for in so many GB, from the end: blocks of a model differ in size."""
    found: list[torch.nn.Module] = []
    left = 1e9 * gb
    for block in reversed(blocks(part)):
        left -= sum(weight.nbytes for weight in block.parameters())
        if left < 0:
            break
        found.append(block)
    return found


@contextmanager
def _away(part: torch.nn.Module, left_out: Iterable[torch.nn.Module]) -> Iterator[None]:
    """The part without some of its blocks: diffusers hooks every layer that it finds."""
    places = [(some, number, child) for some in part.modules() if isinstance(some, torch.nn.ModuleList)
              for number, child in enumerate(some) if any(child is block for block in left_out)]  # fmt: skip
    for some, number, _ in places:
        some[number] = torch.nn.Identity()
    try:
        yield
    finally:
        for some, number, child in places:
            some[number] = child


def reads_past_its_layers(part: torch.nn.Module) -> bool:
    """Whether a weight is read without its layer being called, which is when it would be brought: torch's attention
    layer does so, in the pooling head of SigLIP. Such a part comes and goes as a whole."""
    return any(isinstance(module, torch.nn.MultiheadAttention) for module in part.modules())


def bound(part: torch.nn.Module, accelerator: Accelerator) -> None:
    """Let the host run ahead of the card by no more than BLOCKS_IN_FLIGHT blocks of this part."""
    done: deque[Any] = deque()

    def before(*_: Any) -> None:
        while len(done) >= BLOCKS_IN_FLIGHT:
            done.popleft().synchronize()

    def after(*_: Any) -> None:
        done.append(accelerator.event())

    for block in blocks(part):
        block.register_forward_pre_hook(before)
        block.register_forward_hook(after)


def blocks(part: torch.nn.Module) -> list[torch.nn.Module]:
    """The repeated layers, each once: what lies in a list, and in no list inside another."""
    found: list[torch.nn.Module] = []
    for module in part.modules():
        if isinstance(module, torch.nn.ModuleList) and not any(module in outer.modules() for outer in found):
            found += [child for child in module if any(True for _ in child.parameters())]
    return found
