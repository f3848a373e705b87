"""Jobs, their events, measured runs and settings, in one SQLite file that survives a kill at any moment.

Several processes may open it: the one that owns the data root runs the jobs, the others add jobs and read events.
Write-ahead log with full sync, so what was committed is still there after a power cut.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from engine.ballast import make_room
from engine.errors import MachineProblem, UnknownName, disk_full
from engine.events import Event, Failed, FinalEvent, Finished, Progress
from engine.types import Job, JobState, Plan, Run

SCHEMA_VERSION = 1
SCHEMA = """
create table if not exists jobs (
    position integer primary key autoincrement, id text unique not null, stage text not null, device text not null,
    plan text not null, take_id text, state text not null, created text not null, attempts integer not null default 0,
    stop_asked integer not null default 0);
create index if not exists jobs_by_state on jobs (state, device, position);
create table if not exists events (
    number integer primary key autoincrement, job_id text not null, body text not null);
create index if not exists events_by_job on events (job_id, number);
create table if not exists runs (number integer primary key autoincrement, model text not null, body text not null);
create table if not exists settings (name text primary key, value text not null);
"""
PAUSED = "queue_paused"  # the setting that keeps queued jobs waiting while it is not empty
OTHER_VERSION = Failed(cause="This job was written by another version of Rushes.", remedy="Ask for it again.")
_event: TypeAdapter[Event] = TypeAdapter(Event)


class Store:
    """Thread-safe. `changed` is notified on every write of this process; other processes poll."""

    def __init__(self, path: Path) -> None:
        self.changed = threading.Condition()
        self._lock = threading.Lock()
        self._path, self._ballast = path, path.with_suffix(".ballast")
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, timeout=10, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            version = self._db.execute("pragma user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise MachineProblem(
                    "The data folder was written by a newer Rushes.", "Update Rushes, or choose another data folder."
                )
            self._db.executescript(SCHEMA + f"pragma user_version = {SCHEMA_VERSION};")
        except sqlite3.Error as error:
            raise _problem(error, path) from error

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # ---- jobs ----

    def add_jobs(self, jobs: Iterable[Job]) -> None:
        """All of them or none."""
        with self._writing() as db:
            for job in jobs:
                device, plan = job.plan.placement.device, job.plan.model_dump_json()
                db.execute(
                    "insert into jobs (id, stage, device, plan, take_id, state, created) values (?, ?, ?, ?, ?, ?, ?)",
                    (job.id, job.stage, device, plan, job.take_id, "queued", job.created),
                )

    def claim(self, device: str) -> Job | None:
        """The next queued job of this device, now running; None when there is none, or the queue is paused."""
        with self._writing() as db:
            row = db.execute(
                "update jobs set state = 'running', attempts = attempts + 1 where position = (select position from jobs"
                " where state = 'queued' and device = ? order by position limit 1)"
                " and not exists (select 1 from settings where name = ? and value != '') returning *",
                (device, PAUSED),
            ).fetchone()
        job = _job(row) if row else None
        if row and not job:
            self.finish(row["id"], OTHER_VERSION)
            return self.claim(device)
        return job

    def requeue(self, job_id: str, forget_attempt: bool = False) -> None:
        """Back to the queue, at its old place; an orderly shutdown does not count as an attempt."""
        with self._writing() as db:
            db.execute(
                "update jobs set state = 'queued', attempts = attempts - ? where id = ?", (int(forget_attempt), job_id)
            )

    def move(self, job_id: str, earlier: bool) -> None:
        """Swap a queued job with the one that waits before it, or after it; at the end of the queue, nothing."""
        self._one("select id from jobs where id = ?", job_id)
        order, side = ("desc", "<") if earlier else ("asc", ">")
        with self._writing() as db:
            row = db.execute(
                "select me.position as mine, other.position as theirs from jobs me join jobs other"
                f" on other.state = 'queued' and other.position {side} me.position"
                f" where me.id = ? and me.state = 'queued' order by other.position {order} limit 1",
                (job_id,),
            ).fetchone()
            if row:  # by way of a place that nobody has: positions are unique
                for there, here in ((0, row["mine"]), (row["mine"], row["theirs"]), (row["theirs"], 0)):
                    db.execute("update jobs set position = ? where position = ?", (there, here))

    def finish(self, job_id: str, event: FinalEvent) -> None:
        """The end of a job: its state and its last event in one transaction. Progress is forgotten."""
        state: JobState = "cancelled"
        if isinstance(event, Finished):
            state = "finished"
        elif isinstance(event, Failed):
            state = "failed"
        with self._writing() as db:
            db.execute("update jobs set state = ? where id = ?", (state, job_id))
            db.execute('delete from events where job_id = ? and body like \'{"kind":"progress"%\'', (job_id,))
            db.execute("insert into events (job_id, body) values (?, ?)", (job_id, event.model_dump_json()))

    def ask_to_stop(self, job_id: str) -> bool:
        """Mark a job as to be stopped; True when it was only queued and is therefore over already."""
        with self._writing() as db:
            db.execute("update jobs set stop_asked = 1 where id = ? and state in ('queued', 'running')", (job_id,))
            row = db.execute(
                "update jobs set state = 'cancelled' where id = ? and state = 'queued' returning id", (job_id,)
            ).fetchone()
        return row is not None

    def stop_asked(self, job_id: str) -> bool:
        return bool(self._one("select stop_asked from jobs where id = ?", job_id)[0])

    def job(self, job_id: str) -> Job:
        """Raises UnknownName when there is none, or none that this version can read."""
        job = _job(self._one("select * from jobs where id = ?", job_id))
        if job is None:
            raise UnknownName(OTHER_VERSION.cause, OTHER_VERSION.remedy)
        return job

    def jobs(self, *states: JobState, limit: int = 200) -> list[Job]:
        """Jobs in these states (all when none is named), newest first."""
        marks = ",".join("?" * len(states))
        where = f"where state in ({marks})" if states else ""
        with self._reading() as db:
            rows = db.execute(f"select * from jobs {where} order by position desc limit ?", (*states, limit))
            found = [_job(row) for row in rows.fetchall()]
        return [job for job in found if job]

    # ---- events ----

    def add_event(self, job_id: str, event: Event) -> None:
        with self._writing() as db:
            if isinstance(event, Progress):  # only the latest one is of any use
                db.execute('delete from events where job_id = ? and body like \'{"kind":"progress"%\'', (job_id,))
            db.execute("insert into events (job_id, body) values (?, ?)", (job_id, event.model_dump_json()))

    def events(self, job_id: str, after: int = 0) -> list[tuple[int, Event]]:
        """Numbered events of a job, oldest first, only those numbered above `after`."""
        with self._reading() as db:
            rows = db.execute(
                "select number, body from events where job_id = ? and number > ? order by number", (job_id, after)
            ).fetchall()
        return [(row["number"], _event.validate_json(row["body"])) for row in rows]

    # ---- what was measured, what was set ----

    def add_run(self, run: Run) -> None:
        with self._writing() as db:
            db.execute("insert into runs (model, body) values (?, ?)", (run.model, run.model_dump_json()))

    def runs(self, model: str, limit: int = 100) -> list[Run]:
        """Measured runs of one model on this machine, oldest first, the newest `limit` of them."""
        with self._reading() as db:
            rows = db.execute("select body from runs where model = ? order by number desc limit ?", (model, limit))
            return [Run.model_validate_json(row["body"]) for row in reversed(rows.fetchall())]

    def setting(self, name: str, default: str = "") -> str:
        with self._reading() as db:
            row = db.execute("select value from settings where name = ?", (name,)).fetchone()
        return str(row["value"]) if row else default

    def set(self, name: str, value: str) -> None:
        with self._writing() as db:
            db.execute("insert or replace into settings (name, value) values (?, ?)", (name, value))

    # ---- the connection ----

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; a kill inside it leaves no trace."""
        try:
            with self._lock:
                make_room(self._path.parent, self._ballast)
                self._db.execute("begin immediate")
                try:
                    yield self._db
                    self._db.execute("commit")
                except BaseException:
                    if self._db.in_transaction:
                        self._db.execute("rollback")
                    raise
        except sqlite3.Error as error:
            raise _problem(error, self._path) from error
        with self.changed:
            self.changed.notify_all()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                yield self._db
        except sqlite3.Error as error:
            raise _problem(error, self._path) from error

    def _one(self, query: str, job_id: str) -> Any:
        with self._reading() as db:
            row = db.execute(query, (job_id,)).fetchone()
        if row is None:
            raise UnknownName(f"There is no job called '{job_id[:60]}'.", "Look at the library for what there is.")
        return row


def now() -> str:
    """The time now, UTC, to the second, as every record writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _job(row: sqlite3.Row) -> Job | None:
    """None when its plan was written by a version that planned otherwise."""
    try:
        plan = Plan.model_validate_json(row["plan"])
    except ValidationError:
        return None
    return Job(
        id=row["id"],
        stage=row["stage"],
        plan=plan,
        take_id=row["take_id"],
        state=row["state"],
        created=row["created"],
        attempts=row["attempts"],
    )


def _problem(error: sqlite3.Error, path: Path) -> MachineProblem:
    if "full" in str(error):
        return disk_full(OSError(str(error)))
    return MachineProblem(
        f"The job list {path.name} cannot be used ({error}).",
        "Check that the data folder is writable and not on a network drive; if it is damaged, move that file away.",
    )
