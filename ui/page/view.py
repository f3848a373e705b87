"""What is going on, read afresh from the engine each time: the page itself remembers nothing.

So a refresh, a second tab and a page opened after a restart all show the same: the running job, what waits, the takes
of the current shot, and the newest render.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine import Cancelled, Engine, Event, Failed, Finished, Job, NeedsConsent, Progress, Request, RushesError

SHEET_SIZE = 12  # the takes one contact sheet shows
LOOK_BACK = 80  # jobs


@dataclass(frozen=True)
class Seen:
    """A job and the newest thing known about it: its progress, or how it ended."""

    job: Job
    event: Progress | NeedsConsent | Finished | Failed | Cancelled | None
    stopping: bool = False


@dataclass(frozen=True)
class View:
    """One look at the engine. `sheet` is the current shot's takes, oldest first; `renders` the newest of each take."""

    running: tuple[Seen, ...]
    waiting: tuple[Job, ...]
    sheet: tuple[Seen, ...]
    renders: dict[str, Seen]
    newest: Seen | None
    last_finished: str

    @property
    def busy(self) -> bool:
        return bool(self.running or self.waiting)

    @property
    def has_takes(self) -> bool:
        return any(seen.job.state == "finished" for seen in self.sheet)


def look(engine: Engine) -> View:
    """Read the store once. A result whose files somebody deleted is not shown."""
    waiting = engine.store.jobs("queued")[::-1]
    running = [
        replace(_seen(engine, job), stopping=engine.store.stop_asked(job.id))
        for job in engine.store.jobs("running", "asking")[::-1]
    ]
    recent = engine.store.jobs(limit=LOOK_BACK)
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
        last_finished=next((job.id for job in recent if job.state == "finished"), ""),
    )


def _current_shot(takes: list[Job]) -> list[Job]:
    """The newest takes that ask for the same thing and differ in their seed only; `takes` are newest first."""
    same: list[Job] = []
    for job in takes[:SHEET_SIZE]:
        if same and _shot(job) != _shot(same[0]):
            break
        same.append(job)
    return same


def _shot(job: Job) -> Request:
    return job.plan.request.model_copy(update={"seed": None, "dial": 0.5, "sigma": None})


def _seen(engine: Engine, job: Job) -> Seen:
    event: Event | None = next((event for _, event in reversed(engine.store.events(job.id)) if _tells(event)), None)
    assert event is None or isinstance(event, Progress | NeedsConsent | Finished | Failed | Cancelled)
    return Seen(job, event)


def _tells(event: Event) -> bool:
    return isinstance(event, Progress | NeedsConsent | Finished | Failed | Cancelled)


def _exists(engine: Engine, job: Job) -> bool:
    if job.state != "finished":
        return True
    try:
        _ = engine.library.take(job.id) if job.stage == "take" else engine.library.clip(job.id)
    except RushesError:
        return False
    return True
