"""What is going on, above the takes: the running job with its Stop button, what waits, models on their way."""

from __future__ import annotations

from engine import Job, NeedsConsent, Progress, kind_of
from ui.page.components.formatting import aloud, duration, shown
from ui.page.components.html import bar, button
from ui.page.components.media_routes import peek_address
from ui.page.model.snapshot import Seen, View
from ui.page.screens.models.arrivals import arrival
from ui.texts import STRIP
from ui.texts.sentences import told

# The share of a job that is done when a phase begins, and how much of it the phase is. Measured on the starter.
SHARE = {"loading": (0.02, 0.0), "prompt": (0.06, 0.0), "sampling": (0.08, 0.72), "decoding": (0.82, 0.0),
         "writing": (0.94, 0.0)}  # fmt: skip


def strip(view: View) -> str:
    """Empty when nothing runs and nothing waits."""
    arriving = "".join(arrival(one) for one in view.downloads if one.state in ("queued", "running"))
    if not (view.running or view.waiting or arriving):
        return ""
    jobs = "".join(running(seen) for seen in view.running)
    return f'<section class="strip">{jobs}{_waiting(view)}{arriving}</section>'


def running(seen: Seen) -> str:
    """A job with its progress."""
    progress = seen.event if isinstance(seen.event, Progress) else None
    changed = "".join(f'<p class="note">{aloud(one.reason)} {aloud(one.change)}</p>' for one in seen.adjusted)
    done = f"{100 * _done(progress):.0f}"
    heading = _words(seen.job, STRIP.heading_take, STRIP.heading_render) or told(kind_of(seen.job.kind).heading)
    stop, state = (STRIP.stopping, " disabled") if seen.stopping else (STRIP.stop, "")
    return (
        f'<div class="job" data-job="{shown(seen.job.id)}"><div class="line"><strong>{shown(heading)}</strong>'
        f'<span class="phase">{shown(STRIP.asking if seen.job.state == "asking" else _phase(progress))}</span>'
        f'<button class="stop" data-act="stop" data-id="{shown(seen.job.id)}"{state}>{shown(stop)}</button></div>'
        f'{bar(STRIP.progress, done)}<p class="about">{shown(seen.job.plan.title)}</p>{changed}'
        f"{_peek(seen)}{_question(seen)}</div>"
    )


def _peek(seen: Seen) -> str:
    """How the clip looks so far."""
    if not seen.peek:
        return ""
    source = shown(peek_address(seen.job.id, seen.peek))
    return f'<img class="peek" src="{source}" alt="{shown(STRIP.peek)}" title="{shown(STRIP.peek)}">'


def _question(seen: Seen) -> str:
    """What the job asks before it changes the picture, with its two answers."""
    if seen.job.state != "asking" or not isinstance(seen.event, NeedsConsent):
        return ""
    buttons = button("agree", STRIP.agree, seen.job.id, "main") + button("refuse", STRIP.refuse, seen.job.id)
    question = f"<p>{aloud(seen.event.question)}</p>"
    return f'<div class="question" role="alert">{question}<div class="row">{buttons}</div></div>'


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


def _waiting(view: View) -> str:
    if not view.waiting:
        return ""
    paused = f'<p class="note">{shown(STRIP.paused)} {button("go-on", STRIP.go_on)}</p>' if view.paused else ""
    items = "".join(_queued(job) for job in view.waiting)
    count = len(view.waiting)
    return (
        f'{paused}<details class="queue"><summary>{shown(STRIP.waiting)} <b>{count}</b></summary><ol>{items}</ol>'
        f"{button('clear', STRIP.clear)}</details>"
    )


def _queued(job: Job) -> str:
    return (
        f'<li>{kind(job)}<span class="about">{shown(job.plan.title)}</span>'
        f"{button('stop', '×', job.id, 'remove', STRIP.remove)}</li>"
    )


def kind(job: Job) -> str:
    """What a job is called."""
    words = _words(job, STRIP.take, STRIP.render) or told(kind_of(job.kind).label)
    return f'<span class="kind">{shown(words)}</span>'


def _words(job: Job, take: str, render: str) -> str:
    """The page's own words for takes and renders; empty for other work, which names itself."""
    return {"take": take, "render": render}.get(job.stage, "")
