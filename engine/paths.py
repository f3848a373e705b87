"""Where files live. The only place that knows.

<app>/presets, <app>/models/starter      ships with the app, replaced by an update
<home>/                                  everything a person owns; an update or a reset never touches it
    takes/<id>/                          take.mp4, latents.safetensors, take.json, poster.jpg
    clips/<id>.mp4 .json .jpg            finished clips
    models/<id>/                         installed models, each appears whole; or in a folder that the person chose
    models/.arriving/                    models on their way, beside the installed ones
    models/.downloads.sqlite3            the queue of downloads
    trash/<id>/                          takes and clips that were thrown away
    presets/models/                      model cards of their own
    presets/looks/ cameras/ requests/    presets of their own, each a file that a friend can use
    media/<content>.png .mp4             pictures and videos that a person brought
    loras/<content>.safetensors .json    LoRAs that a person brought, and what each says of itself
    prompts/                             encoded prompts, only to save time: may be deleted
    caches/<model>/                      weights made smaller, to be read directly; may be deleted at any time
    staging/<job>/                       what the worker is writing; the artifact folder
    card-tests/<device>.json             what the test of a device found
    filter.txt                           a word list, if the person wants one
    rushes.sqlite3, engine.lock, moving.lock, logs/
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from engine.schema.errors import MachineProblem
from engine.schema.message import Message

APP = Path(__file__).resolve().parent.parent
MOST_LETTERS = 120 if sys.platform == "win32" else 400  # of the data folder: what lies in it has names too
WINDOWS_PATH = re.compile(r"[A-Za-z]:\\[^\s\"'<>|]*")
POSIX_PATH = re.compile(r"(?<![\w:/.])(?:~|/)(?:[\w.+@ -]*?/)+[\w.+@-]*")


@dataclass(frozen=True)
class Places:
    """The folders of one data root. Absolute paths.

    `chosen`: the folders for models that the person chose, as the store has them now; the first is for new ones.
    """

    home: Path
    chosen: Callable[[], tuple[Path, ...]] = tuple

    @property
    def takes(self) -> Path:
        return self.home / "takes"

    @property
    def clips(self) -> Path:
        return self.home / "clips"

    @property
    def trash(self) -> Path:
        return self.home / "trash"

    @property
    def own_models(self) -> Path:
        """Where models live unless the person chose another folder."""
        return self.home / "models"

    @property
    def models(self) -> Path:
        """Where new models go."""
        return next(iter(self.chosen()), self.own_models)

    @property
    def arriving(self) -> Path:
        return self.models / ".arriving"

    @property
    def downloads(self) -> Path:
        return self.own_models / ".downloads.sqlite3"

    @property
    def cards(self) -> tuple[Path, Path]:
        """Where model cards lie: the app's, then the person's own."""
        return APP / "presets" / "models", self.home / "presets" / "models"

    @property
    def presets(self) -> tuple[Path, Path]:
        """Where looks, cameras and saved requests lie: the app's, then the person's own."""
        return APP / "presets", self.home / "presets"

    @property
    def machines(self) -> Path:
        """Where kinds of machines lie that a plan can be made for."""
        return APP / "presets" / "machines"

    @property
    def media(self) -> Path:
        """Pictures and videos that a person brought, under the name of their content."""
        return self.home / "media"

    @property
    def loras(self) -> Path:
        """LoRAs that a person brought, under the name of their content."""
        return self.home / "loras"

    @property
    def prompts(self) -> Path:
        """Prompts as the text encoders read them; it fills itself again."""
        return self.home / "prompts"

    @property
    def caches(self) -> Path:
        """Weights that were made smaller once. Everything in it can be made again."""
        return self.home / "caches"

    @property
    def staging(self) -> Path:
        return self.home / "staging"

    @property
    def set_aside(self) -> Path:
        """What a job made that could not be taken into the library."""
        return self.home / "set-aside"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def card_tests(self) -> Path:
        """What the test of each device found."""
        return self.home / "card-tests"

    @property
    def database(self) -> Path:
        return self.home / "rushes.sqlite3"

    @property
    def word_list(self) -> Path:
        """The person's own content filter, if they want one."""
        return self.home / "filter.txt"

    @property
    def lock(self) -> Path:
        return self.home / "engine.lock"

    @property
    def moving(self) -> Path:
        """Held while models are moved to another folder, and by a lane in the moment in which it claims a job."""
        return self.home / "moving.lock"

    @property
    def model_roots(self) -> tuple[Path, ...]:
        """Where a model may lie: shipped with the app, or installed by the person, now or in another folder before."""
        return APP / "models", *dict.fromkeys((*self.chosen(), self.own_models))

    def model(self, name: str) -> Path:
        """The folder of a model that the person installed, or would install."""
        roots = self.model_roots[1:]
        return next((root / name for root in roots if (root / name).exists()), roots[0] / name)


@contextlib.contextmanager
def acquired(lock: FileLock, seconds: float = -1) -> Iterator[None]:
    """Hold a lock. Raises filelock's Timeout where another one holds it, MachineProblem where it cannot be written."""
    acquire(lock, seconds)
    try:
        yield
    finally:
        lock.release()


def acquire(lock: FileLock, seconds: float = -1) -> None:
    """The same, until it is released."""
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        raise
    except OSError as error:  # Timeout is one too
        raise MachineProblem(
            Message(
                "{file} in the data folder cannot be used ({strerror}).",
                file=Path(lock.lock_file).name,
                strerror=error.strerror,
            ),
            Message("Allow writing in the data folder, or remove that file while Rushes is closed, then try again."),
        ) from error


def without_paths(text: str) -> str:
    """`text` with every path taken out, so that it can be sent to others."""
    return POSIX_PATH.sub("(path)", WINDOWS_PATH.sub("(path)", text))


def open_home(home: Path | None = None) -> Places:
    """The data root: `home`, else RUSHES_HOME, else data/ beside the app. Makes its folders.

    Raises MachineProblem when the folders cannot be made.
    """
    chosen = home or Path(os.environ.get("RUSHES_HOME") or APP / "data")
    try:
        places = Places(chosen.expanduser().absolute())
    except RuntimeError as error:  # ~ of a person whom the system does not know
        raise MachineProblem(
            Message("The data folder {chosen} cannot be found: there is nobody of that name.", chosen=chosen),
            Message("Write its whole path: set RUSHES_HOME to it and start again."),
        ) from error
    length = len(str(places.home))
    if length > MOST_LETTERS:
        raise MachineProblem(
            Message(
                "The path of the data folder is too long: it has {length} letters, and {most_letters} are the most.",
                length=length,
                most_letters=MOST_LETTERS,
            ),
            Message("Choose a folder nearer to the top of the disk: set RUSHES_HOME to it and start again."),
        )
    try:
        for folder in (places.takes, places.clips, places.own_models, places.staging, places.logs, places.trash):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineProblem(
            Message(
                "The data folder {home} cannot be used ({strerror}).",
                home=places.home,
                strerror=error.strerror or str(error),
            ),
            Message("Choose a folder you may write to: set RUSHES_HOME to it and start again."),
        ) from error
    return places
