"""What happens to a job on its way: a union of frozen values, consumed with `match`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.schema import AnyPlan, FrozenModel, Phase
from engine.schema.message import Message


class Progress(FrozenModel):
    kind: Literal["progress"] = "progress"
    phase: Phase
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None


class Peek(FrozenModel):
    """A first look at the clip while it is being made; `file` lies in the job's artifact folder."""

    kind: Literal["peek"] = "peek"
    file: str


class Adjusted(FrozenModel):
    kind: Literal["adjusted"] = "adjusted"
    change: Message
    reason: Message


class Noticed(FrozenModel):
    """Why it was slower than it could be, and what helps."""

    kind: Literal["noticed"] = "noticed"
    cause: Message
    remedy: Message


class NeedsConsent(FrozenModel):
    """The job waits for `Engine.answer`. `plan`: what runs after a yes."""

    kind: Literal["needs_consent"] = "needs_consent"
    question: Message
    plan: AnyPlan


class Finished(FrozenModel):
    """`result_id` is the id of the take or clip; `seconds` is what the person waited for the worker.

    `resumed`: it went on from where an earlier attempt was cut off.
    `loading_seconds`: what of these brought the model from the disk, `loaded_gb` of its files. `ram_gb` and `vram_gb`:
    the most memory that the job held at any moment.
    """

    kind: Literal["finished"] = "finished"
    result_id: str
    seconds: float
    encode_seconds: float = 0.0
    loading_seconds: float = 0.0
    loaded_gb: float = 0.0
    ram_gb: float = 0.0
    vram_gb: float = 0.0
    versions: dict[str, str] = {}
    resumed: bool = False


class Failed(FrozenModel):
    kind: Literal["failed"] = "failed"
    cause: Message
    remedy: Message
    detail: str = ""


class Cancelled(FrozenModel):
    kind: Literal["cancelled"] = "cancelled"


FinalEvent = Finished | Failed | Cancelled
Event = Annotated[Progress | Peek | Adjusted | Noticed | NeedsConsent | FinalEvent, Field(discriminator="kind")]
