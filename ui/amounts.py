"""Numbers, times and sizes as a person reads them, on the page and in the terminal."""

from __future__ import annotations

from datetime import datetime

from ui import locale
from ui.texts import WORDS


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


def gigabytes(size: float) -> str:
    """An amount in GB, in MB or kB where it is less: what is there never reads as nothing."""
    if size >= 0.095:
        return f"{figure(size, 1)} GB"
    if size >= 0.00095 or size <= 0:
        return f"{size * 1000:.0f} MB"
    return f"{max(size * 1e6, 1):.0f} kB"


def moment(stamp: str) -> str:
    """A record's time (UTC) as the clock on the wall shows it."""
    try:
        at = datetime.fromisoformat(stamp).astimezone()
    except ValueError:
        return stamp
    return locale.date(at)


def bytes_of(count: int) -> str:
    """An amount of bytes."""
    return gigabytes(count / 1e9)
