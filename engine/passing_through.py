"""Folders for what only passes through: an upload that is being received, a file that is written to be sent."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

# Which process made it and when that began: a number alone is soon another's, in a container always the same one's.
OWNED = re.compile(r"(?:brought|preset)-(?:(\d{1,10})-(\d{1,12})-)?")


@contextlib.contextmanager
def folder(staging: Path, purpose: str) -> Iterator[Path]:
    """A folder of its own, gone at the end; after a kill, with the next `sweep`."""
    began = int(psutil.Process().create_time())
    with tempfile.TemporaryDirectory(dir=staging, prefix=f"{purpose}-{os.getpid()}-{began}-") as made:
        yield Path(made)


def sweep(staging: Path) -> None:
    """Remove what processes left behind that are gone."""
    for path in staging.iterdir():
        owner = OWNED.match(path.name)
        if owner and not (owner[1] and _lives(int(owner[1]), int(owner[2]))):
            shutil.rmtree(path, ignore_errors=True)


def _lives(pid: int, began: int) -> bool:
    try:
        return int(psutil.Process(pid).create_time()) == began
    except (psutil.Error, OverflowError, ValueError):
        return False
