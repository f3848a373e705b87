"""A file on its way: written in pieces, resumed where it is safe to, trusted only after its hash was read back."""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from engine.durable_files import written
from engine.schema.errors import HubProblem
from engine.schema.manifest import ManifestFile
from engine.schema.message import Message

SYNC_SECONDS = 2.0
HASH_CHUNK_BYTES = 1 << 20
ROOM_BYTES = 1 << 20


class StopAsked(Exception):
    """Leave now, in order; raised where bytes move."""


class Part(io.RawIOBase):
    """What huggingface_hub writes a file into. Opened again, it goes on where its content can be trusted.

    After a kill the system still has every byte that was written; after a power cut only what was synced is sure. So
    beside the part lies a mark: which start of the computer wrote it, and how far it was synced then.
    """

    def __init__(self, path: Path, size: int, moved: Callable[[int], None]) -> None:
        """`moved` is told every number of bytes that was added (or, negative, given up); it may raise StopAsked."""
        super().__init__()
        self._path, self._size, self._moved = path, size, moved
        self._mark = path.with_suffix(".mark")
        kept = self._trusted()
        self._file = path.open("r+b" if path.exists() else "w+b", buffering=0)
        self._file.truncate(kept)
        self._file.seek(kept)
        self._synced_at = time.monotonic()
        self._sync()
        moved(kept)

    def _trusted(self) -> int:
        if not self._path.exists() or self._path.stat().st_size > self._size:
            return 0
        try:
            start, synced = self._mark.read_text().split()
        except (OSError, ValueError):
            return 0
        length = self._path.stat().st_size
        return length if abs(float(start) - psutil.boot_time()) < 5 else min(length, int(synced))

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        if self._file.tell() + len(data) > self._size:  # a server that never ends must not fill the disk
            raise HubProblem(
                Message("The hub sent more of {file} than it had announced.", file=self._path.name),
                Message("Try again, or use another mirror."),
            )
        before, view = self._file.tell(), memoryview(data)
        try:
            while view:  # an unbuffered write may take less than all
                view = view[self._file.write(view) :]
        except OSError:
            self._file.truncate(max(before - ROOM_BYTES, 0))  # a full disk: let the end of this be written down
            raise
        self._moved(len(data))
        if time.monotonic() - self._synced_at > SYNC_SECONDS:
            self._sync()
        return len(data)

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        with written(self._mark) as fresh:
            fresh.write_text(f"{psutil.boot_time()} {self._file.tell()}")
        self._synced_at = time.monotonic()

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def truncate(self, size: int | None = None, /) -> int:
        at = self._file.tell()
        end = self._file.seek(0, os.SEEK_END)
        kept = self._file.truncate(at if size is None else size)
        self._file.seek(min(at, kept))
        self._moved(kept - end)
        return kept

    def close(self) -> None:
        if not self.closed:
            try:
                self._sync()
            finally:
                self._file.close()
                super().close()

    def discard(self) -> None:
        """Give up everything that has arrived."""
        self.truncate(0)

    def hand_over(self, target: Path) -> None:
        """Move the closed, checked file to its name."""
        target.parent.mkdir(parents=True, exist_ok=True)
        self._path.replace(target)
        self._mark.unlink(missing_ok=True)


def digest(path: Path, stop: Callable[[], None], with_git: bool = False) -> tuple[str, str]:
    """sha256 and, if asked for, git's sha1 of a file, read from the disk. `stop` is called on the way and may raise."""
    sha256, git = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    git.update(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while piece := file.read(HASH_CHUNK_BYTES):
            stop()
            sha256.update(piece)
            if with_git:
                git.update(piece)
    return sha256.hexdigest(), git.hexdigest()


def fits_record(file: ManifestFile, path: Path, stop: Callable[[], None]) -> str:
    """The sha256 of a file that is what the record says it is; empty when it is not."""
    if path.stat().st_size != file.bytes:
        return ""
    by_git = bool(file.git_sha1 and not file.sha256)
    sha256, git = digest(path, stop, by_git)
    wrong = git != file.git_sha1 if by_git else file.sha256 not in ("", sha256)
    return "" if wrong else sha256
