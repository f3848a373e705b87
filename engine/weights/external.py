"""Weights that another program keeps as single files: which models they could serve, and what of one is read there.

What a file is, its content says. Where that leaves several models (480p or 720p, dev or distilled), the words of its
name choose among them, and a person has the last word.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.paths import Places
from engine.schema import FrozenModel, Placement
from engine.schema.card import Component, ModelCard
from engine.schema.errors import BadFile
from engine.schema.manifest import Borrowed, read_record
from engine.schema.message import NOTHING, Message
from engine.schema.placement import BYTES
from engine.weights import header
from engine.weights.lora.matching import PARTS
from engine.weights.single_file import KINDS, WeightFile, read_header

MAX_FILES = 1000
NAMED = 20  # of the files that are of no use
READERS = ("text_encoder", "text_encoder_2")
Served = tuple[WeightFile, list[tuple[ModelCard, str]]]
HALVES = {"high": PARTS[0], "low": PARTS[1]}  # of a pair, as their files are called
HALF = re.compile(r"(?<![a-z])(high|low)(?![a-z])")


class Offer(FrozenModel):
    """A model, and the files that parts of it would be read from."""

    model: str
    borrowed: tuple[Borrowed, ...]


class Reusable(FrozenModel):
    """What a folder holds for Rushes. `refused`: a sentence for each file that was known and cannot be used."""

    offers: tuple[Offer, ...] = ()
    refused: tuple[Message, ...] = ()


def look(path: Path, cards: Sequence[ModelCard], wanted: str = "") -> Reusable:
    """What the weights in a file or folder can serve; of the model `wanted` only, where a person named one.

    Raises BadFile when that is nothing, with why.
    """
    alone = path.is_file()
    if not alone and not path.is_dir():
        raise BadFile(
            Message("{path} cannot be found.", path=path), Message("Check its name, and that the disk is plugged in.")
        )
    cards = [card for card in cards if card.single_files and not card.is_gguf]  # those come with a file of their own
    found: list[Served] = []
    refused, useless = [], []
    for file in [path] if alone else itertools.islice(_files(path), MAX_FILES):
        try:
            seen = read_header(file)
        except BadFile:
            if alone:
                raise
            useless.append(file.name)
            continue
        served = _served(seen, cards, wanted)
        readable = [(card, part) for card, part in served if not _unreadable(seen, card, part)]
        if readable and not (why := _for_another(seen, readable, wanted)):
            found.append((seen, readable))
        elif served:
            refused.append(why if readable else _of_a_kind(seen, served))
        elif not seen.is_lora:  # those are found where LoRAs are looked for
            useless.append(file.name)
    if useless and not alone:
        refused.append(_useless(useless))
    offers = _offers(cards, found, wanted)
    if not offers:
        raise BadFile(*_nothing(path, refused, alone))
    return Reusable(offers=offers, refused=tuple(refused))


def borrowed_by(card: ModelCard, places: Places) -> tuple[Borrowed, ...]:
    """What an installed model reads from other programs' files."""
    record = read_record(places.model(card.id))
    return record.borrowed if record else ()


def with_borrowed(card: ModelCard, borrowed: Sequence[Borrowed]) -> ModelCard:
    """The card as it is with these files: as large as they are, where each is one part, and of GGUF, where one is."""
    if not borrowed:
        return card
    parts = dict(card.components)
    for one in borrowed:
        packed = "borrowed.gguf" if header.is_gguf(Path(one.path)) and one.part in PARTS else ""
        if one.part in parts and (packed or not one.prefix):
            parts[one.part] = parts[one.part].but(size_gb=one.bytes / 1e9, gguf=packed)
    return card.but(components=parts)


def told(card: ModelCard, borrowed: Sequence[Borrowed], placement: Placement) -> list[Message]:
    """What a plan says of them. Raises BadFile when one is not the file any more that was chosen."""
    for one in borrowed:
        if not one.there:
            raise BadFile(
                Message(
                    "{file} of another program, from which {model} is read, is gone or changed.",
                    file=Path(one.path).name,
                    model=card.name,
                ),
                Message("Put it back, or remove the model and install it again."),
            )
    return [sentence for one in borrowed for sentence in _told(one, card.components.get(one.part), placement)]


def _told(one: Borrowed, part: Component | None, placement: Placement) -> list[Message]:
    called, name = one.part.replace("_", " "), Path(one.path).name
    read = Message("The {called} is read from {name}, where another program keeps it.", called=called, name=name)
    if not one.scaled or part is None:
        return [read]
    whole_gb = part.params_b * BYTES[placement.dtype]
    return [
        read,
        Message(
            "Many weights in {name} are stored in fewer bits; while they are read they are brought back to "
            "more, which takes {whole_gb:.1f} GB of RAM.",
            name=name,
            whole_gb=whole_gb,
        ),
    ]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix.casefold() in KINDS)


def _served(file: WeightFile, cards: Sequence[ModelCard], wanted: str) -> list[tuple[ModelCard, str]]:
    """The parts of models that a file can be; of models that look the same, those that its name is nearest to."""
    half = HALF.search(file.path.stem.casefold())
    packed = header.is_gguf(file.path)
    fits = [
        (card, part)
        for card in cards
        for part, rule in card.single_files.items()
        if file.is_part(rule)
        and (_is_half(card, part, half) if part in PARTS else not packed or part.startswith("text_encoder"))
    ]
    chosen = [(card, part) for card, part in fits if card.id == wanted]
    best = max((_likeness(file, card) for card, part in fits if part in PARTS), default=0)
    near = chosen or [(card, part) for card, part in fits if part not in PARTS or _likeness(file, card) == best]
    drawn = {card.id for card, part in near if part in PARTS}
    return [(card, part) for card, part in near if not card.single_files[part].prefix or card.id in drawn]


def _unreadable(file: WeightFile, card: ModelCard, part: str) -> Message:
    return file.unreadable(file.prefix_of(card.single_files[part]), reads=part not in PARTS)


def _made_for(file: WeightFile, served: list[tuple[ModelCard, str]]) -> Message:
    names = list(dict.fromkeys(card.name for card, _ in served))
    if len(names) < 2:
        return Message("{file} is made for {model}", file=file.path.name, model=names[0])
    more = len(names) - 2
    first = Message("{one} or {other}", one=names[0], other=names[1])
    models = Message("{first} and {more} more", first=first, more=more) if more else first
    return Message("{file} is made for {model}", file=file.path.name, model=models)


def _of_a_kind(file: WeightFile, served: list[tuple[ModelCard, str]]) -> Message:
    """Why a file of a known model cannot be read, in a sentence."""
    return Message(
        "{made_for}, but of a kind that Rushes does not read yet: {unreadable}.",
        made_for=_made_for(file, served),
        unreadable=_unreadable(file, *served[0]),
    )


def _for_another(file: WeightFile, served: list[tuple[ModelCard, str]], wanted: str) -> Message:
    """What a file is made for, where that is not the model that was asked for."""
    if wanted and wanted not in (card.id for card, _ in served):
        return Message("{made_for}.", made_for=_made_for(file, served))
    return NOTHING


def _useless(names: list[str]) -> Message:
    if len(names) > NAMED:
        return Message(
            "No model here is read from {files} and {more} more.", files=names[:NAMED], more=len(names) - NAMED
        )
    return Message("No model here is read from {files}.", files=names)


def _is_half(card: ModelCard, part: str, half: re.Match[str] | None) -> bool:
    """A file that is half of a pair is for a model of two transformers, and says which; any other is for one."""
    pair = PARTS[1] in card.components
    return HALVES[half[1]] == part if half and pair else not half and not pair


def _likeness(file: WeightFile, card: ModelCard) -> int:
    """How many words of the model's id the file's name has, less those that it has not."""
    name = re.sub(r"[-_ ]", "", file.path.stem.casefold())
    return sum(1 if word in name else -1 for word in card.id.split("-"))


def _offers(cards: Sequence[ModelCard], found: list[Served], wanted: str) -> tuple[Offer, ...]:
    """The models that find what draws here; where none does, those that find what reads their words, half a download.

    Of a model that was asked for, whatever is here.
    """
    offers = [offer for card in cards if (not wanted or card.id == wanted) and (offer := _offer(card, found)).borrowed]
    parts = {offer.model: {one.part for one in offer.borrowed} for offer in offers}
    drawing = [offer for offer in offers if parts[offer.model] & set(PARTS)]
    reading = [offer for offer in offers if parts[offer.model] & set(READERS)]
    return tuple(offers if wanted else drawing or reading)


def _offer(card: ModelCard, found: list[Served]) -> Offer:
    """For each part the nearest file by its name, then the largest, which is rounded least."""
    borrowed = []
    for part, rule in card.single_files.items():
        files = [file for file, served in found if (card, part) in served]
        if files:
            chosen = max(files, key=lambda file: (_likeness(file, card), file.path.stat().st_size))
            age, prefix = chosen.path.stat(), chosen.prefix_of(rule)
            borrowed.append(Borrowed(
                part=part, path=str(chosen.path.resolve()), bytes=age.st_size, modified_ns=age.st_mtime_ns,
                prefix=prefix, scaled=chosen.is_scaled(prefix) or (part not in PARTS and header.is_gguf(chosen.path)),
            ))  # fmt: skip
    return Offer(model=card.id, borrowed=tuple(borrowed))


def _nothing(path: Path, refused: list[Message], alone: bool) -> tuple[Message, Message]:
    remedy = Message("Choose the file of a model that Rushes knows, in bf16, fp16, fp8 or GGUF, or install it.")
    if refused:
        return Message.joined(refused[:3]), remedy
    if alone:
        return Message("{file} is no part of a model that Rushes could read from it.", file=path.name), remedy
    return Message("The folder {file} holds no weights that Rushes can use.", file=path.name), remedy
