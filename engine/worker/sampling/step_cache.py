"""Between whole steps, what a transformer says is foretold from what it said in the last two (TaylorSeer, first order).

Of the whole transformer, and not of layers inside as diffusers' own caches: those know no HunyuanVideo from a picture,
no FramePack and no Kandinsky, and leave the layers of most others alone in silence. A step that is foretold calls
nothing, so no offloaded weight travels for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from engine.schema import StepCache


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
        before = [_Before(part, number, self) for number, part in enumerate(parts) if part is not None]
        try:
            yield
        finally:
            for one in before:
                one.step_aside()

    def foretold(self, number: int) -> tuple[list[tuple[int, Any]], Any]:
        """Of a part's next call: where its answers are kept, and the foretold one; None where it is to be asked."""
        said = self._said.setdefault((number, self._calls), [])
        self._calls += 1
        if len(said) < 2 or self._rule.computes(self._step):  # type: ignore[union-attr]
            return said, None
        return said, _foretold(said, self._step)

    def keep(self, said: list[tuple[int, Any]], computed: Any) -> None:
        said[:] = [*said[-1:], (self._step, computed)]


class _Before:
    """Stands before one transformer's `forward`, and before what offloading puts there in the middle of a run: the hook
    that learns the order of streamed layers takes itself off after the first call."""

    def __init__(self, part: Any, number: int, foretelling: Foretelling) -> None:
        self._part, self._number, self._foretelling = part, number, foretelling
        self._own, self._below = part.__dict__.get("forward"), part.forward
        self._mine = part.forward = self._answer

    def _answer(self, *given: Any, **named: Any) -> Any:
        said, foretold = self._foretelling.foretold(self._number)
        if foretold is not None:
            return foretold
        computed = self._below(*given, **named)
        if self._part.__dict__.get("forward") is not self._mine:
            self._own, self._below = self._part.__dict__.get("forward"), self._part.forward
            self._part.forward = self._mine
        self._foretelling.keep(said, computed)
        return computed

    def step_aside(self) -> None:
        if self._own is None:
            del self._part.forward
        else:
            self._part.forward = self._own


def _foretold(said: list[tuple[int, Any]], step: int) -> Any:
    """On the straight line through what was said at two steps: a tuple of tensors, or an output of diffusers."""
    (first, before), (second, last) = said
    way = (step - first) / (second - first)
    named = not isinstance(last, tuple)
    pairs = zip(before.values(), last.values(), strict=True) if named else zip(before, last, strict=True)
    parts = [torch.lerp(one.float(), other.float(), way).to(other.dtype) for one, other in pairs]
    return type(last)(**dict(zip(last, parts, strict=True))) if named else tuple(parts)
