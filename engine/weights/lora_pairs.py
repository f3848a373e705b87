"""Which half of a pair a LoRA is, for the early or the late steps of a model of two transformers, and which file is its
other half. Names are all that tells: trainers write nothing of it into the files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from engine.errors import BadSetting
from engine.types import Noise

MARK = re.compile(
    r"(?<![A-Za-z])(?P<plain>(?i:high|low))(?P<noise>(?i:[ _.-]?noise)?)(?![a-z])"  # high_noise, -LOW-, Low 14B
    r"|(?<=[a-z0-9])(?P<camel>High|Low)(?P<noise2>(?:Noise)?)(?=[A-Z0-9_. -]|$)"  # BounceHighWan
    r"|(?<![A-Za-z0-9])(?P<short>(?i:hn|ln)|[HL])(?![A-Za-z0-9])"  # _HN_, -H-
)
# What follows a mark where the mark is no part of a description (low light, high contrast).
AFTER = re.compile(
    r"(?i)[ _.-]*+($|[^A-Za-z]|\w*\d|(loras?|model|wan|lightx2v|lightning|[it]2v|rank|epoch|step|distill)(?![a-z]))"
)
NUMBER = re.compile(r"(?i)(rank|dim|epochs?|epoc|ep|e|steps?|s|r)?\d+(rank|dim|epochs?|epoc|steps?)?")
LONG_NUMBER = re.compile(r"\d{3,}")
GENERIC = {"", "model", "lora", "loras", "weights", "pytorch", "adapter", "epoch", "step", "checkpoint", "safetensors"}
Thing = TypeVar("Thing")


def half(name: str, folder: str = "") -> Noise:
    """`high` is for the early steps. Empty where the name, and that of its folder, say neither or both."""
    for text in (name.rpartition("/")[2], *reversed(name.split("/")[:-1]), folder):
        marks = list(MARK.finditer(text))
        if len({_half(mark) for mark in marks}) == 1 and any(_is_one(mark, text) for mark in marks):
            return _half(marks[0])
        if len(marks) > 1:
            return ""
    return ""


def pair_name(name: str, numbers: bool = True) -> str:
    """What the names of both halves have in common; without `numbers`, also where ranks and epochs differ."""
    text = MARK.sub("*", name)
    tokens = [token for token in re.split(r"[^A-Za-z0-9*/]+", text.replace("*", " * ")) if token]
    if not numbers:
        tokens = [token for token in tokens if not (NUMBER.fullmatch(token) and _is_count(token))]
    return " ".join(tokens).casefold()


def is_generic(name: str) -> bool:
    """Whether a file's name says nothing of what it is: its folder must."""
    words = re.findall(r"[A-Za-z]+", MARK.sub(" ", name))
    return all(word.casefold() in GENERIC for word in words)


def other_half(name: str, candidates: Sequence[tuple[str, Thing]]) -> Thing | None:
    """The other half of the LoRA `name` among `candidates` with their names. Raises BadSetting where several may be
    it."""
    for numbers in (True, False):
        wanted = pair_name(name, numbers)
        found = [(called, one) for called, one in candidates if pair_name(called, numbers) == wanted]
        if len(found) == 1:
            return found[0][1]
        if found:
            listed = " and ".join(f"'{called}'" for called, _ in found[:3])
            raise BadSetting(f"{listed} could each be the other half of '{name}'.", "Choose the right one too.")
    return None


def _half(mark: re.Match[str]) -> Noise:
    return "high" if (mark["plain"] or mark["camel"] or mark["short"])[0] in "hH" else "low"


def _is_one(mark: re.Match[str], text: str) -> bool:
    """Whether a word is the mark of a half, and no part of a description."""
    if mark["noise"] or mark["noise2"] or mark["short"] or mark["camel"] or (mark["plain"] or "").isupper():
        return True
    return AFTER.match(text, mark.end()) is not None


def _is_count(token: str) -> bool:
    return not token.isdigit() or LONG_NUMBER.fullmatch(token) is not None
