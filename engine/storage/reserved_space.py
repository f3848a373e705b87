"""A small file that is given up when the disk fills, so that the end of a job can always be written down."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

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
