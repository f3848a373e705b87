"""The queue of downloads in SQLite: durable, and seen by every process that opens the data folder.

A file of its own in models/, not a table beside the jobs: the progress of a download never waits for, or holds up, the
end of a job. It stays in the data folder when the models live on another drive, which may be unplugged.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from engine.errors import MachineProblem, UnknownName, disk_full
from engine.manifest import Download, DownloadState, ListFiles, Listing, ListLora, orders
from engine.types import Noun

Wish = Literal["", "pause", "cancel"]
SCHEMA = """
create table if not exists downloads (
    position integer primary key autoincrement, model text unique not null, job text not null, state text not null,
    wish text not null default '', download text not null);
"""


class Row(Noun):
    """One download: how it stands, what to fetch, and what a face wants of it."""

    download: Download
    order: Listing
    wish: Wish = ""


class DownloadQueue:
    """Thread-safe; every write is one transaction that survives a kill."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._path = path
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, timeout=10, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise _problem(error, path) from error

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def add(self, order: ListFiles | ListLora, download: Download) -> None:
        """At the end of the queue; a download of the same thing that was there before is replaced."""
        with self._using() as db:
            db.execute(
                "insert or replace into downloads (model, job, state, download) values (?, ?, ?, ?)",
                (order.id, order.model_dump_json(), download.state, download.model_dump_json()),
            )

    def rows(self, *states: DownloadState) -> list[Row]:
        """In the order they were asked for; all states when none is named."""
        marks = ",".join("?" * len(states))
        where = f"where state in ({marks})" if states else ""
        with self._using() as db:
            return [_row(row) for row in db.execute(f"select * from downloads {where} order by position", states)]

    def find(self, model: str) -> Row | None:
        with self._using() as db:
            row = db.execute("select * from downloads where model = ?", (model,)).fetchone()
        return _row(row) if row else None

    def row(self, model: str) -> Row:
        """Raises UnknownName when this model is not in the queue."""
        found = self.find(model)
        if found is None:
            raise UnknownName(f"'{model[:60]}' is not being downloaded.", "See `app.py models` for what there is.")
        return found

    def update(self, download: Download) -> None:
        """Write down how a download stands; a row that was removed meanwhile stays removed."""
        with self._using() as db:
            db.execute(
                "update downloads set state = ?, download = ? where model = ?",
                (download.state, download.model_dump_json(), download.model),
            )

    def wish(self, model: str, wish: Wish) -> None:
        with self._using() as db:
            db.execute("update downloads set wish = ? where model = ?", (wish, model))

    def remove(self, model: str) -> None:
        with self._using() as db:
            db.execute("delete from downloads where model = ?", (model,))

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                yield self._db
        except sqlite3.Error as error:
            raise _problem(error, self._path) from error


def _row(row: Any) -> Row:
    return Row(
        download=Download.model_validate_json(row["download"]),
        order=orders.validate_json(row["job"]),  # type: ignore[arg-type]  # a listing; pydantic checks
        wish=row["wish"],
    )


def _problem(error: sqlite3.Error, path: Path) -> MachineProblem:
    if "full" in str(error):
        return disk_full(OSError(str(error)))
    return MachineProblem(
        f"The list of downloads {path.name} cannot be used ({error}).",
        "Check that the models folder is writable and not on a network drive; if it is damaged, move that file away.",
    )
