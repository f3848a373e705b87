"""The connection to one SQLite file that survives a kill at any moment.

Write-ahead log with full sync, so what was committed is still there after a power cut.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from engine.schema.errors import MachineProblem, not_written
from engine.schema.message import Message

BALLAST_BYTES = 256_000  # some hundred events
AGAIN_BYTES = 1_000_000  # free space from which on it is kept again: not at once what was just given up


def make_room(folder: Path, ballast: Path) -> None:
    """Keep the file while its disk has space, give it up when there is none."""
    try:
        free = shutil.disk_usage(folder).free
        if free < BALLAST_BYTES:
            give_up(ballast)
        elif not ballast.exists() and free > AGAIN_BYTES:
            ballast.write_bytes(bytes(BALLAST_BYTES))
    except OSError:
        give_up(ballast)  # it filled up in this very moment


def give_up(ballast: Path) -> None:
    """Free its space, if it is there and the disk lets it be removed."""
    with contextlib.suppress(OSError):
        ballast.unlink(missing_ok=True)


# ---- the connection ----

# What SQLite says of a full disk, and of a folder or file that may not be written.
NOT_WRITABLE = ("full", "disk I/O", "readonly", "read-only", "unable to open")
LEAST_BYTES = 100_000


class Database:
    """Thread-safe. `changed` is notified on every write of this process; other processes poll.

    Where the disk is full or the folder may not be written, what is there can be read all the same, and every write
    says why it cannot be; once it can, it is. `reserves`: whether a small file is given up then, so that the end of a
    job can be written down. `migrations`: the scripts that bring an empty file to version 1, that to version 2, ...
    """

    reserves: ClassVar[bool] = False

    def __init__(self, path: Path, migrations: Sequence[str]) -> None:
        self.changed = threading.Condition()
        self._lock = threading.Lock()
        self._path = path
        self._migrations = migrations  # of statements without a semicolon inside
        self._refusal: MachineProblem | None = None  # why nothing can be written
        try:
            self._db = self._opened()
        except sqlite3.Error as error:
            if not any(sign in str(error) for sign in NOT_WRITABLE):
                raise self._problem(error) from error
            self._refusal = self._problem(error)
            self._db = self._opened_for_reading()

    def _make_room(self) -> None:
        if self.reserves:
            make_room(self._path.parent, self._path.with_suffix(".ballast"))

    def _opened(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, check_same_thread=False, timeout=10, isolation_level=None)
        try:
            db.row_factory = sqlite3.Row
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = full")
            self._migrate(db)
        except BaseException:
            db.close()
            raise
        return db

    def _migrate(self, db: sqlite3.Connection) -> None:
        """Bring the file to this version, all of it or nothing; another process may be doing so at this moment."""
        if self._version_of(db) == len(self._migrations):
            return
        db.execute("begin immediate")
        try:
            for script in self._migrations[self._version_of(db) :]:
                for statement in script.split(";"):
                    db.execute(statement)
            db.execute(f"pragma user_version = {len(self._migrations)}")
            db.execute("commit")
        except BaseException:
            if db.in_transaction:
                db.execute("rollback")
            raise

    def _version_of(self, db: sqlite3.Connection) -> int:
        version = int(db.execute("pragma user_version").fetchone()[0])
        if version > len(self._migrations):
            raise MachineProblem(
                Message("The data folder was written by a newer Rushes."),
                Message("Update Rushes, or choose another data folder."),
            )
        return version

    def _opened_for_reading(self) -> sqlite3.Connection:
        """What is there, without the log that is not yet in it where that cannot be opened; else nothing, in memory."""
        address = f"file:{quote(str(self._path))}?mode=ro"
        for uri in (address, f"{address}&immutable=1"):
            try:
                db = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
                db.row_factory = sqlite3.Row
                if db.execute("select count(*) from sqlite_master").fetchone()[0]:
                    return db
            except sqlite3.Error:
                continue
        db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.executescript("".join(self._migrations))
        return db

    def _make_writable(self) -> None:
        """Open it anew where it could not be written until now. Raises MachineProblem while it cannot."""
        if self._refusal is None:
            return
        try:
            db = self._opened()
        except sqlite3.Error:
            raise MachineProblem(self._refusal.cause, self._refusal.remedy, self._refusal.detail) from None
        self._db.close()
        self._db, self._refusal = db, None

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; a kill inside it leaves no trace."""
        try:
            with self._lock:
                self._make_room()
                self._make_writable()
                self._db.execute("begin immediate")
                try:
                    yield self._db
                    self._db.execute("commit")
                except BaseException:
                    if self._db.in_transaction:
                        self._db.execute("rollback")
                    raise
        except sqlite3.Error as error:
            raise self._problem(error) from error
        with self.changed:
            self.changed.notify_all()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                yield self._db
        except sqlite3.Error as error:
            raise self._problem(error) from error

    def _problem(self, error: sqlite3.Error) -> MachineProblem:
        if "full" in str(error) or ("disk I/O" in str(error) and _is_full(self._path.parent)):
            return not_written(OSError(errno.ENOSPC, str(error)))
        return self._unusable(error)

    def _unusable(self, error: sqlite3.Error) -> MachineProblem:
        """What to say of an error that is no full disk."""
        raise NotImplementedError


def _is_full(folder: Path) -> bool:
    """Whether not even the smallest file has room: SQLite then speaks of an I/O error."""
    try:
        return shutil.disk_usage(folder).free < LEAST_BYTES
    except OSError:
        return False
