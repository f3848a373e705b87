"""Kinds of work. Each is one module here, named like the kind, with an object `kind`; what it computes is a function in
`engine.worker.kinds`. A new kind is these two modules: nothing else has a list of them.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Protocol

from engine.durable_files import moved, onto_the_disk
from engine.paths import Places
from engine.planning.memory_fallback import FallbackStep
from engine.schema import FrozenModel, HardwareProfile, Job, Plan, Request, Shortage, ShotPlan, Work
from engine.schema.errors import UnknownName
from engine.schema.message import Message
from engine.storage.job_store import OTHER_VERSION, Store, now
from engine.storage.library import Library
from engine.storage.lora_library import Loras
from engine.storage.slug import slug

DONE = "done.json"  # what a worker writes last, where a kind does not say otherwise


@dataclass(frozen=True)
class Rooms:
    """What of a data folder a kind may use."""

    places: Places
    store: Store
    library: Library
    loras: Loras

    @classmethod
    def of(cls, places: Places, store: Store) -> Rooms:
        return cls(places, store, Library(places), Loras(places.loras, store))


class Planning(Protocol):
    """What a kind may ask when it makes jobs of a request; the engine is one."""

    @property
    def rooms(self) -> Rooms: ...

    def hardware(self) -> HardwareProfile: ...

    def plan(self, request: Request, machine: HardwareProfile | None = None, takes: int = 1) -> ShotPlan: ...

    def plan_shot(self, request: Request) -> ShotPlan:
        """The plan of what the request's own model does, whoever draws its takes."""
        ...


class Kind:
    """One kind of work. `performer`: the function that a worker calls, as "module:function"; it takes the worker's
    `JobRunner`, the job, and the `StepReporter`, and answers what it finished. `label`: what a person calls such a job;
    `heading`: what is said while it runs. `name` is also that of its command, its API function and its MCP tool.

    Here is what most kinds do: results are folders of `made/<kind>/` that appear whole, complete when DONE is in them.
    """

    name: str
    performer: str
    label: Message
    heading: Message
    request: type[FrozenModel] | None = None
    """What it is asked for with, where programs may: its docstring and fields are those of the API function and of the
    MCP tool. No field may be a path: whoever calls would choose among the files of this computer."""

    def jobs(self, request: Any, asked: Planning) -> list[Job]:
        """The jobs that a request becomes, each with its whole plan. Raises BadInput; changes nothing but what it
        keeps of the request's pictures and videos."""
        raise NotImplementedError

    def again(self, job: Job) -> FrozenModel:
        """The request that asks for the same once more."""
        raise NotImplementedError

    def libraries(self, plan: Plan) -> frozenset[str]:
        """The large libraries that the worker needs beside those of every job: "peft", "bitsandbytes"."""
        return frozenset(["bitsandbytes"] if plan.placement.bits else [])

    def files(self, plan: Plan, places: Places) -> Iterable[Path]:
        """Kept pictures and videos that the job needs, so that none is swept."""
        return ()

    def put(self, job: Job, folder: Path, rooms: Rooms) -> None:
        """Bring what the worker needs into the job's folder, and into GIVEN there. Raises OSError, BadFile."""

    def is_complete(self, job: Job, rooms: Rooms) -> bool:
        """Whether the worker finished writing the result; it may be in its place already, in part."""
        return any((folder / DONE).is_file() for folder in (rooms.library.workspace(job.id), self.result(job, rooms)))

    def adopt(self, job: Job, rooms: Rooms) -> None:
        """Bring a finished result to its place, or go on with that where it was cut off. All of it is on the disk when
        this returns. Raises OSError."""
        made, there = rooms.library.workspace(job.id), self.result(job, rooms)
        if not (there / DONE).is_file():
            there.parent.mkdir(parents=True, exist_ok=True)
            for path in (*made.iterdir(), made):
                onto_the_disk(path)
            moved(made, there)
        onto_the_disk(there.parent)
        shutil.rmtree(made, ignore_errors=True)

    def result(self, job: Job, rooms: Rooms) -> Path:
        """Where its result lies."""
        return rooms.places.home / "made" / self.name / job.id

    def is_there(self, job: Job, rooms: Rooms) -> bool:
        """Whether the result of a finished job is still where it was put."""
        return self.result(job, rooms).is_dir()

    def step_down(self, job: Job, shortage: tuple[Shortage, Work], rooms: Rooms) -> FallbackStep | None:
        """What to try when memory ran out; None where nothing is left."""
        return None


def draw_seed() -> int:
    """A seed short enough to read aloud."""
    return secrets.randbelow(1_000_000_000)


def new_job(kind: Kind, stage: str, plan: Plan, take_id: str | None = None) -> Job:
    return Job(id=job_name(plan.title), kind=kind.name, stage=stage, plan=plan, take_id=take_id, created=now())


def job_name(title: str) -> str:
    """A readable name that is safe on every disk: when, the first words, and six letters against collisions (all takes
    of a contact sheet are named in one second)."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{slug(title) or 'untitled'}-{secrets.token_hex(3)}"


def kind_of(name: str) -> Kind:
    """Raises UnknownName."""
    if name not in _kinds:
        module = f"{__name__}.{name}"
        if not name.isidentifier() or find_spec(module) is None:
            raise UnknownName(OTHER_VERSION.cause, OTHER_VERSION.remedy)
        register(import_module(module).kind)
    return _kinds[name]


def all_kinds() -> list[Kind]:
    """Every kind by its name: those of this folder, and those that were registered."""
    for module in iter_modules(__path__):
        kind_of(module.name)
    return sorted(_kinds.values(), key=lambda kind: kind.name)


def register(kind: Kind) -> None:
    """Make a kind known that lies elsewhere."""
    _kinds[kind.name] = kind


_kinds: dict[str, Kind] = {}
