"""The trash: what a person threw away, until they take it back or let it go for good."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from engine.paths import Places
from engine.schema import Clip, Recipe, Take, Thrown
from engine.schema.errors import BadFile, InUse, UnknownName
from engine.schema.message import Message
from engine.storage.database import give_up
from engine.storage.recipe_file import read_recipe

TAKE_RECIPE = "take.json"  # what tells the folder of a take from that of a clip
BESIDE_A_CLIP = (".json", ".jpg", ".favourite")  # what lies beside its MP4, under the same name


class Trash:
    """What was thrown away of one data root: a folder for each take and clip."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def items(self) -> list[Thrown]:
        """Everything in it, what was thrown away last first."""
        found: list[Thrown] = []
        for bin_ in self._bins():
            with contextlib.suppress(FileNotFoundError):  # another window empties it at this moment
                found.append(_thrown(bin_))
        return sorted(found, key=lambda item: (item.deleted, item.id), reverse=True)

    def bytes(self) -> int:
        """What emptying it would free."""
        return sum(item.bytes for item in self.items())

    def throw(self, item: Take | Clip) -> None:
        """Into the trash, from where `take_back` brings it; `empty` is what frees the disk. Raises InUse."""
        bin_, video = self._places.trash / item.id, Path(item.video)
        give_up(self._places.database.with_suffix(".ballast"))  # on a full disk a folder needs room too
        try:
            if isinstance(item, Take):
                video.parent.replace(bin_)
            else:
                bin_.mkdir(exist_ok=True)
                for path in (video, *map(video.with_suffix, BESIDE_A_CLIP)):  # as it comes last, the MP4 goes first
                    if path.is_file():
                        path.replace(bin_ / path.name)
        except OSError as error:
            raise InUse(
                Message("{item} is in use and cannot be deleted.", item=item.id),
                Message("Close what plays it."),
                str(error),
            ) from error
        with contextlib.suppress(OSError):  # a folder that moves keeps its time
            os.utime(bin_)

    def take_back(self, name: str) -> None:
        """Out of the trash again. Raises UnknownName when it is not there any more, InUse with another in its place."""
        bin_ = self._bin(name)
        is_take = (bin_ / TAKE_RECIPE).is_file()
        ways = _ways(bin_, self._places.takes / bin_.name if is_take else self._places.clips, is_take)
        if any(there.exists() for _, there in ways):
            raise InUse(
                Message("Another {name} is in the library, so this one cannot be brought back.", name=bin_.name),
                Message("Delete or rename that one first; this one stays in the trash."),
            )
        try:
            for path, there in ways:
                path.replace(there)
            if not is_take:
                bin_.rmdir()
        except OSError as error:
            raise InUse(
                Message("{bin_} cannot be brought back ({strerror}).", bin_=bin_.name, strerror=error.strerror),
                Message("Try again; it stays in the trash."),
                str(error),
            ) from error

    def empty(self, name: str | None = None) -> int:
        """Delete all of it for good, or one of it; the bytes that are free again. Raises UnknownName, InUse."""
        bins = list(self._bins()) if name is None else [self._bin(name)]
        freed = sum(_thrown(bin_).bytes for bin_ in bins)
        for bin_ in bins:
            shutil.rmtree(bin_, ignore_errors=True)
        left = [bin_ for bin_ in bins if bin_.exists()]
        if left:
            raise InUse(
                Message("{item} is in use and cannot be deleted.", item=left[0].name), Message("Close what plays it.")
            )
        return freed

    def recipes(self) -> Iterator[Recipe]:
        """Those of all that is in it."""
        return (item.recipe for item in self.items() if item.recipe)

    def _bins(self) -> Iterator[Path]:
        return (path for path in self._places.trash.iterdir() if path.is_dir() and not path.is_symlink())

    def _bin(self, name: str) -> Path:
        """A name from outside is compared, never made into a path. Raises UnknownName."""
        for bin_ in self._bins():
            if bin_.name == name:
                return bin_
        raise UnknownName(
            Message("This is no longer in the trash."), Message("Make it again: its recipe is in every copy of it.")
        )


def _ways(bin_: Path, there: Path, whole: bool) -> list[tuple[Path, Path]]:
    """What moves where when it is taken back. A clip's MP4 comes last."""
    if whole:
        return [(bin_, there)]
    return [(path, there / path.name) for path in sorted(bin_.iterdir(), key=lambda path: path.suffix == ".mp4")]


def _thrown(bin_: Path) -> Thrown:
    files = [path for path in bin_.rglob("*") if path.is_file()]
    return Thrown(
        kind="take" if (bin_ / TAKE_RECIPE).is_file() else "clip",
        id=bin_.name,
        bytes=sum(path.stat().st_size for path in files),
        deleted=datetime.fromtimestamp(bin_.stat().st_mtime, UTC).isoformat(timespec="seconds"),
        recipe=_recipe(files),
    )


def _recipe(files: list[Path]) -> Recipe | None:
    """From the notes, or, where they are damaged, from the video."""
    for path in sorted((path for path in files if path.suffix in (".json", ".mp4")), key=lambda path: path.suffix):
        with contextlib.suppress(BadFile):
            return read_recipe(path)
    return None
