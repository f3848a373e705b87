"""Renders: an approved take at full size, the same shot."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

from engine.jobs.kinds import Planning, Rooms, new_job
from engine.jobs.kinds.take import ShotKind
from engine.schema import FrozenModel, Job
from engine.schema.errors import UnknownName
from engine.schema.message import Message
from engine.schema.result import as_request
from engine.storage.library import GIVEN, START, STATE


class RenderRequest(FrozenModel):
    """The take, and where the dial stands (0: close to it, 1: more detail) or the very level to start from; as the take
    was asked for where neither is said."""

    take_id: str
    dial: float | None = None
    sigma: float | None = None


class RenderKind(ShotKind):
    name, stage = "render", "render"
    label, heading = Message("Render"), Message("Rendering")

    def jobs(self, request: Any, asked: Planning) -> list[Job]:
        assert isinstance(request, RenderRequest)
        take = asked.rooms.library.take(request.take_id)
        wanted = as_request(take.recipe)
        if request.dial is not None or request.sigma is not None:
            dial = wanted.dial if request.dial is None else request.dial
            wanted = wanted.but(dial=dial, sigma=request.sigma)
        return [new_job(self, self.stage, asked.plan_shot(wanted), take.id)]

    def again(self, job: Job) -> FrozenModel:
        asked = job.shot.request
        return RenderRequest(take_id=job.take_id or "", dial=asked.dial, sigma=asked.sigma)

    def put(self, job: Job, folder: Path, rooms: Rooms) -> None:
        """The take's latents, and where the render stood before or its take stopped."""
        latents = Path(rooms.library.take(job.take_id or "").latents)
        shutil.copyfile(latents, folder / "take.safetensors")
        begun = latents.with_name(STATE)
        if begun.is_file() and not (folder / STATE).exists():
            shutil.copyfile(begun, folder / STATE)
        super().put(job, folder, rooms)
        if job.shot.request.extends:
            shutil.copyfile(rooms.library.begun(job.shot.request.extends), folder / GIVEN / START)

    def is_complete(self, job: Job, rooms: Rooms) -> bool:
        made = rooms.library.workspace(job.id) / "clip.json"
        return made.is_file() or rooms.library.clip_file(job.id, "json").is_file()

    def adopt(self, job: Job, rooms: Rooms) -> None:
        rooms.library.adopt_clip(job.id)

    def is_there(self, job: Job, rooms: Rooms) -> bool:
        with contextlib.suppress(UnknownName):
            return bool(rooms.library.clip(job.id))
        return False


kind = RenderKind()
