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

OWNED = re.compile(r"(?:brought|preset)-(?:(\d+)-)?")  # those of older versions name no process


@contextlib.contextmanager
def folder(staging: Path, purpose: str) -> Iterator[Path]:
    """A folder of its own, gone at the end; after a kill, with the next `sweep`."""
    with tempfile.TemporaryDirectory(dir=staging, prefix=f"{purpose}-{os.getpid()}-") as made:
        yield Path(made)


def sweep(staging: Path) -> None:
    """Remove what processes left behind that are gone."""
    for path in staging.iterdir():
        owner = OWNED.match(path.name)
        if owner and not (owner[1] and psutil.pid_exists(int(owner[1]))):
            shutil.rmtree(path, ignore_errors=True)
