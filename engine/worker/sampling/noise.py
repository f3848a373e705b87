"""Where the noise of a shot comes from: its seed, and for a variation the seeds of other noise that is mixed in.

All noise of a shot is mixed alike, whoever draws it: pipelines, schedulers and families call `torch.randn` with the
shot's generator. So nothing here knows a family, and a take and its render vary in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from engine.schema import ShotPlan, Variation

STATE_BYTES = len(torch.Generator("cpu").get_state())


class Mixed(torch.Generator):
    """The generator of a seed, with those of its variations beside it. Within `mixing`, its noise has theirs in it."""

    def __new__(cls, seed: int, variations: Sequence[Variation]) -> Mixed:
        return super().__new__(cls, "cpu")  # type: ignore[call-arg]

    def __init__(self, seed: int, variations: Sequence[Variation]) -> None:
        self.manual_seed(seed)
        self._others = [(torch.Generator("cpu").manual_seed(one.seed), angle(one.amount)) for one in variations]

    def get_state(self) -> torch.Tensor:
        """Of all of them, so that a run that goes on draws what it would have drawn."""
        return torch.cat([super().get_state(), *(other.get_state() for other, _ in self._others)])

    def set_state(self, new_state: torch.Tensor) -> Mixed:
        own, *others = (part.clone() for part in new_state.view(-1, STATE_BYTES))
        super().set_state(own)
        for (other, _), state in zip(self._others, others, strict=True):
            other.set_state(state)
        return self

    def mixed(self, noise: torch.Tensor, draw: Any) -> torch.Tensor:
        """Turned towards each variation in turn. Sums of independent noise by cosine and sine keep its variance of 1.
        `draw`: as much noise from another generator."""
        for other, turned in self._others:
            noise = (math.cos(turned) * noise.float() + math.sin(turned) * draw(other).float()).to(noise.dtype)
        return noise


def angle(amount: float) -> float:
    """From an amount of 0 to 1 to the angle between a shot's noise and its variation's, up to a right one."""
    return amount * math.pi / 2


def of(plan: ShotPlan) -> torch.Generator:
    """The source of a shot's noise. It is drawn on the CPU, so that a seed means the same on every device."""
    variations = [one for one in plan.request.variations if one.amount]  # none at all: the shot itself, to the last bit
    return Mixed(plan.seed, variations) if variations else torch.Generator("cpu").manual_seed(plan.seed)


@contextmanager
def mixing(generator: torch.Generator) -> Iterator[None]:
    """While it lasts, `torch.randn` mixes what it draws from this generator. No other generator is touched."""
    if not isinstance(generator, Mixed):
        yield
        return
    plain = torch.randn

    def randn(*size: Any, **named: Any) -> torch.Tensor:
        noise = plain(*size, **named)
        if named.get("generator") is not generator:
            return noise
        return generator.mixed(noise, lambda other: plain(*size, **named | {"generator": other}))

    torch.randn = randn
    try:
        yield
    finally:
        torch.randn = plain
