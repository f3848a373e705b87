"""Jobs, and the takes and clips that come of them."""

from __future__ import annotations

from typing import Literal

from engine.schema.frozen_model import JobState, Noun, Stage
from engine.schema.plan import Plan


class Job(Noun):
    """One plan on its way to a take or a clip. `take_id` names the approved take of a render."""

    id: str
    stage: Stage
    plan: Plan
    take_id: str | None = None
    state: JobState = "queued"
    created: str = ""
    attempts: int = 0

    @property
    def ended(self) -> bool:
        return self.state in ("finished", "failed", "cancelled")


class Stretch(Noun):
    """One part of an extended clip and the frames it brought. Without an id: a file from elsewhere.

    `colours_moved`: how far red, green and blue (of 255) had moved at its joint, before they were brought back.
    """

    id: str = ""
    frames: int
    model: str = ""
    prompt: str = ""
    seed: int | None = None
    licence: str = ""
    colours_moved: tuple[float, float, float] = (0.0, 0.0, 0.0)


class Recipe(Noun):
    """Everything that made a take or a clip. It lies inside the MP4 and beside it, and names no path and no person.

    `stretches`: the parts of a clip that goes on from another, the first one first; `plan` made the last of them.
    """

    format: Literal[1] = 1
    kind: Stage
    id: str
    take_id: str | None = None
    plan: Plan
    seconds: float
    versions: dict[str, str]
    created: str
    stretches: tuple[Stretch, ...] = ()

    @property
    def rights(self) -> str:
        """Every licence that the video stands under."""
        return "; ".join(dict.fromkeys((*(part.licence for part in self.stretches if part.licence), self.plan.rights)))


class Take(Noun):
    """A preview on disk, with the latents that its render starts from. Paths are absolute."""

    id: str
    recipe: Recipe
    video: str
    poster: str
    latents: str


class Clip(Noun):
    """A finished video on disk."""

    id: str
    recipe: Recipe
    video: str
    poster: str
