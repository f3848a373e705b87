"""What is going on, read afresh from the engine each time: the page itself remembers nothing.

So a refresh, a second tab and a page opened after a restart all show the same: the running job, what waits, the takes
of the current shot, and the newest render.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeGuard

from engine import (
    Adjusted,
    Cancelled,
    Download,
    Engine,
    Event,
    Failed,
    Finished,
    Job,
    LostLane,
    Move,
    NeedsConsent,
    Noticed,
    Peek,
    Progress,
    Request,
)

SHEET_SIZE = 12  # the takes one contact sheet shows
LOOK_BACK = 80  # jobs
LATELY = 20  # what has ended, on the screen of the queue


@dataclass(frozen=True)
class Seen:
    """A job and the newest thing known about it: its progress, or how it ended; what was changed on the way, and why it
    was slow. `peek`: the file that shows the clip so far."""

    job: Job
    event: Progress | NeedsConsent | Finished | Failed | Cancelled | None
    stopping: bool = False
    adjusted: tuple[Adjusted, ...] = ()
    noticed: tuple[Noticed, ...] = ()
    peek: str = ""


@dataclass(frozen=True)
class View:
    """One look at the engine. `sheet` is the current shot's takes, oldest first; `renders` the newest of each take.

    `newest` is the last render of this shot; `earlier` the last clip of any other one.
    """

    running: tuple[Seen, ...]
    waiting: tuple[Job, ...]
    sheet: tuple[Seen, ...]
    renders: dict[str, Seen]
    newest: Seen | None
    last_finished: str
    ended: tuple[Seen, ...] = ()
    paused: bool = False
    lost: LostLane | None = None
    downloads: tuple[Download, ...] = ()
    move: Move | None = None
    earlier: Seen | None = None

    @property
    def busy(self) -> bool:
        """Whether something changes by itself."""
        arriving = any(download.state in ("queued", "running") for download in self.downloads)
        at_work = any(seen.job.state == "running" for seen in self.running)  # and not waiting for an answer
        moving = self.move is not None and not self.move.ended
        return at_work or arriving or moving or bool(self.waiting and not self.paused)

    @property
    def changes(self) -> str:
        """Another text as soon as there is something new in the library or among the models."""
        moved = f"{self.move.folder} {self.move.ended}" if self.move else ""
        return ",".join([self.last_finished, moved, *(f"{one.model} {one.state}" for one in self.downloads)])

    @property
    def has_takes(self) -> bool:
        return any(seen.job.state == "finished" for seen in self.sheet)


def look(engine: Engine) -> View:
    """Read the store once. A result whose files somebody deleted is not shown."""
    waiting = engine.queue.jobs("queued")[::-1]
    running = [
        replace(_seen(engine, job), stopping=engine.queue.stop_asked(job.id), peek=_peek(engine, job))
        for job in engine.queue.jobs("running", "asking")[::-1]
    ]
    recent = engine.queue.jobs(limit=LOOK_BACK)
    takes = _current_shot([job for job in recent if job.stage == "take"])
    since = recent.index(takes[-1]) if takes else len(recent)
    renders: dict[str, Seen] = {}
    for job in recent[:since]:
        if job.stage == "render" and job.take_id and job.take_id not in renders and _exists(engine, job):
            renders[job.take_id] = _seen(engine, job)
    ended = [seen for seen in renders.values() if isinstance(seen.event, Finished | Failed)]
    return View(
        running=tuple(running),
        waiting=tuple(waiting),
        sheet=tuple(_seen(engine, job) for job in reversed(takes) if _exists(engine, job)),
        renders=renders,
        newest=ended[0] if ended else None,
        earlier=_earlier(engine, recent, renders),
        last_finished=next((job.id for job in recent if job.state == "finished"), ""),
        ended=tuple(_seen(engine, job) for job in [job for job in recent if job.ended][:LATELY]),
        paused=engine.queue.paused,
        lost=engine.queue.lost,
        downloads=tuple(engine.downloads.queue()),
        move=engine.location.last,
    )


def _earlier(engine: Engine, recent: list[Job], renders: dict[str, Seen]) -> Seen | None:
    """The last clip that is not of the current shot."""
    clips = (job for job in recent if job.stage == "render" and job.state == "finished" and job.take_id not in renders)
    found = next((job for job in clips if _exists(engine, job)), None)
    return _seen(engine, found) if found else None


def _current_shot(takes: list[Job]) -> list[Job]:
    """The newest takes that ask for the same thing and differ in their seed only; `takes` are newest first."""
    same: list[Job] = []
    for job in takes[:SHEET_SIZE]:
        if same and _shot(job) != _shot(same[0]):
            break
        same.append(job)
    return same


def _shot(job: Job) -> Request:
    return job.shot.request.but(seed=None, dial=0.5, sigma=None)


def _seen(engine: Engine, job: Job) -> Seen:
    events = [event for _, event in engine.queue.events(job.id)]
    adjusted = tuple(event for event in events if isinstance(event, Adjusted))
    begun_again = bool(events) and isinstance(events[-1], Adjusted)  # how far it was before says nothing now
    newest = None if begun_again else next((event for event in reversed(events) if _tells(event)), None)
    noticed = tuple(event for event in events if isinstance(event, Noticed))
    return Seen(job, newest, adjusted=adjusted, noticed=noticed)


def _peek(engine: Engine, job: Job) -> str:
    """The newest look at a running clip that is still there."""
    names = [event.file for _, event in engine.queue.events(job.id) if isinstance(event, Peek)]
    path = engine.library.peek(job.id, names[-1]) if names else None
    return path.name if path and path.is_file() else ""


def _tells(event: Event) -> TypeGuard[Progress | NeedsConsent | Finished | Failed | Cancelled]:
    return isinstance(event, Progress | NeedsConsent | Finished | Failed | Cancelled)


def _exists(engine: Engine, job: Job) -> bool:
    return job.state != "finished" or engine.is_there(job)
