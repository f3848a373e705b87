"""A small file that is given up when the disk fills, so that the end of a job can always be written down."""

from __future__ import annotations

import shutil
from pathlib import Path

BALLAST_BYTES = 256_000  # some hundred events


def make_room(folder: Path, ballast: Path) -> None:
    """Keep the file while its disk has space, give it up when there is none."""
    try:
        if shutil.disk_usage(folder).free < BALLAST_BYTES:
            ballast.unlink(missing_ok=True)
        elif not ballast.exists():
            ballast.write_bytes(bytes(BALLAST_BYTES))
    except OSError:
        ballast.unlink(missing_ok=True)  # it filled up in this very moment
