"""The recipe inside a video or a JSON file, found by what it holds and not by its ending: a copy, `.m4v`, a remux."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from pydantic import ValidationError

from engine.media import mistaken_files
from engine.media.videos import READING
from engine.schema import Recipe
from engine.schema.errors import BadFile
from engine.schema.message import Message

MAX_RECIPE_BYTES = 200_000
MAX_INDEX_BYTES = 50_000_000  # of a film of hours: 10 MB; a clip with more in its index carries something else
MAX_BOXES = 100_000
REMEDY = Message("Choose a video or a recipe file that Rushes made.")
REMEMBERED = 2_000


def read_recipe(path: Path) -> Recipe:
    """The recipe that a file holds. Raises BadFile in one sentence."""
    try:
        found = path.stat()
        answer = _answer(path.absolute(), found.st_mtime_ns, found.st_size)
    except OSError as error:
        raise BadFile(
            Message("{file} cannot be read ({strerror}).", file=path.name, strerror=error.strerror or error), REMEDY
        ) from error
    if isinstance(answer, BadFile):
        raise BadFile(answer.cause, answer.remedy, answer.detail)
    return answer


@functools.lru_cache(maxsize=REMEMBERED)  # each look into the library asks for all of them, the broken ones too
def _answer(path: Path, _modified_ns: int, size: int) -> Recipe | BadFile:
    try:
        return _read(path, size)
    except BadFile as error:
        return error


def _read(path: Path, size: int) -> Recipe:
    if not path.is_file():  # a pipe would keep us waiting for ever
        raise BadFile(Message("{file} is no file.", file=path.name), REMEDY)
    if told := mistaken_files.reason(path):
        raise BadFile(*told)
    with path.open("rb") as file:
        head = file.read(64)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        if size > MAX_RECIPE_BYTES:
            raise BadFile(Message("{file} is far too large to be a recipe.", file=path.name), REMEDY)
        return _parsed(path.read_bytes(), path.name)
    comment = _comment(path, head)
    try:
        return _parsed(comment.encode(), path.name)
    except BadFile as error:
        if '"plan"' in comment:
            raise
        raise BadFile(
            Message("{file} was made by another program: it holds no recipe.", file=path.name), REMEDY
        ) from error


def _comment(path: Path, head: bytes) -> str:
    """What the metadata of a video say in the place where its recipe would be."""
    import av  # 0.1 s, and only this needs it

    if head[4:8] == b"ftyp" and _index_bytes(path) > MAX_INDEX_BYTES:
        raise BadFile(Message("{file} carries far more than a recipe of Rushes.", file=path.name), REMEDY)
    try:
        with av.open(str(path), options=READING) as container:
            named = {name.casefold(): str(text) for name, text in container.metadata.items()}
    except (av.FFmpegError, ValueError, UnicodeDecodeError) as error:
        raise BadFile(Message("{file} is neither a video nor a recipe.", file=path.name), REMEDY, str(error)) from error
    comment = named.get("comment", "")
    if not comment.lstrip().startswith("{"):
        raise BadFile(Message("{file} was made by another program: it holds no recipe.", file=path.name), REMEDY)
    return comment


def _index_bytes(path: Path) -> int:
    """How long the index of an MP4 is, by the lengths of its outermost boxes."""
    with path.open("rb") as file:
        end, at = path.stat().st_size, 0
        for _ in range(MAX_BOXES):
            if at + 8 > end:
                return 0
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:  # a length of 64 bits follows the name
                length = int.from_bytes(head[8:16], "big")
            elif length == 0:
                length = end - at
            if head[4:8] == b"moov":
                return length
            at += max(length, 8)
    return MAX_INDEX_BYTES + 1  # a film in pieces has some thousands


def _parsed(text: bytes, name: str) -> Recipe:
    if len(text) > MAX_RECIPE_BYTES:
        raise BadFile(Message("{name} is far too large to be a recipe.", name=name), REMEDY)
    try:
        return Recipe.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadFile(
            Message(
                "{name} is not a recipe: '{field}' is wrong ({first}).", name=name, field=field, first=first["msg"]
            ),
            REMEDY,
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadFile(Message("{name} holds no recipe of Rushes.", name=name), REMEDY) from error
