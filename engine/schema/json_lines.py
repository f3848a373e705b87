"""What crosses the process boundary: one frozen value per JSON line, both ways.

The transport is a pair of text streams, so the same loop can later run behind another pipe on another machine. No
message names a path: worker and engine share model roots and one artifact folder, each by its own name for them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter

from engine.schema import Device, FrozenModel, Held, Job, Shortage, Work
from engine.schema.events import Event


class RunJob(FrozenModel):
    """Do this job, writing into `<artifacts>/<job id>/`, where it finds what its kind put.

    `performer`: the function that does it, as "module:function"; whoever reads `job` has imported that module, which
    brings the class of its plan.
    """

    kind: Literal["run"] = "run"
    performer: str
    job: dict[str, JsonValue]

    @classmethod
    def of(cls, job: Job, performer: str) -> RunJob:
        return cls(performer=performer, job=job.model_dump(mode="json"))


class CancelJob(FrozenModel):
    kind: Literal["cancel"] = "cancel"
    job_id: str


class Ready(FrozenModel):
    """The worker has imported what it needs. `devices`: what torch sees, which NVML cannot say of AMD and Apple."""

    kind: Literal["ready"] = "ready"
    versions: dict[str, str]
    devices: tuple[Device, ...] = ()


class Holds(FrozenModel):
    """What the worker holds of the machine's memory after a job; it comes before the job's last event."""

    kind: Literal["holds"] = "holds"
    held: Held


class JobEvent(FrozenModel):
    kind: Literal["event"] = "event"
    job_id: str
    event: Event


class RanOut(FrozenModel):
    """Memory ran out under a job, which has no final event yet: the engine decides how it goes on."""

    kind: Literal["ran_out"] = "ran_out"
    job_id: str
    what: Shortage
    doing: Work
    detail: str


ToWorker = Annotated[RunJob | CancelJob, Field(discriminator="kind")]
FromWorker = Annotated[Ready | Holds | JobEvent | RanOut, Field(discriminator="kind")]

_to_worker: TypeAdapter[RunJob | CancelJob] = TypeAdapter(ToWorker)
_from_worker: TypeAdapter[Ready | Holds | JobEvent | RanOut] = TypeAdapter(FromWorker)


def line(message: FrozenModel) -> str:
    """One message as one line, newline included."""
    return message.model_dump_json() + "\n"


def read_by_worker(text: str) -> RunJob | CancelJob:
    """Raises pydantic.ValidationError on anything that is not a message."""
    return _to_worker.validate_json(text)


def read_by_engine(text: str) -> Ready | Holds | JobEvent | RanOut:
    """Raises pydantic.ValidationError on anything that is not a message."""
    return _from_worker.validate_json(text)
