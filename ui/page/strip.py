"""The running job with its progress and its Stop button, and what waits behind it, as HTML."""

from __future__ import annotations

from engine import Job, NeedsConsent, Progress
from ui.page.view import Seen, View
from ui.page.wording import duration, shown
from ui.texts import STRIP

# The share of a job that is done when a phase begins, and how much of it the phase is. Measured on the starter.
SHARE = {"loading": (0.02, 0.0), "prompt": (0.06, 0.0), "sampling": (0.08, 0.72), "decoding": (0.82, 0.0),
         "writing": (0.94, 0.0)}  # fmt: skip


def strip(view: View) -> str:
    """Empty when nothing runs and nothing waits."""
    if not view.busy:
        return ""
    running = "".join(_running(seen) for seen in view.running)
    return f'<section class="strip">{running}{_waiting(view)}</section>'


def _running(seen: Seen) -> str:
    progress = seen.event if isinstance(seen.event, Progress) else None
    done = f"{100 * _done(progress):.0f}"
    heading = STRIP.heading_take if seen.job.stage == "take" else STRIP.heading_render
    stop, state = (STRIP.stopping, " disabled") if seen.stopping else (STRIP.stop, "")
    return (
        f'<div class="job" data-job="{shown(seen.job.id)}"><div class="line"><strong>{shown(heading)}</strong>'
        f'<span class="phase">{shown(STRIP.asking if seen.job.state == "asking" else _phase(progress))}</span>'
        f'<button class="stop" data-act="stop" data-id="{shown(seen.job.id)}"{state}>{shown(stop)}</button></div>'
        f'<div class="bar" role="progressbar" aria-label="{shown(STRIP.progress)}" aria-valuemin="0"'
        f' aria-valuemax="100" aria-valuenow="{done}"><i style="width: {done}%"></i></div>'
        f'<p class="about">{shown(seen.job.plan.request.prompt)}</p>{_question(seen)}</div>'
    )


def _question(seen: Seen) -> str:
    """What the job asks before it changes the picture, with its two answers."""
    if seen.job.state != "asking" or not isinstance(seen.event, NeedsConsent):
        return ""
    buttons = "".join(
        f'<button class="{kind}" data-act="{act}" data-id="{shown(seen.job.id)}">{shown(words)}</button>'
        for kind, act, words in (("main", "agree", STRIP.agree), ("", "refuse", STRIP.refuse))
    )
    return f'<div class="question" role="alert"><p>{shown(seen.event.question)}</p>{buttons}</div>'


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
    items = "".join(_queued(job) for job in view.waiting)
    clear = f'<button data-act="clear" data-id="">{shown(STRIP.clear)}</button>'
    count = len(view.waiting)
    return (
        f'<details class="queue"><summary>{shown(STRIP.waiting)} <b>{count}</b></summary><ol>{items}</ol>'
        f"{clear}</details>"
    )


def _queued(job: Job) -> str:
    stage = STRIP.take if job.stage == "take" else STRIP.render
    return (
        f'<li><span class="kind">{shown(stage)}</span><span class="about">{shown(job.plan.request.prompt)}</span>'
        f'<button class="remove" data-act="stop" data-id="{shown(job.id)}" aria-label="{shown(STRIP.remove)}"'
        f' title="{shown(STRIP.remove)}">×</button></li>'
    )
