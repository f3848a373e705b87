"""Numbers as a person says them, and text as HTML shows it."""

from __future__ import annotations

from datetime import datetime
from html import escape


def shown(text: object) -> str:
    """Any text, safe between tags and inside a quoted attribute. Every prompt, name and message goes through here."""
    return escape(str(text), quote=True)


def duration(seconds: float) -> str:
    """0.4 s, 7 s, 2 min, 1 h 20 min, 25 h, 3 days."""
    if seconds < 1:
        return f"{max(seconds, 0.1):.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if 600 <= minutes < 48 * 60:
        return f"{minutes / 60:.0f} h"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (24 * 60)} days"


def span(low: float, high: float) -> str:
    """A range of seconds; one number where both ends read the same."""
    first, last = duration(low), duration(high)
    if first == last:
        return first
    same_unit = first.rpartition(" ")[2] == last.rpartition(" ")[2] and "h" not in last
    return f"{first.rpartition(' ')[0] if same_unit else first} to {last}"


def gigabytes(size: float) -> str:
    return f"{size:.1f} GB" if size >= 0.095 else f"{size * 1000:.0f} MB"


def listed(words: list[str]) -> str:
    """'a', 'a or b', 'a, b or c', each in quotation marks."""
    quoted = [f"“{word}”" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def moment(stamp: str) -> str:
    """A record's time (UTC) as the clock on the wall shows it."""
    try:
        return datetime.fromisoformat(stamp).astimezone().strftime("%d %b %Y, %H:%M")
    except ValueError:
        return stamp
