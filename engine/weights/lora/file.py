"""What a LoRA file says of itself: which models it is made for, its rank, its half of a pair, its words, its licence.

Read from the safetensors header alone: names, shapes and notes; no tensor, no torch, no pickle.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from engine.schema import ContentId, FrozenModel, Noise
from engine.schema.errors import BadFile
from engine.schema.message import Message
from engine.weights import header
from engine.weights.lora import layout, pairs

MAX_LORA_BYTES = 4_000_000_000  # of rank 256 for the largest model of the field: 2 GB
BYTES_APPLIED = 2
READING = 4  # what is read from a file; one more when that changes, so that kept files are read again
FLOATS = re.compile(r"B?F\d")
REMEDY = Message("Choose a LoRA in a .safetensors file.")
NOTES = {
    "trigger_words": ("modelspec.trigger_phrase", "trigger_words", "trigger_word", "instance_prompt"),
    "licence": ("modelspec.license", "license", "licence"),
    "base": ("modelspec.architecture", "ss_base_model_version", "base_model", "ss_sd_model_name"),
}


class LoraFile(FrozenModel):
    """One LoRA. `id` is the hash of its content, empty for one that was only looked at.

    `families`: those that its names allow; `width` and `blocks` of the transformer say which model of them, 0 where
    they do not. `layers`: how many it changes, some of them `special` to models of a kind (VACE, an image encoder);
    `omits`: how many of which other kind cannot be applied at all. `noise`: which half of a pair it is; `has_both`: it
    brings both; `for_both`: a person said that it is for all steps. `came_from`: the folder or repository that it is
    from. `licence` is empty where the file says nothing. `applied_gb`: what it takes beside a model in 16 bits, which
    for a LoHa is far more than its file.
    """

    id: ContentId | Literal[""] = ""
    name: str
    families: tuple[str, ...]
    width: int
    blocks: int
    rank: int
    layers: int = 0
    special: dict[str, int] = {}
    omits: dict[str, int] = {}
    noise: Noise = ""
    has_both: bool = False
    for_both: bool = False
    came_from: str = ""
    trigger_words: str = ""
    licence: str = ""
    size_gb: float
    applied_gb: float = 0.0


def read_lora(path: Path, name: str = "", folder: str | None = None) -> LoraFile:
    """`name`: when it is not that of the file; `folder`: the name of the folder that it came from, when it is not the
    one that it lies in. Raises BadFile in one sentence when it is no LoRA that can be read."""
    folder = path.resolve().parent.name if folder is None else folder
    name = name or name_of(path, folder)
    shapes, notes = _header(path)
    try:
        readings = layout.read(shapes)
    except layout.Unreadable as why:
        raise _refused(path.name, why) from why
    families = _said(tuple(readings), _note(notes, "base").casefold())
    reading = readings[families[0]] if families else None
    halves = {change.half for change in reading.changes} if reading else set()
    return LoraFile(
        name=name,
        families=families,
        width=layout.width(reading, shapes) if reading else 0,
        blocks=layout.blocks(reading) if reading else 0,
        rank=layout.rank(reading, shapes) if reading else 0,
        layers=len(reading.changes) if reading else 0,
        special=dict(Counter(kind for change in reading.changes if (kind := layout.special(change))))
        if reading
        else {},
        omits=reading.omits if reading else {},
        noise=_only(halves) or pairs.half(name, folder),
        has_both=halves == {"high", "low"},
        trigger_words=_note(notes, "trigger_words"),
        licence=_note(notes, "licence"),
        size_gb=path.stat().st_size / 1e9,
        applied_gb=BYTES_APPLIED * layout.numbers(reading, shapes) / 1e9 if reading else 0.0,
    )


def _only(halves: set[Noise]) -> Noise:
    """The half that all of a file's tensors say that they are; empty where they do not, or are both."""
    return next(iter(halves)) if len(halves) == 1 else ""


def _refused(file: str, why: layout.Unreadable) -> BadFile:
    match why.why:
        case "foreign":
            return BadFile(
                Message("{file} is a {what}, a kind of LoRA that Rushes cannot apply.", file=file, what=why.what),
                Message("Choose a plain LoRA."),
            )
        case "several":
            return BadFile(
                Message("{file} holds several LoRAs in one.", file=file), Message("Choose a file with one LoRA.")
            )
        case "cut":
            return BadFile(
                Message("{file} is damaged: a part of '{what}' is missing.", file=file, what=why.what),
                Message("Get the file again."),
            )
    return BadFile(Message("{file} is a safetensors file, but no LoRA.", file=file), REMEDY)


def name_of(path: Path, folder: str | None = None) -> str:
    """That of the file, with that of its folder where the file's alone says nothing."""
    folder, stem = path.resolve().parent.name if folder is None else folder, path.stem
    return f"{folder}/{stem}"[-120:] if folder and pairs.is_generic(stem) else stem[:120]


def _header(path: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """Shapes by name, and the notes."""
    try:
        tensors, notes = header.read(path)
    except header.DAMAGE as error:
        raise header.refusal(path, error, REMEDY) from error
    if any(len(shape) > 1 and not FLOATS.match(kind) for _, shape, kind in tensors):
        raise BadFile(Message("{file} holds whole numbers where a LoRA has fractions.", file=path.name), REMEDY)
    return {name: shape for name, shape, _ in tensors}, notes


def _said(families: tuple[str, ...], base: str) -> tuple[str, ...]:
    """Those of several alike that the file's notes name, or all."""
    said = [family for family, words in (("ltx2", r"ltx-?_?2"), ("ltx", r"ltx-?_?v")) if re.search(words, base)]
    return tuple(family for family in families if family in said) or families


def _note(notes: Mapping[str, str], about: str) -> str:
    """A note of the file as one short line: it was written by a stranger."""
    text = next((notes[key] for key in NOTES[about] if isinstance(notes.get(key), str) and notes[key].strip()), "")
    plain = "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in text[:1000])
    return " ".join(plain.split())[:200]
