"""Takes and clips. The disk is the truth: whatever complete take or clip lies in its folder is in the library."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.durable_files import moved, onto_the_disk
from engine.media import images
from engine.paths import Places
from engine.schema import Beginning, Clip, Recipe, Request, Take
from engine.schema.errors import BadFile, UnknownName, not_written
from engine.schema.message import NOTHING, Message
from engine.storage.recipe_file import read_recipe
from engine.storage.trash import Trash

GIVEN = "given"  # in a job's folder: the pictures, videos and LoRAs of its request
START = "start.mp4"  # among them: what a render goes on from
STATE = "state.safetensors"  # where a run of the sampler stands, in the folder of its job or of its take
FAVOURITE = "favourite"  # an empty file in the folder of a take, or beside a clip: it goes where they go
TAKE_FILES = ("take.mp4", "latents.safetensors", "poster.jpg", "take.json")


class Library:
    """The takes and clips of one data root."""

    def __init__(self, places: Places) -> None:
        self._places, self._trash = places, Trash(places)

    @property
    def trash(self) -> Trash:
        """What was thrown away, and can be taken back."""
        return self._trash

    # ---- what is there ----

    def takes(self) -> list[Take]:
        """Every complete take, newest first."""
        found = (self._take(folder) for folder in self._places.takes.iterdir())
        return sorted((take for take in found if take), key=lambda take: (take.recipe.created, take.id), reverse=True)

    def clips(self) -> list[Clip]:
        """Every finished clip, newest first."""
        found = (self._clip(video) for video in self._places.clips.glob("*.mp4"))
        return sorted((clip for clip in found if clip), key=lambda clip: (clip.recipe.created, clip.id), reverse=True)

    def take(self, name: str) -> Take:
        """The take of this id, of an unambiguous part of one, or the newest for 'last'. Raises UnknownName."""
        folder = _child(self._places.takes, name)
        exact = self._take(folder) if folder else None
        if exact:
            return exact
        takes = self.takes()
        matches = takes[:1] if name == "last" else [take for take in takes if len(name) >= 3 and name in take.id]
        if len(matches) == 1:
            return matches[0]
        several = Message("{count} takes match it.", count=len(matches)) if matches else NOTHING
        raise UnknownName(
            Message.joined([Message("There is no take called '{name}'.", name=name[:80]), several]),
            Message("See `app.py library` for their names."),
        )

    def exact_take(self, take_id: str) -> Take:
        """The take of this very id, as recipes name it: "last" or a part of one could be any. Raises UnknownName."""
        found = self.take(take_id)
        if found.id != take_id:
            raise UnknownName(
                Message("There is no take called '{take_id}'.", take_id=take_id[:80]),
                Message("See `app.py library` for their names."),
            )
        return found

    def has(self, recipe: Recipe) -> bool:
        """Whether a recipe is that of a take or clip here, word for word."""
        try:
            mine = self.exact_take(recipe.id) if recipe.kind == "take" else self.clip(recipe.id)
        except UnknownName:
            return False
        return mine.recipe == recipe

    def clip(self, clip_id: str) -> Clip:
        """The clip of this very id. Raises UnknownName."""
        video = _child(self._places.clips, f"{clip_id}.mp4")
        clip = self._clip(video) if video else None
        if clip:
            return clip
        raise UnknownName(
            Message("There is no clip called '{clip_id}'.", clip_id=clip_id[:80]),
            Message("See `app.py library` for their names."),
        )

    def begun(self, beginning: Beginning) -> Path:
        """The video that a clip goes on from. Raises BadFile when it is no longer here."""
        try:
            match beginning.kind:
                case "clip":
                    path = Path(self.clip(beginning.id).video)
                case "take":
                    path = Path(self.exact_take(beginning.id).video)
                case "video":
                    path = images.video_path(self._places.media, beginning.id)
            if beginning.content and content_of(path) != beginning.content:
                raise BadFile(
                    Message("What this clip goes on from is another video here than there."),
                    Message("Choose the clip yourself."),
                )
            return path
        except (OSError, UnknownName) as error:
            raise BadFile(
                Message("What this clip goes on from is no longer here."), Message("Choose another clip, take or file.")
            ) from error

    # ---- what the worker made ----

    def workspace(self, job_id: str) -> Path:
        """The folder that a job works in while it runs."""
        return self._places.staging / job_id

    def clear_workspace(self, job_id: str) -> Path:
        """The folder of a job, empty but for where it stood when an attempt was cut off. Raises OSError."""
        folder = self.workspace(job_id)
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
            elif left.name != STATE:
                left.unlink()
        (folder / GIVEN).mkdir()
        return folder

    def mark_begun(self, job_id: str) -> None:
        """An attempt begins now: see `advanced`."""
        (self.workspace(job_id) / GIVEN).touch()

    def peek(self, job_id: str, name: str) -> Path | None:
        """The file that a Peek event named, while its job runs."""
        try:
            folder = _child(self._places.staging, job_id)
            found = _child(folder, name) if folder and name.startswith("peek-") else None
            return None if found is None or found.is_symlink() else found
        except FileNotFoundError:  # the job has ended at this moment
            return None

    def advanced(self, job_id: str) -> bool:
        """Whether the attempt that was just cut off got further than the one before."""
        state, begun = self.workspace(job_id) / STATE, self.workspace(job_id) / GIVEN
        return state.is_file() and begun.is_dir() and state.stat().st_mtime > begun.stat().st_mtime

    def discard(self, job_id: str) -> None:
        """Forget what a job that did not finish has written."""
        shutil.rmtree(self.workspace(job_id), ignore_errors=True)

    def sweep(self, is_over: Callable[[str], bool]) -> None:
        """Forget what jobs that are over left behind, whose process was killed before it could."""
        for folder in self._places.staging.iterdir():
            if is_over(folder.name):
                shutil.rmtree(folder, ignore_errors=True)

    def adopt_take(self, job_id: str, keep_state: bool) -> None:
        """Move a finished take into the library, or go on with that where it was cut off. It appears whole, and all of
        it is on the disk when this returns. `keep_state`: its render goes on from where it stopped. Raises OSError."""
        folder, there = self.workspace(job_id), self._places.takes / job_id
        if not (there / "take.json").is_file():
            shutil.rmtree(folder / GIVEN, ignore_errors=True)
            if not keep_state:
                (folder / STATE).unlink(missing_ok=True)
            for path in (*folder.iterdir(), folder):
                onto_the_disk(path)
            moved(folder, there)
        onto_the_disk(self._places.takes)
        shutil.rmtree(folder, ignore_errors=True)

    def adopt_clip(self, job_id: str) -> None:
        """The same for a clip, whose MP4 comes last. Raises OSError."""
        folder = self.workspace(job_id)
        for suffix in ("jpg", "json", "mp4"):
            made, there = folder / f"clip.{suffix}", self.clip_file(job_id, suffix)
            if made.exists() or not there.exists():
                onto_the_disk(made)
                moved(made, there)
        onto_the_disk(self._places.clips)
        shutil.rmtree(folder, ignore_errors=True)

    def clip_file(self, clip_id: str, suffix: str) -> Path:
        return self._places.clips / f"{clip_id}.{suffix}"

    def set_aside(self, job_id: str) -> Path:
        """Where a result lies from now on that cannot be taken in: nothing else looks there, if it can be moved."""
        made, aside = self.workspace(job_id), self._places.set_aside / job_id
        try:
            aside.parent.mkdir(exist_ok=True)
            moved(made, aside)
            return aside
        except OSError:
            return made

    def delete_take(self, take: Take) -> None:
        """Delete a take at once; nothing brings it back."""
        shutil.rmtree(Path(take.video).parent)

    def mark(self, item: Take | Clip, favourite: bool) -> None:
        """Make it a favourite, or one no more; that lasts. Raises MachineProblem."""
        video = Path(item.video)
        mark = video.with_name(FAVOURITE) if isinstance(item, Take) else video.with_suffix(f".{FAVOURITE}")
        try:
            if not favourite:
                mark.unlink(missing_ok=True)
            else:
                mark.touch()
                onto_the_disk(mark)
            onto_the_disk(mark.parent)
        except OSError as error:
            raise not_written(error) from error

    # ---- reading ----

    def requests(self) -> Iterator[Request]:
        """What was asked for in all that is here, the trash included."""
        yield from (take.recipe.plan.request for take in self.takes())
        yield from (clip.recipe.plan.request for clip in self.clips())
        yield from (recipe.plan.request for recipe in self._trash.recipes())

    def _take(self, folder: Path) -> Take | None:
        if not all((folder / name).is_file() for name in TAKE_FILES):
            return None
        video, latents, poster, recipe = (folder / name for name in TAKE_FILES)
        found = _recipe(recipe, video)
        if found is None:
            return None  # a foreign or damaged folder is not a take; it is left alone
        return Take(id=folder.name, recipe=found, video=str(video), poster=str(poster), latents=str(latents),
                    favourite=(folder / FAVOURITE).is_file())  # fmt: skip

    def _clip(self, video: Path) -> Clip | None:
        found = _recipe(video.with_suffix(".json"), video)
        if found is None:
            return None
        return Clip(id=video.stem, recipe=found, video=str(video), poster=str(video.with_suffix(".jpg")),
                    favourite=video.with_suffix(f".{FAVOURITE}").is_file())  # fmt: skip

    def unreadable(self) -> list[str]:
        """What lies among the takes and clips and is none that can be shown."""
        takes = (folder for folder in self._places.takes.iterdir() if folder.is_dir() and self._take(folder) is None)
        clips = (video for video in self._places.clips.glob("*.mp4") if self._clip(video) is None)
        return sorted(path.name for path in itertools.chain(takes, clips))


def _recipe(sidecar: Path, video: Path) -> Recipe | None:
    """The recipe beside a video, or, where that is missing or damaged, the one inside."""
    for path in (sidecar, video):
        with contextlib.suppress(BadFile):
            return read_recipe(path)
    return None


def content_of(path: Path) -> str:
    """What a file is known by wherever it lies: the hash of all of it. Raises OSError."""
    found = path.stat()
    return _content_of(path, found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=1000)  # a plan at every key looks
def _content_of(path: Path, _modified_ns: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _child(folder: Path, name: str) -> Path | None:
    """The entry of `folder` with exactly this name. A name from outside is compared, never made into a path."""
    return next((entry for entry in folder.iterdir() if entry.name == name), None)
