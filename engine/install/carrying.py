"""A folder on its way to another disk: it appears there whole or not at all, and leaves only after that."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

PIECE_BYTES = 8 * 1024 * 1024


class Stopped(Exception):
    """Somebody asked for it in the middle."""


def size_of(folder: Path) -> int:
    """The bytes of its files; links weigh nothing."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def carry(source: Path, target: Path, moved: Callable[[int], None], stop: Callable[[], bool]) -> None:
    """Make `target` what `source` is. Within one disk it is a new name; to another disk a copy, and `source` stays.

    A `target` that is there already must be the same: a move that was cut off between copying and removing. Raises
    OSError, Stopped; what was half copied is gone again.
    """
    if target.exists():
        if _files(target) != _files(source):
            raise FileExistsError(None, f"another {target.name} is there already")
        return moved(size_of(source))
    if source.stat().st_dev == target.parent.stat().st_dev:
        size = size_of(source)
        source.rename(target)
        return moved(size)
    half = target.with_name(f".removed-half-{target.name}")  # a kill leaves it to whoever sweeps the removed ones
    shutil.rmtree(half, ignore_errors=True)

    def copy(here: str, there: str) -> str:
        with Path(here).open("rb") as reader, Path(there).open("wb") as writer:
            while piece := reader.read(PIECE_BYTES):
                if stop():
                    raise Stopped
                writer.write(piece)
                moved(len(piece))
            writer.flush()
            os.fsync(writer.fileno())  # the original is removed next
        return there

    try:
        shutil.copytree(source, half, symlinks=True, copy_function=copy)
        half.rename(target)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return None


def _files(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.lstat().st_size for path in folder.rglob("*") if path.is_file()}
