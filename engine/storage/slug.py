"""Short names for files from what people write, in any script."""

from __future__ import annotations

import re

from anyascii import anyascii

WORDS, SYLLABLES = 5, 8  # scripts without spaces come as syllables


def slug(text: str, most_letters: int = 32) -> str:
    """The first words of a text in small letters, digits and hyphens, safe on every disk; empty where it has none."""
    if not text.isascii():
        text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", anyascii(text.encode("utf-8", "ignore").decode("utf-8")))
        return _first(text, SYLLABLES, most_letters)
    return _first(text, WORDS, most_letters)


def _first(text: str, count: int, most_letters: int) -> str:
    words = re.findall(r"[a-z0-9]+", text.casefold())[:count]
    return "-".join(words)[:most_letters].strip("-")
