"""Which sizes and lengths a model can draw, and how others are brought to those. Nothing else rounds either."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.schema.frozen_model import FrozenModel
from engine.schema.request import Size


class SizeRule(FrozenModel):
    """Width and height are multiples of `multiple`, each between `minimum` and `maximum` pixels.

    `only`: the one size of a model whose positions are learned.
    """

    multiple: Annotated[int, Field(ge=1)]
    minimum: Annotated[int, Field(ge=1)]
    maximum: int
    only: Size | None = None

    @property
    def doubled(self) -> SizeRule:
        """The rule of renders whose sides are twice those of a take that keeps this one; never above its maximum."""
        return self.but(multiple=2 * self.multiple, minimum=2 * self.minimum)

    @property
    def least(self) -> int:
        """The smallest side."""
        return -(-self.minimum // self.multiple) * self.multiple

    def spans(self, *sides: int) -> bool:
        """Whether each of these lies between the ends; such a side may still be no multiple."""
        return all(self.minimum <= side <= self.maximum for side in sides)

    def allows(self, size: Size) -> bool:
        """Whether the model draws exactly this."""
        sides = (size.width, size.height)
        return self.spans(*sides) and not any(side % self.multiple for side in sides)

    def nearest(self, side: float) -> int:
        """The multiple next to this, whatever the ends are."""
        return round(side / self.multiple) * self.multiple

    def below(self, side: float, almost: float = 0.0) -> int:
        """The multiple at or below this, whatever the ends are; the one above where less than `almost` of a step is
        missing."""
        return int(side / self.multiple + almost) * self.multiple

    def snapped(self, side: int) -> int:
        """The multiple next to a side that the rule spans, between the ends."""
        return min(max(self.minimum, self.nearest(side)), self.maximum // self.multiple * self.multiple)


class FrameRule(FrozenModel):
    """Legal frame counts are `step` x k + `offset`, from `minimum` to `maximum`, shown at `fps` frames a second.

    `from_the_end`: the model draws the last `step` frames first, and the others from there.
    """

    step: Annotated[int, Field(ge=1)]
    offset: Annotated[int, Field(ge=0)] = 1
    minimum: Annotated[int, Field(ge=1)]
    maximum: int
    default: int
    fps: Annotated[int, Field(ge=1, le=120)]
    from_the_end: bool = False

    @property
    def most_asked(self) -> int:
        """The longest that may be asked for: what is less than a step above the maximum becomes the maximum."""
        return self.maximum + self.step - 1

    def below(self, frames: int) -> int:
        """The step at or below this, whatever the ends are."""
        return (frames - self.offset) // self.step * self.step + self.offset

    def nearest(self, frames: int) -> int:
        """The step next to this, the lower one of two, none above the maximum."""
        lower = self.below(frames)
        is_closer = frames - lower > self.step // 2 and lower + self.step <= self.maximum
        return lower + self.step if is_closer else lower
