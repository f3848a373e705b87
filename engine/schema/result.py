"""Jobs, and the takes and clips that come of them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from engine.schema.frozen_model import FrozenModel, JobState, ShotStage
from engine.schema.plan import AnyPlan
from engine.schema.request import Overrides, Request, Wording
from engine.schema.shot import ShotPlan


class Job(FrozenModel):
    """One plan on its way to its result. `kind`: the module of `engine.jobs.kinds` that knows this work; `stage`: which
    stage of the plan it is, or the kind's own name where it does them all. `take_id` names the approved take of a
    render.
    """

    id: str
    kind: str = ""
    stage: str
    plan: AnyPlan
    take_id: str | None = None
    state: JobState = "queued"
    created: str = ""
    attempts: int = 0

    @model_validator(mode="before")
    @classmethod
    def _of_one_stage(cls, told: Any) -> Any:
        """A kind that has one stage is called as it is."""
        return {"kind": told["stage"]} | told if isinstance(told, dict) and "stage" in told else told

    @model_validator(mode="after")
    def _has_its_stage(self) -> Job:
        if self.stage != self.kind and self.stage not in [stage.name for stage in self.plan.stages]:
            raise ValueError(f"no plan has a stage called {self.stage}")
        return self

    @property
    def shot(self) -> ShotPlan:
        """The plan of a job that makes a take or a clip."""
        assert isinstance(self.plan, ShotPlan)
        return self.plan

    @property
    def ended(self) -> bool:
        return self.state in ("finished", "failed", "cancelled")


class Stretch(FrozenModel):
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


class Recipe(FrozenModel):
    """Everything that made a take or a clip. It lies inside the MP4 and beside it, and names no path and no person.

    `stretches`: the parts of a clip that goes on from another, the first one first; `plan` made the last of them.
    """

    format: Literal[1] = 1
    kind: ShotStage
    id: str
    take_id: str | None = None
    plan: ShotPlan
    seconds: float
    versions: dict[str, str]
    created: str
    stretches: tuple[Stretch, ...] = ()

    @property
    def rights(self) -> str:
        """Every licence that the video stands under."""
        return "; ".join(dict.fromkeys((*(part.licence for part in self.stretches if part.licence), self.plan.rights)))


class Take(FrozenModel):
    """A preview on disk, with the latents that its render starts from. Paths are absolute. `favourite`: the person
    marked it, which no recipe says."""

    id: str
    recipe: Recipe
    video: str
    poster: str
    latents: str
    favourite: bool = False


class Clip(FrozenModel):
    """A finished video on disk."""

    id: str
    recipe: Recipe
    video: str
    poster: str
    favourite: bool = False


class Thrown(FrozenModel):
    """A take or clip in the trash. `deleted`: when it was thrown away; no recipe where that is damaged."""

    kind: Literal["take", "clip"]
    id: str
    bytes: int
    deleted: str
    recipe: Recipe | None = None


def as_request(recipe: Recipe) -> Request:
    """The request that repeats a recipe exactly: every resolved number and the final words are asked for by name."""
    plan = recipe.plan
    take, render = (
        Overrides(**run.model_dump(include=set(Overrides.model_fields))) for run in (plan.take, plan.render)
    )
    return plan.request.but(
        seed=plan.seed,
        num_frames=plan.take.num_frames,
        seconds=None,
        sigma=plan.sigma,
        device=None,
        wording=Wording(prompt=plan.told, negative_prompt=plan.negative_prompt),
        take=take,
        render=render,
    )
