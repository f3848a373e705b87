"""What a job will do, whatever its kind, and what earlier ones took."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import SerializeAsAny, TypeAdapter, WrapValidator

from engine.schema.frozen_model import FrozenModel, Verdict
from engine.schema.message import Message
from engine.schema.placement import Placement

Range = tuple[float, float]


class Forecast(FrozenModel):
    """What a plan will need, said before it starts. `basis` says how sure it is, in words.

    `loading_seconds`: until the model is ready, none where it is.
    """

    verdict: Verdict
    vram_gb: float
    ram_gb: float
    disk_gb: float
    download_gb: float
    loading_seconds: Range = (0.0, 0.0)
    basis: Message

    @property
    def measured(self) -> bool:
        """Whether runs of the model on this machine are behind it."""
        return not self.basis.startswith("estimated")


class Stage(FrozenModel):
    """One stage of a plan. `seconds`: how long it is forecast to take, with the model ready; `estimated_seconds`: by
    arithmetic alone, which measured runs are compared to; 0 where nothing is known.

    `operations` are floating-point; `pixels`: of all frames together.
    """

    name: str
    steps: int = 1
    pixels: int = 0
    operations: float = 0.0
    seconds: Range = (0.0, 0.0)
    estimated_seconds: float = 0.0


class Plan(FrozenModel):
    """What a job will do. A kind of work whose plan says more has a class of its own, with a field `form` that tells
    it from the others: `form: Literal["depth"] = "depth"`. Plans without one are of shots.

    `model` may be empty. `adjusted`: what was changed since because memory ran out, oldest first.
    """

    model: str = ""
    placement: Placement
    forecast: Forecast
    reasons: tuple[Message, ...] = ()
    adjusted: tuple[Message, ...] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        field = cls.model_fields.get("form")
        FORMS[field.default if field else SHOT] = cls

    @property
    def title(self) -> str:
        """What a person knows the job by, in a line."""
        raise NotImplementedError

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What is done, in its order; a job does one of them or all."""
        raise NotImplementedError

    def saying(self, *reasons: Message) -> Self:
        """The same with more reasons."""
        return self.but(reasons=(*self.reasons, *reasons))

    @property
    def loads(self) -> str:
        """What a worker loads for it, as text: it is warm for every plan that says the same."""
        return self.model

    @property
    def may_alter(self) -> bool:
        """Whether the person agreed before the start that the result is altered where memory runs out."""
        return False

    @property
    def teaches(self) -> bool:
        """Whether forecasts may learn from how long it takes."""
        return not self.adjusted

    def stage(self, name: str) -> Stage:
        """The stage of this name; of a job that does them all, their sum under its name."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        return _together(name, self.stages)

    def seconds(self, stage: str) -> Range:
        """How long a job of this stage is forecast to take when it is started now."""
        low, high = self.stage(stage).seconds
        least, most = self.forecast.loading_seconds
        return round(low + least, 3), round(high + most, 3)


SHOT = "shot"
FORMS: dict[str, type[Plan]] = {}  # of the plans that are known to this process


def _together(name: str, stages: tuple[Stage, ...]) -> Stage:
    return Stage(
        name=name,
        steps=sum(stage.steps for stage in stages),
        pixels=max((stage.pixels for stage in stages), default=0),
        operations=sum(stage.operations for stage in stages),
        seconds=(sum(stage.seconds[0] for stage in stages), sum(stage.seconds[1] for stage in stages)),
        estimated_seconds=sum(stage.estimated_seconds for stage in stages),
    )


def _of_its_form(value: Any, as_it_is: Callable[[Any], Plan]) -> Plan:
    if isinstance(value, dict):
        return FORMS.get(value.get("form", SHOT), Plan).model_validate(value)
    return as_it_is(value)


AnyPlan = Annotated[SerializeAsAny[Plan], WrapValidator(_of_its_form)]
_any_plan: TypeAdapter[Plan] = TypeAdapter(AnyPlan)


def read_plan(text: str) -> Plan:
    """A plan of any kind that this process knows, from JSON. Raises pydantic.ValidationError."""
    return _any_plan.validate_json(text)


class Run(FrozenModel):
    """One measured run on this machine: what forecasts learn from, and plans where memory ran out (`adjusted`).

    `seconds`: with the model ready; `loading_seconds`: until then, for `loaded_gb` of files. `pixels`: all frames
    together. `forecast_seconds`: the range that was promised for both; `estimated_seconds`: what arithmetic alone said
    of `seconds`. Both are empty in runs of older versions, which no forecast learns from.
    """

    model: str
    stage: str
    device: str
    operations: float
    seconds: float
    ram_gb: float
    loading_seconds: float = 0.0
    loaded_gb: float = 0.0
    pixels: int = 0
    placement: Placement | None = None
    adjusted: bool = False
    vram_gb: float = 0.0
    forecast_seconds: Range | None = None
    estimated_seconds: float = 0.0

    @property
    def slowness(self) -> float:
        """How many times longer it took than arithmetic said."""
        return self.seconds / self.estimated_seconds

    @property
    def kept(self) -> bool:
        """Whether it took as long as was promised."""
        took = self.seconds + self.loading_seconds
        return bool(self.forecast_seconds and self.forecast_seconds[0] <= took <= self.forecast_seconds[1])
