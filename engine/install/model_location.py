"""Where models live: the folder for new ones, the folders that still hold earlier ones, and how they move there.

The choice is one setting of the store, a list of folders with the one for new models first; `Places` asks for it each
time, so every process on the data folder sees it at once. A model is found in any of them, so a move that is cut off
leaves each model whole in the old folder or in the new one, and moving again goes on with the rest.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from engine.install.downloads import Downloads
from engine.paths import APP, Places, acquired
from engine.schema import FrozenModel
from engine.schema.errors import BadFile, InUse, MachineProblem, RushesError
from engine.schema.manifest import MARGIN_BYTES, check_room
from engine.schema.message import NOTHING, Message
from engine.storage.job_store import TEXTS, Store
from engine.weights.model_folders import INDEX

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


# ---- the folders ----

FOLDERS = "model_folders"  # the setting
LET_GO_SECONDS = 5.0  # in which every lane notices that models are being moved


class Housed(FrozenModel):
    """A folder that holds models. `there`: its disk is plugged in."""

    folder: str
    there: bool
    models: tuple[str, ...] = ()
    bytes_used: int = 0
    disk_free: int = 0


class MoveQuote(FrozenModel):
    """What moving every model into `folder` would do. `bytes_to_write` is 0 within one disk."""

    folder: str
    models: tuple[str, ...]
    bytes: int
    bytes_to_write: int
    disk_free: int

    @property
    def fits(self) -> bool:
        return not self.bytes_to_write or self.disk_free - self.bytes_to_write >= MARGIN_BYTES


class Move(FrozenModel):
    """How far a move is. `cause` and `remedy`: why it ended before its end."""

    folder: str
    model: str = ""
    bytes_done: int = 0
    bytes_total: int = 0
    ended: bool = False
    cause: Message = NOTHING
    remedy: Message = NOTHING


def chosen_folders(store: Store) -> tuple[Path, ...]:
    """The folders of the setting, the one for new models first; empty while nobody chose any."""
    return tuple(map(Path, store.setting_as(FOLDERS, TEXTS) or ()))


class ModelLocation:
    """The folders for models of one data root."""

    def __init__(self, places: Places, store: Store, downloads: Downloads) -> None:
        self._places, self._store, self._downloads = places, store, downloads
        self._closing = threading.Event()
        self._mover: threading.Thread | None = None
        self._last: Move | None = None

    @property
    def last(self) -> Move | None:
        """The last move that this process made, or makes."""
        return self._last

    def close(self) -> None:
        """Stop a move between two pieces of a file; what is not moved yet stays where it was."""
        self._closing.set()
        if self._mover:
            self._mover.join()

    # ---- looking ----

    def folders(self) -> list[Housed]:
        """The folder for new models, then those that hold earlier ones, or are not there now."""
        first, *others = map(self._housed, self._places.model_roots[1:])
        return [first, *(place for place in others if place.models or not place.there)]

    def _housed(self, folder: Path) -> Housed:
        if not folder.is_dir():
            return Housed(folder=str(folder), there=False)
        models = [path for path in folder.iterdir() if (path / INDEX).is_file() and path.name[0] != "."]
        return Housed(
            folder=str(folder),
            there=True,
            models=tuple(sorted(path.name for path in models)),
            bytes_used=sum(map(size_of, models)) + size_of(folder / ".arriving"),
            disk_free=shutil.disk_usage(folder).free,
        )

    def quote(self, text: str) -> MoveQuote:
        """What moving all models into a folder would do. Raises BadFile for what cannot be one; changes nothing."""
        target = self._checked(text)
        stay = [place for place in self._elsewhere(target) if place.models]
        there = target if target.is_dir() else target.parent
        far = [place for place in stay if Path(place.folder).stat().st_dev != there.stat().st_dev]
        return MoveQuote(
            folder=str(target),
            models=tuple(model for place in stay for model in place.models),
            bytes=sum(self._bytes(place) for place in stay),
            bytes_to_write=sum(self._bytes(place) for place in far),
            disk_free=shutil.disk_usage(there).free,
        )

    def _elsewhere(self, target: Path) -> list[Housed]:
        return [self._housed(folder) for folder in self._places.model_roots[1:] if folder != target]

    @staticmethod
    def _bytes(place: Housed) -> int:
        return sum(size_of(Path(place.folder) / model) for model in place.models)

    # ---- changing ----

    def use(self, text: str) -> Path:
        """New models go into this folder from now on; those that are here stay where they are, and are found there.

        Raises BadFile for a folder that cannot be used, InUse while a model is on its way.
        """
        target = self._checked(text)
        if any(one.state != "finished" for one in self._downloads.queue()):
            raise InUse(
                Message("A model is still on its way into the present folder."),
                Message("Let it finish, or cancel it, first."),
            )
        try:
            target.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target):
                pass
        except OSError as error:
            raise BadFile(
                Message(
                    "Rushes may not write into the folder {target} ({strerror}).",
                    target=target,
                    strerror=error.strerror,
                ),
                Message("Choose another one."),
            ) from error
        before = [Path(place.folder) for place in self._elsewhere(target) if place.models or not place.there]
        self._store.set(FOLDERS, json.dumps([str(target), *map(str, before)]))
        return target

    def move(self, text: str, told: Callable[[Move], None] = lambda _: None) -> Move:
        """Use this folder, and bring every model into it, one after the other. No job begins meanwhile.

        Raises BadFile, InUse while a shot is made with one of them, MachineProblem without room; then nothing changed.
        """
        quote = self.quote(text)
        try:
            with acquired(FileLock(self._places.moving), LET_GO_SECONDS):
                self._check_idle(quote)
                check_room(Path(quote.folder).parent, quote.bytes_to_write)
                return self._carry_all(quote, self.use(text), told)
        except Timeout as error:
            raise InUse(Message("Models are being moved already."), Message("Wait until that is done.")) from error

    def start(self, text: str) -> None:
        """The same in the background; `last` says how far it is. Raises what can be known before."""
        quote = self.quote(text)
        if self._mover and self._mover.is_alive():
            raise InUse(Message("Models are being moved already."), Message("Wait until that is done."))
        self._check_idle(quote)
        self._last = Move(folder=quote.folder, bytes_total=quote.bytes)
        self._mover = threading.Thread(target=self._in_background, args=(text,), name="moving models", daemon=True)
        self._mover.start()

    def _in_background(self, text: str) -> None:
        def note(move: Move) -> None:
            self._last = move

        try:
            self.move(text, note)
        except RushesError as error:
            assert self._last
            self._last = self._last.but(ended=True, cause=error.cause, remedy=error.remedy)

    def _check_idle(self, quote: MoveQuote) -> None:
        busy = {job.plan.model for job in self._store.jobs("running")} & set(quote.models)
        if busy:
            raise InUse(
                Message("A shot is being made with {busy}.", busy=min(busy)),
                Message("Let it finish, or stop it, then move the models."),
            )

    def _carry_all(self, quote: MoveQuote, target: Path, told: Callable[[Move], None]) -> Move:
        state = Move(folder=str(target), bytes_total=quote.bytes)

        def moved(count: int) -> None:
            nonlocal state
            state = state.but(bytes_done=state.bytes_done + count)
            told(state)

        for place in self._elsewhere(target):
            for model in place.models:
                state = state.but(model=model)
                self._carry(Path(place.folder) / model, target / model, moved)
        left = [Path(place.folder) for place in self._elsewhere(target) if place.models or not place.there]
        self._store.set(FOLDERS, json.dumps([str(target), *map(str, left)]))
        state = state.but(ended=True, model="", bytes_done=quote.bytes)
        told(state)
        return state

    def _carry(self, source: Path, target: Path, moved: Callable[[int], None]) -> None:
        try:
            carry(source, target, moved, self._closing.is_set)
            gone = source.with_name(f".removed-{secrets.token_hex(4)}")
            if source.exists():
                source.rename(gone)  # out of sight at once, then off the disk
                shutil.rmtree(gone, ignore_errors=True)
        except Stopped as error:
            raise MachineProblem(
                Message("The move was stopped."), Message("Move again: what is moved stays moved.")
            ) from error
        except OSError as error:
            raise MachineProblem(
                Message(
                    "{source} could not be moved ({strerror}).", source=source.name, strerror=error.strerror or error
                ),
                Message("Each model is still whole, here or there. Look at both disks, then move again."),
            ) from error

    def _checked(self, text: str) -> Path:
        """The folder that a person named. Raises BadFile."""
        remedy = Message("Choose an empty or new folder of your own, with its whole path, such as /media/disk/models.")
        if not text.strip() or not text.isprintable():
            raise BadFile(Message("That is not the name of a folder."), remedy)
        try:
            named = Path(text.strip()).expanduser()
            folder = named.resolve()
            if not named.is_absolute() or (folder.exists() and not folder.is_dir()):
                raise BadFile(Message("{named} is not a folder with its whole path.", named=named), remedy)
        except (OSError, RuntimeError, ValueError) as error:
            raise BadFile(Message("That is not the name of a folder."), remedy, str(error)) from error
        home = self._places.home.resolve()
        if folder == self._places.own_models.resolve():
            return self._places.own_models
        if not folder.parent.is_dir():
            raise BadFile(
                Message("There is no folder {parent}.", parent=folder.parent),
                Message("Check its name, and that the disk is plugged in."),
            )
        if any(root == folder or root in folder.parents for root in (home, APP)):
            raise BadFile(Message("{folder} belongs to Rushes itself.", folder=folder), remedy)
        return folder
