"""Numbers, times and lists as a person says them."""

from __future__ import annotations

from datetime import datetime

from engine import Job, Plan, ShotForecast, kind_of
from ui import locale
from ui.locale import say
from ui.texts import MODEL, OUTLOOK, STRIP, TRUTH, WORDS


def figure(number: float, places: int = 0) -> str:
    """A number as the page's language writes it."""
    return locale.number(float(number), f".{places}f")


def duration(seconds: float) -> str:
    """0.4 s, 7 s, 2 min, 1 h 20 min, 25 h, 3 days."""
    if seconds < 0.95:
        return f"{figure(max(seconds, 0.1), 1)} {WORDS.seconds}"
    if seconds < 90:
        return f"{seconds:.0f} {WORDS.seconds}"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} {WORDS.minutes}"
    if 600 <= minutes < 48 * 60:
        return f"{minutes / 60:.0f} {WORDS.hours}"
    if minutes < 48 * 60:
        return f"{minutes // 60} {WORDS.hours} {minutes % 60} {WORDS.minutes}"
    return f"{minutes // (24 * 60)} {WORDS.days}"


def span(low: float, high: float) -> str:
    """A range of seconds; one number where both ends read the same."""
    first, last = duration(low), duration(high)
    if first == last:
        return first
    same_unit = first.rpartition(" ")[2] == last.rpartition(" ")[2] and WORDS.hours not in last.split()
    return f"{first.rpartition(' ')[0] if same_unit else first} {WORDS.to} {last}"


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


def gigabytes(size: float) -> str:
    return f"{figure(size, 1)} GB" if size >= 0.095 else f"{size * 1000:.0f} MB"


def listed(words: list[str]) -> str:
    """'a', 'a or b', 'a, b or c', each in quotation marks."""
    quoted = [WORDS.quoted.format(word=word) for word in words]
    return locale.either(quoted)


def moment(stamp: str) -> str:
    """A record's time (UTC) as the clock on the wall shows it."""
    try:
        at = datetime.fromisoformat(stamp).astimezone()
    except ValueError:
        return stamp
    return locale.date(at)
