"""Numbers, times and lists in words, and the names of what comes with Rushes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class WordTexts:
    """`date`: of a day, a name of `months`, a year and a time of day. `point`: what comes before the parts of one."""

    seconds: str = "s"
    minutes: str = "min"
    hours: str = "h"
    days: str = "days"
    to: str = "to"
    or_: str = "or"
    quoted: str = "“{word}”"
    point: str = "."
    date: str = "{day} {month} {year}, {time}"
    months: tuple[str, ...] = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class PresetTexts:
    """Other names for our looks and camera moves, by id; none where the page speaks English, as their files do."""

    names: dict[str, str] = field(default_factory=dict)


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
