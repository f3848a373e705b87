"""Ways through the attention, compared with exact arithmetic before one is first used."""

from __future__ import annotations

import functools

import torch
from diffusers.models.attention_dispatch import attention_backend, dispatch_attention_fn

from engine.planning.compatibility import ROUNDS, WAYS
from engine.schema import Attention
from engine.schema.errors import MachineProblem
from engine.schema.message import Message

ROUNDING, OF_8_BITS = 0.03, 0.1  # of the largest value: what a way may differ from 32-bit arithmetic
HEADS, TOKENS = 4, 333


def attended(way: Attention, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    with torch.no_grad(), attention_backend(way):
        found: torch.Tensor = dispatch_attention_fn(q, k, v)
        return found


def apart(way: Attention, device: str, dtype: torch.dtype, width: int = 128) -> float:
    """How far it is from exact attention, as a share of the largest value; not a number where that is what it gives."""
    noise = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(1, TOKENS, HEADS, width, generator=noise) for _ in range(3))
    exact = attended("native", q, k, v)
    found = attended(way, *(part.to(device, dtype) for part in (q, k, v)))
    return float((found.float().cpu() - exact).abs().max() / exact.abs().max())


def allowed(way: Attention) -> float:
    return OF_8_BITS if way in ROUNDS else ROUNDING


@functools.cache
def check(way: Attention, device: str, dtype: torch.dtype, width: int) -> None:
    """Once in a process. Raises MachineProblem where a way other than torch's own choice cannot be taken here."""
    if way == "native":
        return
    try:
        far = apart(way, device, dtype, width)
        problem = "" if far <= allowed(way) else Message("It differs from exact arithmetic by {far:.0%}.", far=far)
    except Exception as error:  # of any library and driver
        problem = f"{type(error).__name__}: {error}"
    if problem:
        raise MachineProblem(
            Message("Attention by {ways} does not compute rightly on this computer.", ways=WAYS[way]),
            Message(
                "Leave the attention to Rushes and test the card again under My machine, which then leaves it out."
            ),
            problem[:200],
        )
