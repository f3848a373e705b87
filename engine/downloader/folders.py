"""A model that is already somewhere on this computer: a folder, a USB disk, another program's models.

Recognised is the diffusers layout (a model_index.json with one folder per part), as the Hugging Face cache, ComfyUI's
models/diffusers and a copied models folder of Rushes hold it. Single-file checkpoints are not; they would be recognised
in `find_models`.
"""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from engine.card import ModelCard
from engine.downloader.listing import INDEX, check_plausible, part_files, parts_of
from engine.downloader.selection import check_names
from engine.errors import BadFile, ModelProblem
from engine.manifest import Manifest, ManifestFile, read_record

MAX_ENTRIES = 20_000
LAYOUTS = ("", "*", "models/diffusers/*", "diffusers/*", "ckpts/*", "snapshots/*")


def find_models(folder: Path) -> list[Path]:
    """The model folders in, or just below, a folder that a person pointed at. Raises BadFile when it is none."""
    if not folder.is_dir():
        raise BadFile(f"The folder {folder.name} cannot be found.", "Check its name, and that the disk is plugged in.")
    for layout in LAYOUTS:
        found = sorted(path for path in (folder.glob(layout) if layout else [folder]) if (path / INDEX).is_file())
        if found:
            return found
    if any(folder.rglob("*.safetensors")) or any(folder.rglob("*.gguf")):
        raise BadFile(
            f"The folder {folder.name} holds single weight files; Rushes reads the folder layout of diffusers.",
            "Choose a folder that has a model_index.json in it, or install the model from the hub.",
        )
    raise BadFile(f"The folder {folder.name} holds no model.", "Choose the folder that has a model_index.json in it.")


def guess_card(folder: Path, cards: list[ModelCard]) -> ModelCard | None:
    """Which model a folder holds, by its record, its name, or its place in a Hugging Face cache."""
    record = read_record(folder)
    names = {folder.name.casefold(), record.model if record else ""}
    cached = {part.removeprefix("models--").replace("--", "/").casefold() for part in folder.parts[-4:]}
    for card in cards:
        if card.id in names or (card.repo and card.repo.casefold() in cached):
            return card
    return None


def list_from_folder(card: ModelCard, folder: Path) -> Manifest:
    """What `card` needs, from a folder in the diffusers layout. Raises RushesError; writes nothing.

    Hashes are known where the folder has a record of its own or lies in a Hugging Face cache, whose large files are
    named by theirs. Links are followed only where they stay inside the folder or its cache.
    """
    where = f"The folder {folder.name}"
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    except (OSError, ValueError, RecursionError) as error:
        raise BadFile(f"{where} has no readable model_index.json.", "Choose another copy.", str(error)) from error
    if not isinstance(index, dict) or len(names) > MAX_ENTRIES:
        raise BadFile(f"{where} is not a model.", "Choose the folder that has a model_index.json in it.")
    check_names(names, where)
    inside = {name: _entry(folder, name) for name in names}
    flat = card.model_copy(
        update={
            "components": {
                key: part.model_copy(update={"repo": "", "folder": ""}) for key, part in card.components.items()
            }
        }
    )
    files = [inside[INDEX]]
    for part, component in parts_of(flat, names, json.dumps(index)).items():
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
            f"'{name[:80]}' in the folder {folder.name} is a link to somewhere else, so the folder was refused.",
            "Copy the real files into it.",
        )
    sha256 = real.name if real.parent.name == "blobs" and len(real.name) == 64 else ""
    return ManifestFile(name=name, path=name, bytes=real.stat().st_size, sha256=sha256, found=str(real))


def _known(files: list[ManifestFile], record: Manifest | None) -> list[ManifestFile]:
    """With the hashes, repositories and commits that the folder's own record has."""
    known = {file.name: file for file in record.files} if record else {}
    return [
        file.model_copy(
            update={
                "repo": known[file.name].repo,
                "commit": known[file.name].commit,
                "sha256": known[file.name].sha256 or file.sha256,
            }
        )
        if file.name in known
        else file
        for file in files
    ]


def check_weights(path: Path) -> None:
    """Raises ModelProblem unless a safetensors file has a sound header that fits its size. Other files pass."""
    if path.suffix != ".safetensors":
        return
    try:
        with safe_open(str(path), framework="np"):
            pass
    except (SafetensorError, OSError) as error:
        raise ModelProblem(
            f"The weights file {path.name} is damaged or cut short.", "Fetch this model again.", str(error)
        ) from error
