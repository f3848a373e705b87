"""The queue as a face sees it: the jobs, what happened to them, and in which order those that wait will run."""

from __future__ import annotations

from engine.jobs.scheduler import LostLane, lost_lane
from engine.schema import Job, JobState
from engine.schema.events import Event
from engine.storage.job_store import PAUSED, Store


class Queue:
    """The jobs of one data root."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def jobs(self, *states: JobState, limit: int = 200) -> list[Job]:
        """Jobs in these states (all when none is named), newest first."""
        return self._store.jobs(*states, limit=limit)

    def job(self, job_id: str) -> Job:
        """One by its name. Raises UnknownName."""
        return self._store.job(job_id)

    def events(self, job_id: str, after: int = 0) -> list[tuple[int, Event]]:
        """Numbered events of a job, oldest first, only those numbered above `after`."""
        return self._store.events(job_id, after)

    def stop_asked(self, job_id: str) -> bool:
        """Whether a job was asked to stop and has not yet. Raises UnknownName."""
        return self._store.stop_asked(job_id)

    def move(self, job_id: str, earlier: bool) -> None:
        """Swap a job that waits with the one before it, or after it; at the end of the queue, nothing."""
        self._store.move(job_id, earlier)

    def pause(self, paused: bool) -> None:
        """Let queued jobs wait until this is taken back; what runs goes on. It outlives a restart."""
        self._store.set(PAUSED, "yes" if paused else "")

    @property
    def paused(self) -> bool:
        """Whether queued jobs wait."""
        return bool(self._store.setting(PAUSED))

    @property
    def lost(self) -> LostLane | None:
        """The last device worker that ended by itself and was started again."""
        return lost_lane(self._store)
