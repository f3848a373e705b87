"""The queue of downloads in SQLite: durable, and seen by every process that opens the data folder.

A file of its own in models/, not a table beside the jobs: the progress of a download never waits for, or holds up, the
end of a job. It stays in the data folder when the models live on another drive, which may be unplugged.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from engine.schema import FrozenModel
from engine.schema.errors import MachineProblem, UnknownName
from engine.schema.manifest import Download, DownloadState, ListFiles, Listing, ListLora, orders
from engine.schema.message import Message
from engine.storage.database import Database

Wish = Literal["", "pause", "cancel"]
MIGRATIONS = (
    """
create table if not exists downloads (
    position integer primary key autoincrement, model text unique not null, job text not null, state text not null,
    wish text not null default '', download text not null);
""",
)


class Row(FrozenModel):
    """One download: how it stands, what to fetch, and what a face wants of it."""

    download: Download
    order: Listing
    wish: Wish = ""


class DownloadQueue(Database):
    """Thread-safe; every write is one transaction that survives a kill."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, MIGRATIONS)

    def _unusable(self, error: sqlite3.Error) -> MachineProblem:
        return MachineProblem(
            Message("The list of downloads {file} cannot be used ({error}).", file=self._path.name, error=error),
            Message(
                "Check that the models folder is writable and not on a network drive; if it is damaged, move "
                "that file away."
            ),
        )

    def add(self, order: ListFiles | ListLora, download: Download) -> None:
        """At the end of the queue; a download of the same thing that was there before is replaced."""
        with self._writing() as db:
            db.execute(
                "insert or replace into downloads (model, job, state, download) values (?, ?, ?, ?)",
                (order.id, order.model_dump_json(), download.state, download.model_dump_json()),
            )

    def rows(self, *states: DownloadState) -> list[Row]:
        """In the order they were asked for; all states when none is named."""
        marks = ",".join("?" * len(states))
        where = f"where state in ({marks})" if states else ""
        with self._reading() as db:
            rows = [_row(row) for row in db.execute(f"select * from downloads {where} order by position", states)]
        return [row for row in rows if row]

    def find(self, model: str) -> Row | None:
        with self._reading() as db:
            row = db.execute("select * from downloads where model = ?", (model,)).fetchone()
        return _row(row) if row else None

    def row(self, model: str) -> Row:
        """Raises UnknownName when this model is not in the queue."""
        found = self.find(model)
        if found is None:
            raise UnknownName(
                Message("'{model}' is not being downloaded.", model=model[:60]),
                Message("See `app.py models` for what there is."),
            )
        return found

    def update(self, download: Download) -> None:
        """Write down how a download stands; a row that was removed meanwhile stays removed."""
        with self._writing() as db:
            db.execute(
                "update downloads set state = ?, download = ? where model = ?",
                (download.state, download.model_dump_json(), download.model),
            )

    def wish(self, model: str, wish: Wish) -> None:
        with self._writing() as db:
            db.execute("update downloads set wish = ? where model = ?", (wish, model))

    def remove(self, model: str) -> None:
        with self._writing() as db:
            db.execute("delete from downloads where model = ?", (model,))


def _row(row: Any) -> Row | None:
    """None where another version wrote it, or a disk damaged it."""
    try:
        return Row(
            download=Download.model_validate_json(row["download"]),
            order=orders.validate_json(row["job"]),  # type: ignore[arg-type]  # a listing; pydantic checks
            wish=row["wish"],
        )
    except ValidationError:
        return None
