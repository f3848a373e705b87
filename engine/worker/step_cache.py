"""Between whole steps, what a transformer says is foretold from what it said in the last two (TaylorSeer, first order).

Of the whole transformer, and not of layers inside as diffusers' own caches: those know no HunyuanVideo from a picture,
no FramePack and no Kandinsky, and leave the layers of most others alone in silence. A step that is foretold calls
nothing, so no offloaded weight travels for it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from engine.types import StepCache


class Foretelling:
    """What the transformers of one run said. Without `rule` every call is computed.

    A step calls a transformer once for each prompt it listens to, always in the same order.
    """

    def __init__(self, rule: StepCache | None) -> None:
        self._rule = rule
        self.begin()

    def begin(self) -> None:
        """A new clip or section: nothing that was said before is of use for it."""
        self._step, self._calls = 0, 0
        self._said: dict[tuple[int, int], list[tuple[int, Any]]] = {}  # by part and call: the last two, with steps

    def stepped(self) -> None:
        self._step, self._calls = self._step + 1, 0

    @contextmanager
    def of(self, pipe: Any) -> Iterator[None]:
        """Stand before the pipeline's transformers; nothing is left behind."""
        parts = [getattr(pipe, name, None) for name in ("transformer", "transformer_2")] if self._rule else []
        there = [part for part in parts if part is not None]
        before = [part.__dict__.get("forward") for part in there]  # of offloading, which lies below
        for number, part in enumerate(there):
            part.forward = self._asked(number, part.forward)
        try:
            yield
        finally:
            for part, forward in zip(there, before, strict=True):
                if forward is None:
                    del part.forward
                else:
                    part.forward = forward

    def _asked(self, part: int, forward: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(forward)
        def answer(*given: Any, **named: Any) -> Any:
            said = self._said.setdefault((part, self._calls), [])
            self._calls += 1
            if len(said) == 2 and not self._rule.computes(self._step):  # type: ignore[union-attr]
                return _foretold(said, self._step)
            computed = forward(*given, **named)
            said[:] = [*said[-1:], (self._step, computed)]
            return computed

        return answer


def _foretold(said: list[tuple[int, Any]], step: int) -> Any:
    """On the straight line through what was said at two steps: a tuple of tensors, or an output of diffusers."""
    (first, before), (second, last) = said
    way = (step - first) / (second - first)
    named = not isinstance(last, tuple)
    pairs = zip(before.values(), last.values(), strict=True) if named else zip(before, last, strict=True)
    parts = [torch.lerp(one.float(), other.float(), way).to(other.dtype) for one, other in pairs]
    return type(last)(**dict(zip(last, parts, strict=True))) if named else tuple(parts)
