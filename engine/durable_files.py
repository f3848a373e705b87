"""Files that are whole or not there, and on the disk itself: they survive a kill and a power cut."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

TRIES, BETWEEN_SECONDS = 20, 0.25  # a virus scanner on Windows may hold a fresh file for a moment


def onto_the_disk(path: Path) -> None:
    """Wait until the contents of a file, or the names in a folder, are on the disk. Raises OSError.

    Windows has no such wait for a folder; it keeps a journal of names. Nor have some network disks.
    """
    if not path.is_dir():
        with path.open("rb+") as file:
            _sync(file.fileno())
    elif os.name != "nt":
        handle = os.open(path, os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):
                _sync(handle)
        finally:
            os.close(handle)


def _sync(handle: int) -> None:
    if sys.platform == "darwin":  # there fsync leaves it in the memory of the disk
        import fcntl

        with contextlib.suppress(OSError):  # not every disk knows it
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
            return
    os.fsync(handle)


@contextlib.contextmanager
def written(path: Path, lasting: bool = False) -> Iterator[Path]:
    """A name beside `path` to write to. It takes its place when all is written; after an error nothing of it stays.

    `lasting`: it is on the disk by then. Raises OSError.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        if lasting:
            onto_the_disk(part)
        moved(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def moved(path: Path, target: Path) -> None:
    """Move a file or folder within a disk, at once or not at all. Raises OSError."""
    for left in reversed(range(TRIES)):
        try:
            path.replace(target)
            return
        except PermissionError:
            if not left:
                raise
            time.sleep(BETWEEN_SECONDS)
