"""Jobs, forecasts and lists as a person says them."""

from __future__ import annotations

from engine import Job, Plan, ShotForecast, kind_of
from ui import locale
from ui.amounts import duration, span
from ui.locale import say
from ui.texts import MODEL, OUTLOOK, STRIP, TRUTH, WORDS


def job_name(job: Job) -> str:
    """What a job is called: takes and renders by the page's own words, other work as it names itself."""
    return {"take": STRIP.take, "render": STRIP.render}.get(job.stage) or say(kind_of(job.kind).label)


def job_heading(job: Job) -> str:
    """What is said while it runs."""
    own = {"take": STRIP.heading_take, "render": STRIP.heading_render}
    return own.get(job.stage) or say(kind_of(job.kind).heading)


def promised(plan: Plan, stage: str, took: float) -> str:
    """What was forecast, and what it took."""
    return TRUTH.both.format(forecast=span(*plan.seconds(stage)), took=duration(took))


def verdict(forecast: ShotForecast) -> str:
    """Whether it fits, in a sentence or two."""
    words = str(getattr(OUTLOOK, forecast.verdict))
    return words if forecast.measured else f"{words} {OUTLOOK.estimated}"


def fits(name: str, measured: bool) -> str:
    """The same in a word or two."""
    words = str(getattr(MODEL, name))
    return words if measured else MODEL.estimated.format(verdict=words)


def listed(words: list[str]) -> str:
    """'a', 'a or b', 'a, b or c', each in quotation marks."""
    quoted = [WORDS.quoted.format(word=word) for word in words]
    return locale.either(quoted)
