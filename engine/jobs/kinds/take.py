"""Takes: cheap previews of a shot, each of which can become its render."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.jobs.kinds import Kind, Planning, Rooms, new_job
from engine.media import images
from engine.paths import Places
from engine.planning import memory_fallback
from engine.planning.constraints import MAX_SEED
from engine.planning.memory_fallback import FallbackStep
from engine.schema import FrozenModel, Job, Plan, Request, Shortage, ShotPlan, ShotStage, Work
from engine.schema.errors import BadSetting, UnknownName
from engine.schema.message import Message
from engine.storage.catalog import Catalog
from engine.storage.library import GIVEN
from engine.weights.external import borrowed_by, with_borrowed

MAX_TAKES = 12  # one contact sheet


class TakeRequest(FrozenModel):
    """`count` takes of a shot: the first with the request's seed, the next ones with the seeds that follow."""

    request: Request
    count: int = 1


def check_count(count: int) -> None:
    if not 1 <= count <= MAX_TAKES:
        raise BadSetting(
            Message("{count} takes at once are not possible.", count=count),
            Message("Ask for 1 to {max_takes}.", max_takes=MAX_TAKES),
        )


def seeds_from(first: int, count: int) -> list[int]:
    return [(first + offset) % (MAX_SEED + 1) for offset in range(count)]


class ShotKind(Kind):
    """What takes and renders have in common."""

    stage: ShotStage
    performer = "engine.worker.kinds.shot:perform"

    def libraries(self, plan: Plan) -> frozenset[str]:
        assert isinstance(plan, ShotPlan)
        return super().libraries(plan) | (frozenset(["peft"]) if plan.loras else frozenset())

    def files(self, plan: Plan, places: Places) -> list[Path]:
        assert isinstance(plan, ShotPlan)
        return images.files_of(plan.request, places.media)

    def put(self, job: Job, folder: Path, rooms: Rooms) -> None:
        for kept in self.files(job.plan, rooms.places):
            shutil.copyfile(kept, folder / GIVEN / kept.name)
        rooms.loras.stage(job.shot, folder / GIVEN)

    def step_down(self, job: Job, shortage: tuple[Shortage, Work], rooms: Rooms) -> FallbackStep | None:
        card = Catalog(*rooms.places.cards).card(job.plan.model)
        card = with_borrowed(card, borrowed_by(card, rooms.places))
        return memory_fallback.next_step(job.shot, self.stage, shortage, card)


class TakeKind(ShotKind):
    name, stage = "take", "take"
    label, heading = Message("Take"), Message("Drawing a take")

    def jobs(self, request: Any, asked: Planning) -> list[Job]:
        assert isinstance(request, TakeRequest)
        check_count(request.count)
        first = asked.plan(request.request, takes=request.count)
        seeds = seeds_from(first.seed, request.count)
        return self.queued(first, [request.request.but(seed=seed) for seed in seeds[1:]], asked)

    def queued(self, first: ShotPlan, others: Sequence[Request], asked: Planning) -> list[Job]:
        """A contact sheet: one take that is planned already, and others, which find the model warm."""
        plans = [first, *(asked.plan(other, takes=len(others) + 1).when_warm for other in others)]
        return [new_job(self, self.stage, plan) for plan in plans]

    def again(self, job: Job) -> FrozenModel:
        return TakeRequest(request=job.shot.request)

    def is_complete(self, job: Job, rooms: Rooms) -> bool:
        made = rooms.library.workspace(job.id) / "take.json"
        return made.is_file() or (rooms.places.takes / job.id / made.name).is_file()

    def adopt(self, job: Job, rooms: Rooms) -> None:
        rooms.library.adopt_take(job.id, keep_state=job.shot.take.stops_after is not None)

    def is_there(self, job: Job, rooms: Rooms) -> bool:
        with contextlib.suppress(UnknownName):
            return bool(rooms.library.exact_take(job.id))
        return False


kind = TakeKind()
