"""Which language the page speaks: each visitor's request sets it (`ui.page.middleware.language`), else English."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, TypeVar, cast

LANGUAGES = {"en": "English", "de": "Deutsch"}
SPOKEN: ContextVar[str] = ContextVar("language", default="en")
Texts = TypeVar("Texts")


class _Spoken:
    """Texts of one place, looked up in the language of the moment."""

    def __init__(self, **each: object) -> None:
        self._each = each

    def __getattr__(self, name: str) -> Any:
        return getattr(self._each[SPOKEN.get()], name)


def spoken(english: Texts, german: Texts) -> Texts:
    """The same texts in every language, used like one of them."""
    return cast(Texts, _Spoken(en=english, de=german))
