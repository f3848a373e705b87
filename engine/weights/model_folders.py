"""Models that are already somewhere on this computer: a folder, a USB disk, another program's models.

Recognised is the diffusers layout (a model_index.json with one folder per part), as the Hugging Face cache, ComfyUI's
models/diffusers, WanGP's ckpts and a copied models folder of Rushes hold it. Single files are for `external`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.schema.card import ModelCard
from engine.schema.errors import BadFile
from engine.schema.manifest import read_record
from engine.schema.message import Message
from engine.weights.single_file import KINDS

INDEX = "model_index.json"
LAYOUTS = ("", "*", "models/diffusers/*", "diffusers/*", "ckpts/*", "snapshots/*")
SINGLE_FILES = ("*", "*/*", "*/*/*")


def find_models(folder: Path) -> list[Path]:
    """The model folders in, or just below, a folder that a person pointed at. Raises BadFile when it is none."""
    if not folder.is_dir():
        raise BadFile(
            Message("The folder {folder} cannot be found.", folder=folder.name),
            Message("Check its name, and that the disk is plugged in."),
        )
    for layout in LAYOUTS:
        found = sorted(path for path in (folder.glob(layout) if layout else [folder]) if (path / INDEX).is_file())
        if found:
            return found
    if any(path for depth in SINGLE_FILES for path in folder.glob(depth) if path.suffix.casefold() in KINDS):
        raise BadFile(
            Message("The folder {folder} holds single weight files, not a whole model.", folder=folder.name),
            Message(
                "Use them where they lie with `app.py models reuse {folder}`: only the rest of the model is "
                "downloaded.",
                folder=folder,
            ),
        )
    raise BadFile(
        Message("The folder {folder} holds no model.", folder=folder.name),
        Message("Choose the folder that has a model_index.json in it."),
    )


def guess_card(folder: Path, cards: Sequence[ModelCard]) -> ModelCard | None:
    """Which model a folder holds, by its record, its name, or its place in a Hugging Face cache."""
    record = read_record(folder)
    names = {folder.name.casefold(), record.model if record else ""}
    cached = {part.removeprefix("models--").replace("--", "/").casefold() for part in folder.parts[-4:]}
    for card in cards:
        if card.id in names or (card.repo and card.repo.casefold() in cached):
            return card
    return None
