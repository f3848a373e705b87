"""Brings the catalogues up to date with the code, the cards and the presets: `python -m ui.locale`.

Writes `messages.pot`, which a new language begins with, and each language's `.po`: what is said anew is added without
a translation, what is no longer said is dropped. Says what is missing, and ends with 1 where something is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from engine import APP, Engine
from ui import locale, texts

KEYWORDS = {"Message": (1,), "plural": (1, 2)}  # Message("..."), Message.plural("...", "...")
PERSONAL = (b'"POT-Creation', b'"PO-Revision', b'"Last-Tr', b'"Language-Team', b'"Report', b'"Project', b'"Generated')
METHODS = [("**.py", "python")]


def extracted() -> Catalog:
    """Everything that is said, in English."""
    found = Catalog(project="Rushes", copyright_holder="Rushes", msgid_bugs_address="", charset="utf-8")
    for root in ("engine", "ui"):
        for path, _, said, _, _ in extract_from_dir(APP / root, METHODS, keywords=KEYWORDS):
            if has_words(said):
                found.add(said, locations=[(f"{root}/{path}", 0)])
    for context, text in _of_the_page():
        found.add(text, context=context, locations=[("ui/texts", 0)])
    for context, text in _of_files():
        found.add(text, context=context or None, locations=[("presets", 0)])
    return found


def has_words(said: str | tuple[str, ...]) -> bool:
    """Whether there is anything to translate beside parameters."""
    text, depth = said if isinstance(said, str) else said[0], 0
    for letter in text:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if not depth and letter.isalpha():
            return True
    return False


def _of_the_page() -> Iterator[tuple[str, str]]:
    """Each text of the page, with the place where it is read."""
    for place in vars(texts).values():
        if isinstance(place, locale._Spoken):
            for field in fields(place.english):  # type: ignore[arg-type]
                yield from ((place.context, text) for text in _flat(getattr(place.english, field.name)) if text)


def _flat(value: Any) -> list[str]:
    return [*value] if isinstance(value, tuple) else [*value.values()] if isinstance(value, dict) else [value]


def _of_files() -> Iterator[tuple[str, str]]:
    """What cards and presets say of themselves, but for what a card translates itself."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as home, Engine(Path(home)) as engine:
        for card in engine.models.cards():
            own = set.intersection(*map(set, card.translations.values())) if card.translations else set()
            yield from (("", text) for text in card.said() if text not in own)
        for tier in engine.machine.tiers():
            yield from (("", text) for text in (tier.name, tier.summary) if text)
        for style in (*engine.presets.looks(), *engine.presets.cameras()):
            yield locale.PRESET, style.name


def main() -> int:
    said, missing = extracted(), 0
    _write(locale.FOLDER / "messages.pot", said)
    for path in sorted(locale.FOLDER.glob("*.po")):
        with path.open("rb") as file:
            ours = read_po(file, locale=path.stem)
        ours.update(said, no_fuzzy_matching=True)
        ours.obsolete.clear()
        _write(path, ours)
        lacking = [message for message in ours if message.id and not (message.string and all(strings(message.string)))]
        print(f"{path.name}: {len(ours)} texts, {len(lacking)} without a translation")
        missing += len(lacking)
    return 1 if missing else 0


def strings(translation: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (translation,) if isinstance(translation, str) else tuple(translation)


def _write(path: Path, catalogue: Catalog) -> None:
    written = BytesIO()
    catalogue.header_comment = f"# What Rushes says ({path.stem}). Written by `python -m ui.locale`."
    write_po(written, catalogue, width=120, sort_output=True, include_lineno=False)
    lines = written.getvalue().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if not line.startswith(PERSONAL)))


if __name__ == "__main__":
    sys.exit(main())
