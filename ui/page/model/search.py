"""Words that are looked for: in any order, whatever their case and their accents."""

from __future__ import annotations

import unicodedata


def matches(words: str, *texts: str) -> bool:
    """Whether each of the words is in one of the texts."""
    text = _plain(" ".join(texts))
    return all(word in text for word in _plain(words).split())


def _plain(text: str) -> str:
    """Without case and accents: "Über" is found by "uber"."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
