"""Files that survive a power cut: on the disk itself, and not only on their way to it."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def onto_the_disk(path: Path) -> None:
    """Wait until the contents of a file, or the names in a folder, are on the disk. Raises OSError.

    Windows has no such wait for a folder; it keeps a journal of names.
    """
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        if sys.platform == "darwin":  # there fsync leaves it in the memory of the disk
            import fcntl

            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
        else:
            os.fsync(handle)
    finally:
        os.close(handle)
