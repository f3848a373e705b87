"""The files below presets/: model cards, looks, cameras, saved requests, tiers. Ours, and a person's own.

Everything here is TOML that somebody may have edited or got from a stranger: size first, then the fields, then use.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from engine.durable_files import written
from engine.planning.tiers import Tier
from engine.schema import FrozenModel, HardwareProfile
from engine.schema.card import ModelCard
from engine.schema.errors import BadFile, BadOwnFile, BadSetting, UnknownName, not_written
from engine.schema.message import Message
from engine.schema.preset import Camera, Look, Named, Preset, fields, id_of
from engine.schema.request import Request

MAX_CARD_BYTES = 256_000
MAX_PRESET_BYTES = 32_000
FOLDERS: dict[type[Named], str] = {Look: "looks", Camera: "cameras", Preset: "requests", Tier: "tiers"}
AnyPreset = Look | Camera | Preset | Tier
PRESET_KINDS: dict[str, type[AnyPreset]] = {"look": Look, "camera": Camera, "request": Preset, "tier": Tier}
Kind = TypeVar("Kind", bound=Named)
Checked = TypeVar("Checked", bound=FrozenModel)


class Catalog:
    """The cards below some folders, read once. The starter comes first; a later folder's card replaces an earlier one.

    A card that is wrong is left out and named in `problems`: one bad file must not keep the studio from opening.
    """

    def __init__(self, *folders: Path) -> None:
        self.problems: list[BadFile] = []
        found: dict[str, ModelCard] = {}
        for path in (path for folder in folders for path in sorted(folder.glob("*.toml"))):
            try:
                found[path.stem] = read_card(path)
            except BadFile as problem:
                self.problems.append(problem)
        self.cards = dict(sorted(found.items(), key=lambda item: (item[0] != "starter", item[0])))

    def card(self, model: str) -> ModelCard:
        """The card of one model. Raises UnknownName with the names there are."""
        if model not in self.cards:
            raise UnknownName(
                Message("There is no model called '{model}'.", model=model[:60]),
                Message("Choose one of: {cards}.", cards=self.cards),
            )
        return self.cards[model]


def read_card(path: Path) -> ModelCard:
    """One card from a TOML file. Raises BadFile naming the file and the field that is wrong."""
    remedy = Message("Restore the file (an update does that), or remove it if you added it.")
    what = Message("The model card {file}", file=path.name)
    card = _checked(_toml(path, what, MAX_CARD_BYTES, remedy), what, ModelCard, remedy)
    if card.id != path.stem:
        raise BadFile(
            Message(
                "The model card {file} calls itself '{card}'; both names must be the same.",
                file=path.name,
                card=card.id,
            ),
            remedy,
        )
    return card


def machines(folder: Path) -> dict[str, HardwareProfile]:
    """Machines of all kinds, each in a JSON file, to plan for: what a person has not got, or not yet."""
    return {path.stem: HardwareProfile.model_validate_json(path.read_bytes()) for path in sorted(folder.glob("*.json"))}


class Presets:
    """Looks, cameras, saved requests and tiers. Read from the disk at every call: another program may have saved one.

    `ours` and `own` are folders with looks/, cameras/, requests/ and tiers/ in them. An own file replaces ours of the
    same name until it is deleted.
    """

    def __init__(self, ours: Path, own: Path) -> None:
        self._ours, self._own = ours, own

    def looks(self) -> list[Look]:
        """The looks to choose from, by name; `look.words_for(card)` is empty for a model that cannot do it."""
        return self.all(Look)

    def cameras(self) -> list[Camera]:
        """The camera moves to choose from, by name."""
        return self.all(Camera)

    def requests(self) -> list[Preset]:
        """The whole requests that this person saved."""
        return self.all(Preset)

    def keep(self, name: str, content: Request | Look | Camera | Tier) -> AnyPreset:
        """Keep a request, or a changed look, camera or tier, under a name; an own one of that name is replaced.

        Raises BadSetting for a name that cannot be one. Pictures and the device are left out.
        """
        named_so_far = Preset(id="new", name="new", request=content) if isinstance(content, Request) else content
        kept = named(named_so_far, name)
        self.save(kept)
        return kept

    def all(self, kind: type[Kind]) -> list[Kind]:
        """Every readable one, by name; a broken file is left out, and `problems` names it."""
        files = self._files(kind)
        try:
            return [*_all_of(kind, files)]
        except BadFile:  # what is broken is looked at each time: it may have been a full table of open files
            return _sorted(_readable(kind, files))

    def problems(self) -> list[BadFile]:
        """What is wrong with the files that are left out."""
        found = []
        for kind in FOLDERS:
            for path in self._paths(kind).values():
                try:
                    _read(path, kind)
                except BadFile as problem:
                    found.append(problem)
        return found

    def get(self, kind: type[Kind], name: str) -> Kind:
        """Raises UnknownName, or BadFile when its file is broken. The name is compared, never made into a path."""
        paths = self._paths(kind)
        if name not in paths:
            raise _unknown(kind, name, paths)
        return _read(paths[name], kind)

    def is_own(self, preset: AnyPreset) -> bool:
        """Whether it lies in the person's data folder and can be deleted."""
        return self._file(preset).is_file()

    def save(self, preset: AnyPreset) -> None:
        """Keep it among the person's own; one of the same name is replaced."""
        path = self._file(preset)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, preset)

    def export(self, kind: type[AnyPreset], name: str, folder: Path) -> Path:
        """Write one to a folder, as a file for a friend that `receive` takes in; answers where. Raises UnknownName, or
        BadFile when there is no such folder."""
        preset = self.get(kind, name)
        if not folder.is_dir():
            raise BadFile(
                Message("The folder {folder} does not exist.", folder=folder),
                Message("Make it first, or choose another."),
            )
        path = folder / f"{preset.id}.{preset.kind}.toml"
        _write(path, preset)
        return path

    def receive(self, path: Path, renamed: str | None = None) -> AnyPreset:
        """Keep a friend's file, under another name if `renamed` says so.

        Raises BadFile with the field that is wrong, or when there is another preset of this name.
        """
        remedy = Message("Ask its author for a good copy, or choose another file.")
        document = _toml(path, path.name, MAX_PRESET_BYTES, remedy)
        kind = PRESET_KINDS.get(str(document.get("kind")))
        if kind is None:
            raise BadFile(
                Message(
                    "{file} is wrong at 'kind': it must be {preset_kinds}.",
                    file=path.name,
                    preset_kinds=list(PRESET_KINDS),
                ),
                remedy,
            )
        preset: AnyPreset = _checked(document, path.name, kind, remedy)
        if renamed is not None:
            preset = named(preset, renamed)
        taken = self._paths(type(preset)).get(preset.id)
        if taken is None:
            self.save(preset)
        elif preset not in self.all(type(preset)):
            raise BadFile(
                Message("There is another {kind} called '{preset}' already.", kind=preset.kind, preset=preset.id),
                Message("Import it by another name."),
            )
        return preset

    def delete(self, kind: type[Named], name: str) -> None:
        """Delete one of the person's own, broken or not. Raises BadInput for any other."""
        paths = self._paths(kind)
        if name not in paths:
            raise _unknown(kind, name, paths)
        if not paths[name].is_relative_to(self._own):
            raise BadSetting(
                Message("'{name}' comes with Rushes and cannot be deleted.", name=name),
                Message("Leave it where it is."),
            )
        try:
            paths[name].unlink()
        except OSError as error:
            raise not_written(error) from error

    def _paths(self, kind: type[Named]) -> dict[str, Path]:
        return {path.stem: path for path in (Path(file) for file, _ in self._files(kind))}

    def _files(self, kind: type[Named]) -> tuple[File, ...]:
        """Each file with its stamp, ours first; a person's own takes the place of one of ours of that name."""
        found: dict[str, File] = {}
        for root in (self._ours, self._own):
            with contextlib.suppress(OSError), os.scandir(root / FOLDERS[kind]) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if entry.name.endswith(".toml"):
                        found[entry.name] = entry.path, _stamp(entry)
        return tuple(found.values())

    def _file(self, preset: AnyPreset) -> Path:
        return self._own / FOLDERS[type(preset)] / f"{preset.id}.toml"


def named(preset: AnyPreset, name: str) -> AnyPreset:
    """The same under another name, checked as a file's fields are. Raises BadSetting."""
    try:
        return type(preset).model_validate(fields(preset) | {"name": name, "id": id_of(name)})
    except ValidationError as error:
        field, message = _first(error)
        raise BadSetting(
            Message("This cannot be kept: '{field}' is wrong, {message}.", field=field, message=message),
            Message("Change it, then save again."),
        ) from error


def _unknown(kind: type[Named], name: str, known: Iterable[str]) -> UnknownName:
    there = ", ".join(known) or Message("none yet")
    return UnknownName(
        Message("There is no '{name}' among the {folders}.", name=name[:64], folders=FOLDERS[kind]),
        Message("There are: {there}.", there=there),
    )


Stamp = tuple[int, int, int]
File = tuple[str, Stamp | None]  # a path, and what changes when the file does; None where it cannot be looked at


def _stamp(entry: os.DirEntry[str] | Path) -> Stamp | None:
    try:
        now = entry.stat()
    except OSError:
        return None
    return now.st_mtime_ns, now.st_size, now.st_ino


@functools.lru_cache(maxsize=64)  # a plan at every key asks for the tiers twice
def _all_of(kind: type[Kind], files: tuple[File, ...]) -> tuple[Kind, ...]:
    """Raises BadFile where one cannot be read."""
    return tuple(_sorted(_read(Path(path), kind) for path, _ in files))


def _readable(kind: type[Kind], files: tuple[File, ...]) -> Iterator[Kind]:
    for path, _ in files:
        with contextlib.suppress(BadFile):
            yield _read(Path(path), kind)


def _sorted(presets: Iterable[Kind]) -> list[Kind]:
    return sorted(presets, key=lambda preset: preset.name.casefold())


def _read(path: Path, kind: type[Kind]) -> Kind:
    """One preset from its place, parsed again when the file is another than before. Raises BadFile."""
    try:
        if stamp := _stamp(path):
            parsed: Kind = _parsed(path, kind, stamp)
            return parsed
    except BadFile as error:
        raise BadOwnFile(error.cause, error.remedy, error.detail) from error
    raise BadOwnFile(
        Message("{file} is not there, or is no file.", file=path.name), Message("Correct the file, or delete it.")
    )


@functools.lru_cache(maxsize=512)  # a plan at every key asks for the tiers each time
def _parsed(path: Path, kind: type[Kind], _stamp: tuple[int, int, int]) -> Kind:
    remedy = Message("Correct the file, or delete it.")
    preset = _checked(_toml(path, path.name, MAX_PRESET_BYTES, remedy), path.name, kind, remedy)
    if preset.id != path.stem:
        raise BadFile(
            Message(
                "{file} is wrong at 'id': it says '{preset}', not the file's name.", file=path.name, preset=preset.id
            ),
            remedy,
        )
    return preset


def _write(path: Path, preset: AnyPreset) -> None:
    import tomlkit  # only this writes TOML

    text = tomlkit.dumps(fields(preset))
    try:
        with written(path) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise not_written(error) from error


def _toml(path: Path, what: str, limit: int, remedy: Message) -> dict[str, Any]:
    """What an ordinary TOML file that is not too large holds. Raises BadFile."""
    try:
        if not path.is_file():
            raise BadFile(Message("{what} is not there, or is no file.", what=what), remedy)
        with path.open("rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise BadFile(Message("{what} is far too large to be one.", what=what), remedy)
        return tomllib.loads(content.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no TOML, no UTF-8, an endless number
        raise BadFile(Message("{what} cannot be read ({error}).", what=what, error=error), remedy) from error


def _checked(document: dict[str, Any], what: str, kind: type[Checked], remedy: Message) -> Checked:
    """The document as the noun that it must be. Raises BadFile naming the field that is wrong."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        field, message = _first(error)
        if field == "format":
            raise BadFile(
                Message("{what} is wrong at 'format': a newer Rushes made it.", what=what), Message("Update Rushes.")
            ) from error
        raise BadFile(
            Message("{what} is wrong at '{field}': {message}.", what=what, field=field, message=message), remedy
        ) from error


def _first(error: ValidationError) -> tuple[str, str]:
    """The first field that is wrong, and why."""
    first = error.errors()[0]
    return ".".join(str(part) for part in first["loc"]), first["msg"].removeprefix("Value error, ")
