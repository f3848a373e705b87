"""The LoRAs of one data root: taken in under the name of their content, or left where another app keeps them.

A record beside each says what it is. A LoRA in a shared folder has a record only: it is read there, never moved, and
refused when it has changed since it was chosen.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import json
import math
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from engine.durable_files import written
from engine.schema import FrozenModel, LoraUse, Request, ShotPlan
from engine.schema.errors import BadFile, BadSetting, UnknownName, not_written
from engine.schema.manifest import LORA_FILE, HubLora, Manifest, ManifestFile, read_record
from engine.schema.message import NOTHING, Message
from engine.storage.job_store import TEXTS, Store
from engine.weights.lora import file as lora_file
from engine.weights.lora import settings as lora_settings
from engine.weights.lora.file import READING, LoraFile, read_lora
from engine.weights.lora.matching import STRONGEST, joined

CUT_OFF_SECONDS = 24 * 3600
SHARED = "lora_folders"  # the setting that names folders of other apps
MAX_LISTED = 1000
TYPED = re.compile(r"(?i)<\s*lora\s*:([^:<>]{1,200})(?::([^:<>]{0,40}))?(?::[^<>]{0,100})?>")
ENDING = ".safetensors"
Half = Literal["high", "low", "both"]  # for the early steps, for the late ones, for all


class Record(FrozenModel):
    """What lies beside a LoRA. `origin`: where the file is, when another app keeps it; then its size and age too.

    `hub`: repository, file and commit of one that was downloaded. `half`: what a person said that it is. `reading`: by
    which version the file was read.
    """

    file: LoraFile
    hub: str = ""
    half: Half | None = None
    reading: int = 1
    origin: str = ""
    bytes: int = 0
    modified_ns: int = 0


@functools.lru_cache(maxsize=2 * MAX_LISTED)
def _said(path: Path, _modified_ns: int) -> LoraFile:
    """What a file says of itself, read again only when it has changed."""
    return read_lora(path)


class Loras:
    """The kept LoRAs, and those in folders that another app shares."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder, self._store = folder, store

    # ---- what is there ----

    def kept(self) -> list[LoraFile]:
        """Every LoRA that a request can name, by name."""
        found = [self._record(path.stem) for path in self._folder.glob("*.json")]
        files = [_as_said(record) for record in found if record]
        return sorted(files, key=lambda file: (file.name.casefold(), file.id))

    def shared(self) -> list[tuple[Path, LoraFile]]:
        """LoRAs in the shared folders, to be chosen by `keep`; what else lies there is the other app's."""
        inside = (path for folder in self.folders() for path in sorted(folder.rglob("*")))
        found = (path for path in inside if path.suffix.casefold() == ENDING)
        said = []
        for path in itertools.islice(found, MAX_LISTED):
            with contextlib.suppress(BadFile, OSError):
                said.append((path, _said(path, path.stat().st_mtime_ns)))
        return said

    def folders(self) -> list[Path]:
        """Folders of other programs whose LoRAs are read where they lie."""
        return [Path(text) for text in self._store.setting_as(SHARED, TEXTS) or ()]

    def share(self, folders: Sequence[Path]) -> None:
        """Read LoRAs from these folders too. Raises BadFile when one is no folder."""
        for folder in folders:
            if not folder.is_dir():
                raise BadFile(
                    Message("There is no folder {folder}.", folder=folder),
                    Message("Choose a folder that another app keeps LoRAs in."),
                )
        self._store.set(SHARED, json.dumps([str(folder.absolute()) for folder in folders]))

    def find(self, name: str) -> LoraFile:
        """The kept LoRA of this id or name. Raises UnknownName."""
        matches = [file for file in self.kept() if file.id == name or file.name.casefold() == name.casefold()]
        if len(matches) == 1:
            return matches[0]
        several = Message("{count} LoRAs have this name; use its id.", count=len(matches)) if matches else NOTHING
        raise UnknownName(
            Message.joined([Message("There is no LoRA called '{name}'.", name=name[:80]), several]),
            Message("See `app.py loras` for their names."),
        )

    def kept_from(self, manifest: Manifest) -> LoraFile:
        """The LoRA that a finished download brought. Raises UnknownName."""
        (file,) = manifest.files
        hub = _address(file)
        records = (self._record(path.stem) for path in self._folder.glob("*.json"))
        for record in records:
            if record and record.hub == hub:
                return record.file
        raise UnknownName(
            Message("{file} of {repo} is not here.", file=file.path, repo=file.repo), Message("Download it first.")
        )

    def path(self, name: str) -> Path:
        """Where a LoRA's file lies. Raises BadFile when it is gone or is another one now."""
        record = self._record(name)
        path = Path(record.origin) if record and record.origin else self._folder / f"{name}.safetensors"
        if record is None or not path.is_file():
            raise BadFile(
                Message("A LoRA of this shot is no longer there."), Message("Choose its file again, or leave it out.")
            )
        if record.origin and (path.stat().st_size, path.stat().st_mtime_ns) != (record.bytes, record.modified_ns):
            raise BadFile(
                Message("The LoRA {file} has changed since it was chosen.", file=path.name), Message("Choose it again.")
            )
        return path

    # ---- coming and going ----

    def keep(self, path: Path) -> LoraFile:
        """Take in a LoRA, or remember where a shared one lies. Raises BadFile in one sentence."""
        if settings := lora_settings.beside(path):  # by how much it is scaled stands beside it
            return self._keep_with(path, settings)
        own = path.resolve().is_relative_to(self._folder.parent.resolve())  # it only came through here
        said = read_lora(path, folder="" if own else None)
        said = said.but(came_from="" if own else str(path.resolve().parent))
        try:
            with path.open("rb") as opened:
                name = hashlib.file_digest(opened, "sha256").hexdigest()[:32]
            self._folder.mkdir(exist_ok=True)
            file, mine, where = (
                said.but(id=name),
                self._folder / f"{name}.safetensors",
                path.resolve(),
            )
            if not mine.is_file() and any(where.is_relative_to(folder.resolve()) for folder in self.folders()):
                age = where.stat()
                at = {"origin": str(where), "bytes": age.st_size, "modified_ns": age.st_mtime_ns}
                return self._remember(Record.model_validate({"file": file, **at}))
            if not mine.is_file():
                with written(mine) as part:
                    shutil.copyfile(path, part)
            return self._remember(Record(file=file))
        except OSError as error:
            raise not_written(error) from error

    def keep_arrived(self, folder: Path) -> LoraFile:
        """Take in a LoRA that was downloaded to a folder, with what its hub says. Raises BadFile."""
        manifest, path = read_record(folder), folder / LORA_FILE
        if manifest is None:
            raise BadFile(Message("What was downloaded is no longer there."), Message("Download it again."))
        (file,) = manifest.files
        said = read_lora(path, HubLora(repo=file.repo, file=file.path).name, folder="")
        known = {"id": file.sha256[:32], "licence": said.licence or manifest.licence}
        said = said.but(**(known | {"came_from": f"{file.repo}/{file.path}".rpartition("/")[0]}))
        try:
            self._folder.mkdir(exist_ok=True)
            _lay(path, self._folder / f"{said.id}.safetensors")
            return self._remember(Record(file=said, hub=_address(file)))
        except OSError as error:
            raise not_written(error) from error

    def _remember(self, record: Record) -> LoraFile:
        """Write a record down, with what was known of this LoRA before. Raises OSError."""
        if old := self._record(record.file.id):
            file = record.file.but(licence=record.file.licence or old.file.licence)
            record = record.but(file=file, hub=record.hub or old.hub, half=old.half)
        self._write(record)
        return _as_said(record)

    def remove(self, name: str) -> None:
        """Forget a kept LoRA; a shared file stays where it is."""
        file = self.find(name)
        try:
            (self._folder / f"{file.id}.json").unlink(missing_ok=True)
            (self._folder / f"{file.id}.safetensors").unlink(missing_ok=True)
        except OSError as error:
            raise not_written(error) from error

    def _keep_with(self, path: Path, settings: dict[str, Any]) -> LoraFile:
        read_lora(path)  # refused here, before it is copied
        try:
            self._folder.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._folder, prefix="copy-", suffix=".part") as folder:
                whole = Path(folder) / f"{lora_file.name_of(path).replace('/', ' ')}{ENDING}"
                lora_settings.copy_with(path, settings, whole)
                kept = self.keep(whole)
            record = Record(file=kept.but(came_from=str(path.resolve().parent)))
            return self._remember(record)
        except ValueError as error:
            raise BadFile(
                Message("{file} cannot be read.", file=path.name), Message("Get the file again."), str(error)
            ) from error
        except OSError as error:
            raise not_written(error) from error

    def sweep(self) -> None:
        """Remove copies that were cut off a day ago or longer: a younger one may still be written."""
        for part in self._folder.glob("*.part"):
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > CUT_OFF_SECONDS:
                    shutil.rmtree(part) if part.is_dir() else part.unlink()

    def set_half(self, name: str, half: Half) -> LoraFile:
        """Say which steps of a model of two transformers a LoRA is for. Raises UnknownName."""
        found = self.find(name)
        try:
            if record := self._record(found.id):
                self._write(record.but(half=half))
        except OSError as error:
            raise not_written(error) from error
        return self.find(found.id)

    def stage(self, plan: ShotPlan, folder: Path) -> None:
        """Lay the LoRAs of a plan into a folder, without a copy where the disk is the same."""
        for name in {name for lora in plan.loras if lora.strength for name in lora.parts.values()}:
            source = self.path(name)
            try:
                _lay(source, folder / f"{name}.safetensors")
            except OSError as error:
                raise not_written(error) from error

    # ---- in a request ----

    def typed(self, request: Request) -> Request:
        """A request with the LoRAs that its prompt names as `<lora:NAME:STRENGTH>`, as other programs have it, and the
        prompt without them. Raises BadSetting when one is not here."""
        if not TYPED.search(request.prompt + request.negative_prompt):
            return request
        chosen = {use.id for use in request.loras}
        added = []
        for name, strength in TYPED.findall(request.prompt):
            found = self._named(name)
            if found.id not in chosen:
                added.append(LoraUse(id=found.id, strength=_typed_strength(strength), name=found.name))
                chosen.add(found.id)
        bare = {
            text: " ".join(TYPED.sub(" ", getattr(request, text)).split()) for text in ("prompt", "negative_prompt")
        }
        return request.but(**bare, loras=(*request.loras, *added))

    def _named(self, name: str) -> LoraFile:
        name = name.strip().removesuffix(ENDING)
        try:
            with contextlib.suppress(UnknownName):
                return self.find(name)
            return self.find(re.split(r"[/\\]", name)[-1])  # other programs write the folder too
        except UnknownName as error:
            raise BadSetting(
                Message(
                    "The prompt names the LoRA '{name}', which is not on this computer, or more than once.",
                    name=name.strip()[:80],
                ),
                Message("Choose it in the LoRA list, or take its <lora:...> out of the prompt."),
            ) from error

    def resolve(self, uses: Sequence[LoraUse], pairs: bool) -> tuple[tuple[LoraUse, ...], dict[str, LoraFile]]:
        """The LoRAs of a request by name, with halves joined for a model of two transformers, and what their files say.

        Raises BadFile when one is not here.
        """
        kept = {file.id: file for file in self.kept()} if uses else {}
        for use in uses:
            if use.id not in kept or (use.low and use.low not in kept):
                raise BadFile(
                    Message("The LoRA '{use}' of this shot is not on this computer.", use=use.name or use.id),
                    Message("Add its file with `app.py loras add`, or leave it out."),
                )
        chosen = joined(uses, kept) if pairs else uses
        named = tuple(use.but(name=kept[use.id].name) for use in chosen)
        return named, {name: kept[name] for use in named for name in (use.id, use.low) if name}

    def _record(self, name: str) -> Record | None:
        try:
            text = (self._folder / f"{name}.json").read_bytes()
            if json.loads(text).get("reading") == READING:
                return Record.model_validate_json(text)
            return self._read_again(json.loads(text))
        except (OSError, ValueError, AttributeError, TypeError, RecursionError):  # whatever stands in it
            return None

    def _read_again(self, kept: dict[str, Any]) -> Record | None:
        """The record of a LoRA that an older version read, as this one reads it; None where its file is not there."""
        old = kept["file"] if isinstance(kept.get("file"), dict) else {}
        path = Path(kept.get("origin") or self._folder / f"{old.get('id')}{ENDING}")
        try:
            folder = "" if kept.get("hub") else Path(old.get("came_from", "")).name
            said = read_lora(path, old.get("name", ""), folder)
        except BadFile:
            return None
        known = {name: old[name] for name in ("id", "came_from") if name in old}
        known["licence"] = said.licence or old.get("licence", "")
        origin = {name: kept[name] for name in ("hub", "half", "origin", "bytes", "modified_ns") if name in kept}
        record = Record.model_validate({"file": said.model_dump() | known, **origin})
        with contextlib.suppress(OSError):  # a full disk: it is read again the next time
            self._write(record)
        return record

    def _write(self, record: Record) -> None:
        with written(self._folder / f"{record.file.id}.json") as part:
            part.write_text(record.but(reading=READING).model_dump_json(indent=1), encoding="utf-8")


def _typed_strength(text: str) -> float:
    """1 where none is typed; with a point or a comma. Raises BadSetting."""
    if not text.strip():
        return 1.0
    try:
        strength = float(text.strip().replace(",", "."))
    except ValueError:
        strength = math.nan
    if not -STRONGEST <= strength <= STRONGEST:
        raise BadSetting(
            Message("'{text}' is not a strength for a LoRA.", text=text.strip()[:20]),
            Message("Use -{strongest:g} to {strongest:g}.", strongest=STRONGEST),
        )
    return strength


def _as_said(record: Record) -> LoraFile:
    """The LoRA of a record, with what a person said of it."""
    if record.half is None:
        return record.file
    both = record.half == "both"
    return record.file.but(noise="" if both else record.half, for_both=both)


def _address(file: ManifestFile) -> str:
    return f"{file.repo}/{file.path}@{file.commit}"


def _lay(source: Path, place: Path) -> None:
    """A file at another place too, whole or not at all; without a copy where the disk is the same."""
    source = source.resolve()
    with written(place) as part:
        part.unlink(missing_ok=True)
        try:
            part.hardlink_to(source)
        except OSError:  # another disk, or one without links
            shutil.copyfile(source, part)
