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

OWNED = re.compile(r"(?:brought|preset)-(?:(\d{1,10})-)?")
CLOCK_SECONDS = 300  # by how much a clock may have been set meanwhile


@contextlib.contextmanager
def folder(staging: Path, purpose: str) -> Iterator[Path]:
    """A folder of its own, gone at the end; after a kill, with the next `sweep`."""
    with tempfile.TemporaryDirectory(dir=staging, prefix=f"{purpose}-{os.getpid()}-") as made:
        yield Path(made)


def sweep(staging: Path) -> None:
    """Remove what processes left behind that are gone."""
    for path in staging.iterdir():
        owner = OWNED.match(path.name)
        if owner and not (owner[1] and _made_by(int(owner[1]), path)):
            shutil.rmtree(path, ignore_errors=True)


def _made_by(pid: int, path: Path) -> bool:
    """Whether the living process of this number may have made it: in a container each start has the same one."""
    try:
        return bool(psutil.Process(pid).create_time() < path.stat().st_mtime + CLOCK_SECONDS)
    except psutil.AccessDenied:
        return True
    except (psutil.Error, OSError, OverflowError, ValueError):
        return False
