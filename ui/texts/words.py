"""Times in words, and looks of one's own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WordTexts:
    seconds: str = "s"
    minutes: str = "min"
    hours: str = "h"
    days: str = "days"
    to: str = "to"
    quoted: str = "“{word}”"


@dataclass(frozen=True)
class StyleTexts:
    """Looks and camera moves of one's own."""

    heading: str = "Your own looks and camera moves"
    hint: str = "Begin with one, change its words, and keep it under a name of your own."
    begin: str = "Begin with"
    words: str = "What it adds to the prompt"
    words_hint: str = "In English, as models read it"
    name: str = "Name of the look or camera move"
    name_hint: str = "Rainy neon"
    save: str = "Keep"
    delete: str = "Delete this one"
    kept: str = "“{name}” is kept and chosen."
    unknown: str = "{model} does not know {words}, so it is offered with the models that do."
    deleted: str = "“{name}” is deleted."
    none_chosen: str = "No look or camera move is chosen to begin with."
    choose_one: str = "Choose one first."
    no_words: str = "It has no words."
    write_some: str = "Say in a few words what it adds to the prompt."
