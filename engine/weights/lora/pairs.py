"""Which half of a pair a LoRA is, for the early or the late steps of a model of two transformers, and which file is its
other half. Names are all that tells: trainers write nothing of it into the files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TypeVar

from engine.schema import Noise
from engine.schema.errors import BadSetting
from engine.schema.message import Message

MARK = re.compile(
    r"(?<![A-Za-z])(?P<plain>(?i:high|low))(?P<noise>(?i:[ _.-]?noise)?)(?![a-z])"  # high_noise, -LOW-, Low 14B
    r"|(?<=[a-z0-9])(?P<camel>High|Low)(?P<noise2>(?:Noise)?)(?=[A-Z0-9_. -]|$)"  # BounceHighWan
    r"|(?<![A-Za-z0-9])(?P<short>(?i:hn|ln)|[HL])(?![A-Za-z0-9])"  # _HN_, -H-
)
# What follows a mark where the mark is no part of a description (low light, high contrast).
AFTER = re.compile(
    r"(?i)[ _.-]*+($|[^A-Za-z]|\w*\d|(loras?|model|wan|lightx2v|lightning|[it]2v|rank|epoch|step|distill)(?![a-z]))"
)
# high_and_low_noise
BOTH = re.compile(r"(?i)(?<![a-z])(high|low)[ _.+&-]*(and|n)?[ _.+&-]*(?!\1)(high|low)(?![a-z])")
NUMBER = re.compile(r"(?i)(rank|dim|epochs?|epoc|ep|e|steps?|s|r)?\d+(rank|dim|epochs?|epoc|steps?)?")
LONG_NUMBER = re.compile(r"\d{3,}")
GENERIC = {"", "model", "lora", "loras", "weights", "pytorch", "adapter", "epoch", "step", "checkpoint", "safetensors"}
Thing = TypeVar("Thing")


def half(name: str, folder: str = "") -> Noise:
    """`high` is for the early steps. Empty where the name, and that of its folder, say neither or both."""
    for text in (name.rpartition("/")[2], *reversed(name.split("/")[:-1]), folder):
        if BOTH.search(text):
            return ""
        marks = list(MARK.finditer(text))
        for sure in (_says_noise, _stands_out, _ends_a_name):
            found = {_half(mark) for mark in marks if sure(mark)}
            if len(found) == 1:
                return found.pop()
            if found:
                return ""
    return ""


def told_apart(one: str, other: str) -> tuple[Noise, Noise] | None:
    """The halves that two names are whose only difference is a mark, wherever it stands and however it is written."""
    a, b = one.casefold(), other.casefold()
    start = len(os.path.commonprefix([a, b]))
    end = len(os.path.commonprefix([a[start:][::-1], b[start:][::-1]]))
    marks, rest = (a[start : len(a) - end], b[start : len(b) - end]), a[len(a) - end :]
    whole = set(marks) == {"high", "low"} and not rest[:1].isalpha()
    short = set(marks) == {"h", "l"} and re.match(r"n?([^a-z]|$)", rest) is not None
    if not (whole or short) or not (start + end):
        return None
    return ("high", "low") if marks[0][0] == "h" else ("low", "high")


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
            raise BadSetting(
                Message("{listed} could each be the other half of '{name}'.", listed=listed, name=name),
                Message("Choose the right one too."),
            )
    return None


def _half(mark: re.Match[str]) -> Noise:
    return "high" if (mark["plain"] or mark["camel"] or mark["short"])[0] in "hH" else "low"


def _says_noise(mark: re.Match[str]) -> bool:
    return bool(mark["noise"] or mark["noise2"])


def _stands_out(mark: re.Match[str]) -> bool:
    """A word that describes something, as in "high heels", is not written so."""
    if mark["short"] and len(mark["short"]) == 1:  # L-shaped
        return _ends_a_name(mark)
    return bool(mark["short"] or mark["camel"] or (mark["plain"] or "").isupper())


def _ends_a_name(mark: re.Match[str]) -> bool:
    return AFTER.match(mark.string, mark.end()) is not None


def _is_count(token: str) -> bool:
    return not token.isdigit() or LONG_NUMBER.fullmatch(token) is not None
