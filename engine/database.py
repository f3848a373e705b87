"""The connection to one SQLite file that survives a kill at any moment.

Write-ahead log with full sync, so what was committed is still there after a power cut.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.ballast import make_room
from engine.errors import MachineProblem, disk_full


class Database:
    """Thread-safe. `changed` is notified on every write of this process; other processes poll."""

    def __init__(self, path: Path, schema: str, version: int) -> None:
        self.changed = threading.Condition()
        self._lock = threading.Lock()
        self._path, self._ballast = path, path.with_suffix(".ballast")
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, timeout=10, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            if self._db.execute("pragma user_version").fetchone()[0] > version:
                raise MachineProblem(
                    "The data folder was written by a newer Rushes.", "Update Rushes, or choose another data folder."
                )
            self._db.executescript(schema + f"pragma user_version = {version};")
        except sqlite3.Error as error:
            raise _problem(error, path) from error

    def close(self) -> None:
        with self._lock:
            self._db.close()

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


def _problem(error: sqlite3.Error, path: Path) -> MachineProblem:
    if "full" in str(error):
        return disk_full(OSError(str(error)))
    return MachineProblem(
        f"The job list {path.name} cannot be used ({error}).",
        "Check that the data folder is writable and not on a network drive; if it is damaged, move that file away.",
    )
