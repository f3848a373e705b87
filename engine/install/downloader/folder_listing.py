"""The exact list of files of a model that is already in a folder of this computer, checked like a download's."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

from engine.install.downloader.file_selection import check_names
from engine.install.downloader.hub_listing import CONFIG, check_plausible, part_files, parts_of
from engine.schema.card import ModelCard
from engine.schema.errors import BadFile, ModelProblem
from engine.schema.manifest import Manifest, ManifestFile, read_record
from engine.schema.message import Message
from engine.weights import header
from engine.weights.model_folders import INDEX

MAX_ENTRIES = 20_000


def list_from_folder(card: ModelCard, folder: Path) -> Manifest:
    """What `card` needs, from a folder in the diffusers layout. Raises RushesError; writes nothing.

    Hashes are known where the folder has a record of its own or lies in a Hugging Face cache, whose large files are
    named by theirs. Links are followed only where they stay inside the folder or its cache.
    """
    where = f"The folder {folder.name}"
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        paths = [path for depth in ("*", "*/*") for path in islice(folder.glob(depth), MAX_ENTRIES) if path.is_file()]
        names = [path.relative_to(folder).as_posix() for path in paths]
    except (OSError, ValueError, RecursionError) as error:
        raise BadFile(
            Message("{where} has no readable model_index.json.", where=where),
            Message("Choose another copy."),
            str(error),
        ) from error
    if not isinstance(index, dict) or len(names) >= MAX_ENTRIES:
        raise BadFile(
            Message("{where} is not a model.", where=where),
            Message("Choose the folder that has a model_index.json in it."),
        )
    check_names(names, where)
    inside = {name: _entry(folder, name) for name in names}
    flat = card.but(components={key: part.but(repo="", folder="") for key, part in card.components.items()})
    files = [inside[INDEX]]
    for part, component in parts_of(flat, names, json.dumps(index)).items():
        if component.gguf:
            files += part_files(inside, part, CONFIG)
        files += part_files(inside, part, component, card.variant or "")
    files += [file for name, file in inside.items() if "/" not in name and name.upper().startswith("LICENSE")]
    check_plausible(card, files, where)
    for file in files:
        check_weights(folder / file.path)
    record = read_record(folder)
    licence = record.licence if record else ""
    return Manifest(model=card.id, licence=licence, offline=True, files=tuple(_known(files, record)))


def _entry(folder: Path, name: str) -> ManifestFile:
    path = folder / name
    real = path.resolve()
    home = folder.resolve()
    if home.parent.name == "snapshots":  # a Hugging Face cache: its files are links to ../../blobs
        home = home.parent.parent
    if not real.is_relative_to(home):
        raise ModelProblem(
            Message(
                "'{name}' in the folder {folder} is a link to somewhere else, so the folder was refused.",
                name=name[:80],
                folder=folder.name,
            ),
            Message("Copy the real files into it."),
        )
    sha256 = real.name if real.parent.name == "blobs" and len(real.name) == 64 else ""
    return ManifestFile(name=name, path=name, bytes=real.stat().st_size, sha256=sha256, found=str(real))


def _known(files: list[ManifestFile], record: Manifest | None) -> list[ManifestFile]:
    """With the hashes, repositories and commits that the folder's own record has."""
    known = {file.name: file for file in record.files} if record else {}
    return [
        file.but(
            repo=known[file.name].repo, commit=known[file.name].commit, sha256=known[file.name].sha256 or file.sha256
        )
        if file.name in known
        else file
        for file in files
    ]


def check_weights(path: Path) -> None:
    """Raises ModelProblem unless a weights file has a sound header that fits its size. Other files pass."""
    if path.suffix not in (".safetensors", ".gguf"):
        return
    try:
        header.read(path)
    except (*header.DAMAGE, RuntimeError) as error:
        raise ModelProblem(
            Message("The weights file {file} is damaged or cut short.", file=path.name),
            Message("Fetch this model again."),
            str(error),
        ) from error
