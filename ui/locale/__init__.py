"""The languages of the page and of `--lang`: English stands in the code, each other one in a catalogue beside this.

A catalogue is gettext's: its keys are the English templates of what is said. `python -m ui.locale` brings all of them
up to date; a new language is one new file, such as `fr.po`. Babel writes numbers, dates and lists as a language does.
"""

from __future__ import annotations

import functools
import gettext
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from engine import Message, ModelCard, filled

FOLDER = Path(__file__).parent
USUAL = "en"
SPOKEN: ContextVar[str] = ContextVar("language", default=USUAL)  # each visitor's request sets it, or --lang
PRESET = "preset"  # the context of our presets' names, so that a person's own are not taken for them
Texts = TypeVar("Texts")


@functools.cache
def languages() -> dict[str, str]:
    """Their names in themselves, by code."""
    from babel import Locale

    codes = [USUAL, *sorted(path.stem for path in FOLDER.glob("*.po"))]
    return {code: str(Locale.parse(code).get_display_name()).capitalize() for code in codes}


@functools.cache
def catalogue(language: str) -> gettext.NullTranslations:
    """One language's, compiled as it is read; of English nothing is needed."""
    if language == USUAL:
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with (FOLDER / f"{language}.po").open("rb") as file:
        ours = read_po(file, locale=language)
    for english, text in _OF_CARDS.get(language, {}).items():
        if english not in ours:
            ours.add(english, text)
    write_mo(compiled, ours)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


_OF_CARDS: dict[str, dict[str, str]] = {}


def learn(cards: Iterable[ModelCard]) -> None:
    """Take in what models' cards translate themselves."""
    for card in cards:
        for language, texts in card.translations.items():
            _OF_CARDS.setdefault(language, {}).update(texts)
    catalogue.cache_clear()


# ---- what the engine says ----


def say(message: Message) -> str:
    """What the engine says, in the language that is spoken. A person's own names in it stay as they are."""
    language = SPOKEN.get()
    if language == USUAL or not message.id:
        return str(message)
    ours = catalogue(language)
    if message.several:
        template = ours.ngettext(message.id, message.several, message.params["count"])
    else:
        template = ours.gettext(message.id)
    return filled(template, message.params, number, say)


def known(text: str, context: str = "") -> str:
    """A text of a model's card or a preset that comes with Rushes."""
    ours = catalogue(SPOKEN.get())
    return ours.pgettext(context, text) if text and context else ours.gettext(text) if text else ""


def shown(value: Any) -> Any:
    """The JSON of what the engine answers; a message also has its text in the language that is spoken."""
    match value:
        case BaseModel():
            return value.model_dump(mode="json", context=TEXTS)
        case Message():
            return value.fields() | {"text": say(value)}
        case Mapping():
            return {name: shown(one) for name, one in value.items()}
        case list() | tuple():
            return [shown(one) for one in value]
    return value


TEXTS = {"say": say}  # the context with which a noun's messages have a text


# ---- the page's own texts ----


class _Spoken:
    """Texts of one place, looked up in the language of the moment."""

    def __init__(self, english: object) -> None:
        self.english = english
        self.context = context_of(english)
        self._said: dict[tuple[str, str], Any] = {}

    def __getattr__(self, name: str) -> Any:
        language = SPOKEN.get()
        if (language, name) not in self._said:
            self._said[language, name] = self._in(language, getattr(self.english, name))
        return self._said[language, name]

    def _in(self, language: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._in(language, one) for key, one in value.items()}
        if isinstance(value, tuple):
            return tuple(self._in(language, one) for one in value)
        return catalogue(language).pgettext(self.context, value) if value else value


def context_of(texts: object) -> str:
    """What tells apart words that are alike in English: the place where they are read."""
    return type(texts).__name__.removesuffix("Texts")


def spoken(texts: Texts) -> Texts:
    """The same texts in every language, used like one of them."""
    return cast(Texts, _Spoken(texts))


# ---- numbers, dates, lists ----

FORMATS = {"en": "en_GB"}  # of the Englishes, the one whose dates are the day before the month


def _format() -> str:
    return FORMATS.get(SPOKEN.get(), SPOKEN.get())


def number(value: int | float, specification: str = "") -> str:
    """By Python's format specification, with the marks of the language."""
    text = format(value, specification)
    if SPOKEN.get() == USUAL or (isinstance(value, int) and "," not in specification):
        return text
    from babel.numbers import get_decimal_symbol, get_group_symbol

    marks = {".": get_decimal_symbol(_format()), ",": get_group_symbol(_format())}
    return "".join(marks.get(letter, letter) for letter in text)


def date(at: datetime) -> str:
    from babel.dates import format_skeleton

    return f"{format_skeleton('yMMMd', at, locale=_format())}, {at:%H:%M}"


def either(words: list[str]) -> str:
    """'a', 'a or b', 'a, b or c'."""
    from babel.lists import format_list

    return str(format_list(words, style="or", locale=_format()))
