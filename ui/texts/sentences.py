"""What the engine says, in the language of the page. What nobody has translated stays as it was said, in English."""

from __future__ import annotations

import re
from functools import lru_cache

from ui.texts.german.cards import CARDS
from ui.texts.german.checks import CHECKS
from ui.texts.german.failures import FAILURES
from ui.texts.german.hub import HUB
from ui.texts.german.memory import MEMORY
from ui.texts.german.reasons import REASONS
from ui.texts.german.sentences import PHRASES, SENTENCES
from ui.texts.german.terms import TERMS
from ui.texts.language import SPOKEN

KNOWN = PHRASES | CARDS | TERMS | CHECKS | MEMORY | REASONS | FAILURES | HUB | SENTENCES
AMOUNT = re.compile(r"(?<=\d)\.(?=\d+ (?:GB|MB|s|Sekunden|von \d)\b)")  # and not the point of a version
BETWEEN = re.compile(r"(?<=[.!?]) (?=[A-Z])")


def told(text: str) -> str:
    """A text of the engine, one sentence or several."""
    return text if SPOKEN.get() == "en" else _german(text)


@lru_cache(maxsize=1024)
def _german(text: str) -> str:
    said = _sentence(text) or " ".join(_sentence(part) or part for part in BETWEEN.split(text))
    return AMOUNT.sub(",", said)


def _sentence(text: str) -> str | None:
    if text in KNOWN:
        return KNOWN[text]
    for pattern, german in _table():
        if found := pattern.fullmatch(text):
            return german.format(*(KNOWN.get(part, part) for part in found.groups()))
    return None


@lru_cache(maxsize=1)
def _table() -> list[tuple[re.Pattern[str], str]]:
    """The sentences with something filled in, the special ones before the general."""
    ordered = sorted(KNOWN, key=len, reverse=True)
    parts = ((english.split("{}"), KNOWN[english]) for english in ordered if "{}" in english)
    return [(re.compile("(.+?)".join(map(re.escape, pieces))), german) for pieces, german in parts]
