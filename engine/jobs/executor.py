"""What runs jobs on one device. Today that is a child process (`local_worker`); another machine is another class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from engine.schema import Held, Job
from engine.schema.events import Event
from engine.schema.json_lines import RanOut


class Executor(Protocol):
    """Runs one job at a time. Its artifacts lie in the job's workspace (`Library.workspace`) when the job ends."""

    @property
    def held(self) -> Held | None:
        """What it holds of the device's memory between two jobs."""
        ...

    def start(self) -> None:
        """Be ready for a job soon; nobody waits for that. Raises WorkerDied once it is closed."""
        ...

    def perform(self, job: Job) -> Iterator[Event | RanOut | None]:
        """The events of a job as they come, up to its final one or RanOut; None now and then while nothing is new.

        Raises WorkerDied.
        """
        ...

    def cancel(self, job_id: str) -> None:
        """Have the job end as Cancelled, soon, whatever it does."""
        ...

    def stop(self) -> None:
        """Let go of everything; the next job starts it again."""
        ...

    def close(self) -> None:
        """Stop, for good."""
        ...
