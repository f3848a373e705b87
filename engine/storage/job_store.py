"""Jobs, their events, measured runs and settings, in one SQLite file that survives a kill at any moment.

Several processes may open it: the one that owns the data root runs the jobs, the others add jobs and read events.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from engine.schema import Job, JobState, Plan, Run, read_plan
from engine.schema.errors import MachineProblem, UnknownName
from engine.schema.events import Adjusted, Cancelled, Event, Failed, FinalEvent, Finished, NeedsConsent, Progress
from engine.schema.message import Message
from engine.storage.database import Database

MIGRATIONS = (
    """
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
""",
    # what kind of work a job is; until then each was called as its stage
    "alter table jobs add column kind text not null default ''; update jobs set kind = stage;",
)
PAUSED = "queue_paused"  # the setting that keeps queued jobs waiting while it is not empty
OTHER_VERSION = Failed(
    cause=Message("This job was written by another version of Rushes."), remedy=Message("Ask for it again.")
)
Kind = TypeVar("Kind")
_event: TypeAdapter[Event] = TypeAdapter(Event)
_measured: TypeAdapter[Run] = TypeAdapter(Run)
TEXTS: TypeAdapter[list[str]] = TypeAdapter(list[str])  # of a setting that names folders


class Store(Database):
    """Jobs in their order, what happened to them, and what was learned."""

    reserves = True

    def __init__(self, path: Path) -> None:
        super().__init__(path, MIGRATIONS)

    def _unusable(self, error: sqlite3.Error) -> MachineProblem:
        return MachineProblem(
            Message("The job list {file} cannot be used ({error}).", file=self._path.name, error=error),
            Message(
                "Check that the data folder is writable and not on a network drive; if it is damaged, move that "
                "file away."
            ),
        )

    # ---- jobs ----

    def add_jobs(self, jobs: Iterable[Job]) -> None:
        """All of them or none."""
        with self._writing() as db:
            for job in jobs:
                device, plan = job.plan.placement.device, job.plan.model_dump_json()
                db.execute(
                    "insert into jobs (id, kind, stage, device, plan, take_id, state, created)"
                    " values (?, ?, ?, ?, ?, ?, ?, ?)",
                    (job.id, job.kind, job.stage, device, plan, job.take_id, "queued", job.created),
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
        """Mark a job as to be stopped; True when it only waited and is therefore over already."""
        with self._writing() as db:
            db.execute(
                "update jobs set stop_asked = 1 where id = ? and state in ('queued', 'running', 'asking')", (job_id,)
            )
            row = db.execute(
                "update jobs set state = 'cancelled' where id = ? and state in ('queued', 'asking') returning id",
                (job_id,),
            ).fetchone()
            if row is not None:
                db.execute("insert into events (job_id, body) values (?, ?)", (job_id, Cancelled().model_dump_json()))
        return row is not None

    def stop_asked(self, job_id: str) -> bool:
        return bool(self._one("select stop_asked from jobs where id = ?", job_id)[0])

    def adjust(self, job_id: str, plan: Plan, event: Adjusted) -> None:
        """A running job goes on by another plan, which a restart finds too."""
        with self._writing() as db:
            db.execute("update jobs set plan = ? where id = ?", (plan.model_dump_json(), job_id))
            db.execute("insert into events (job_id, body) values (?, ?)", (job_id, event.model_dump_json()))

    def ask(self, job_id: str, question: NeedsConsent) -> bool:
        """A running job waits for the person's answer, and the ones behind it do not. False when it was stopped."""
        return self._turn(job_id, "asking", "state = 'running' and stop_asked = 0", question)

    def agree(self, job_id: str, plan: Plan, event: Adjusted) -> bool:
        """The answer is yes: back to the queue with the new plan. False when the job no longer waits for it."""
        with self._writing() as db:
            db.execute(
                "update jobs set plan = ?, attempts = 0 where id = ? and state = 'asking'",
                (plan.model_dump_json(), job_id),
            )
        return self._turn(job_id, "queued", "state = 'asking'", event)

    def _turn(self, job_id: str, state: JobState, where: str, event: Event) -> bool:
        with self._writing() as db:
            turned = db.execute(f"update jobs set state = ? where id = ? and {where} returning id", (state, job_id))
            if turned.fetchone() is None:
                return False
            db.execute("insert into events (job_id, body) values (?, ?)", (job_id, event.model_dump_json()))
        return True

    def job(self, job_id: str) -> Job:
        """Raises UnknownName when there is none, or none that this version can read."""
        job = _job(self._one("select * from jobs where id = ?", job_id))
        if job is None:
            raise UnknownName(OTHER_VERSION.cause, OTHER_VERSION.remedy)
        return job

    def state(self, job_id: str) -> str:
        """The state of a job, also of one that cannot be read otherwise; empty where there is none."""
        with self._reading() as db:
            row = db.execute("select state from jobs where id = ?", (job_id,)).fetchone() if job_id.isascii() else None
        return str(row["state"]) if row else ""

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
        found = [(row["number"], _read(_event, row["body"])) for row in rows]
        return [(number, event) for number, event in found if event]

    def unsaid_end(self, job: Job) -> FinalEvent | None:
        """How a job ended whose last event cannot be read; None where it can, and while it has not ended."""
        if any(isinstance(event, FinalEvent) for _, event in self.events(job.id)):
            return None
        match job.state:
            case "finished":
                return Finished(result_id=job.id, seconds=0)
            case "cancelled":
                return Cancelled()
            case "failed":
                return OTHER_VERSION
        return None

    def give_up_unreadable(self) -> None:
        """End the jobs that this version cannot read: nothing else would."""
        with self._reading() as db:
            rows = db.execute("select * from jobs where state not in ('finished', 'failed', 'cancelled')").fetchall()
        for row in rows:
            if _job(row) is None:
                self.finish(row["id"], OTHER_VERSION)

    # ---- what was measured, what was set ----

    def add_run(self, run: Run) -> None:
        with self._writing() as db:
            db.execute("insert into runs (model, body) values (?, ?)", (run.model, run.model_dump_json()))

    def runs(self, of_each: int = 40) -> list[Run]:
        """Measured runs on this machine, oldest first: the newest of each model, and all in which memory ran out."""
        with self._reading() as db:
            rows = db.execute(
                "select body from (select number, body, row_number() over (partition by model order by number desc)"
                " as age from runs) where age <= ? or (json_valid(body) and json_extract(body, '$.adjusted'))"
                " order by number",
                (of_each,),
            )
            found = [_run(row["body"]) for row in rows.fetchall()]
        return [run for run in found if run]

    def setting(self, name: str, default: str = "") -> str:
        with self._reading() as db:
            row = db.execute("select value from settings where name = ?", (name,)).fetchone()
        return str(row["value"]) if row else default

    def setting_as(self, name: str, kind: TypeAdapter[Kind]) -> Kind | None:
        """A setting that is JSON; None while it is not set, and where it cannot be read."""
        text = self.setting(name)
        return _read(kind, text) if text else None

    def settings(self, prefix: str) -> dict[str, str]:
        """Those whose names begin so, by the rest of their names."""
        with self._reading() as db:
            rows = db.execute("select name, value from settings where substr(name, 1, ?) = ?", (len(prefix), prefix))
            return {row["name"][len(prefix) :]: row["value"] for row in rows.fetchall()}

    def set(self, name: str, value: str) -> None:
        with self._writing() as db:
            db.execute("insert or replace into settings (name, value) values (?, ?)", (name, value))

    def _one(self, query: str, job_id: str) -> Any:
        with self._reading() as db:
            known = job_id.isascii()  # as all our names are; half characters could not even be asked for
            row = db.execute(query, (job_id,)).fetchone() if known else None
        if row is None:
            raise UnknownName(
                Message("There is no job called '{job_id}'.", job_id=job_id[:60]),
                Message("Look at the library for what there is."),
            )
        return row


def now() -> str:
    """The time now, UTC, to the second, as every record writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.lru_cache(maxsize=4096)  # a plan at every key asks for all of them
def _run(body: str) -> Run | None:
    return _read(_measured, body)


def _read(kind: TypeAdapter[Kind], body: str | bytes) -> Kind | None:
    """None where another version wrote it, or a disk damaged it: one bad line must not keep the studio from opening."""
    try:
        return kind.validate_json(body)
    except ValidationError:
        return None


def _job(row: sqlite3.Row) -> Job | None:
    """None when it was written by a version that planned otherwise."""
    try:
        return Job(
            id=row["id"],
            kind=row["kind"] if "kind" in row.keys() else row["stage"],  # noqa: SIM118  # of a row
            stage=row["stage"],
            plan=read_plan(row["plan"]),
            take_id=row["take_id"],
            state=row["state"],
            created=row["created"],
            attempts=row["attempts"],
        )
    except ValidationError:
        return None
