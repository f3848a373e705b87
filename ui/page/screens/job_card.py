"""What is going on, above the takes: the running job with its Stop button, what waits, models on their way."""

from __future__ import annotations

from engine import Progress
from ui.amounts import duration
from ui.page.components.html import render
from ui.page.model.snapshot import Seen, View
from ui.page.screens.models.arrivals import arrival
from ui.texts import STRIP

# The share of a job that is done when a phase begins, and how much of it the phase is. Measured on the starter.
SHARE = {"loading": (0.02, 0.0), "prompt": (0.06, 0.0), "sampling": (0.08, 0.72), "decoding": (0.82, 0.0),
         "writing": (0.94, 0.0)}  # fmt: skip


def strip(view: View) -> str:
    """Empty when nothing runs and nothing waits."""
    arriving = [arrival(one) for one in view.downloads if one.state in ("queued", "running")]
    if not (view.running or view.waiting or arriving):
        return ""
    return render("screens/strip.html", view=view, running=map(running, view.running), arriving=arriving)


def running(seen: Seen) -> str:
    """A job with its progress."""
    progress = seen.event if isinstance(seen.event, Progress) else None
    return render("screens/job_card.html", seen=seen, phase=_phase(progress), done=100 * _done(progress))


def _phase(progress: Progress | None) -> str:
    if progress is None:
        return STRIP.starting
    words = str(getattr(STRIP, progress.phase)).format(
        step=min(progress.step + 1, progress.steps), steps=progress.steps
    )
    if progress.seconds_left is None:
        return words
    return f"{words}, {STRIP.left.format(time=duration(progress.seconds_left))}"


def _done(progress: Progress | None) -> float:
    if progress is None:
        return 0.01
    begin, length = SHARE[progress.phase]
    return begin + (length * progress.step / progress.steps if progress.steps else 0)
