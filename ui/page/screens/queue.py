"""The screen of the queue: what runs, what waits and in which order, and how the latest ones ended."""

from __future__ import annotations

from engine import Cancelled, Failed, Finished, Job
from ui.page.components.error import details
from ui.page.components.formatting import aloud, moment, promised, shown
from ui.page.components.html import button
from ui.page.model.snapshot import Seen, View
from ui.page.screens.job_card import kind, running
from ui.page.screens.takes import retry
from ui.texts import QUEUE


def line(view: View) -> str:
    """The whole screen as HTML."""
    lost = ""
    if view.lost:
        told = QUEUE.lost.format(device=view.lost.device, when=moment(view.lost.when))
        lost = f'<p class="note">{shown(told)}</p>{details(view.lost.why)}'
    if not (view.running or view.waiting or view.ended):
        return f'{lost}<p class="empty">{shown(QUEUE.empty)}</p>'
    now = "".join(running(seen) for seen in view.running)
    return (
        lost
        + _section(QUEUE.running, f'<div class="strip">{now}</div>' if now else "")
        + _section(QUEUE.waiting, _waiting(view))
        + _section(QUEUE.ended, f"<ol>{''.join(_ended(seen) for seen in view.ended)}</ol>" if view.ended else "")
    )


def _section(heading: str, inside: str) -> str:
    return f"<section><h2>{shown(heading)}</h2>{inside}</section>" if inside else ""


def _waiting(view: View) -> str:
    hold = button("pause", QUEUE.pause)
    if view.paused:
        hold = f'<p class="note">{shown(QUEUE.paused)}</p>{button("go-on", QUEUE.go_on, kind="main")}'
    if not view.waiting:
        return f'<div class="row">{hold}</div>' if view.paused or view.running else ""
    last = len(view.waiting) - 1
    items = "".join(_queued(job, at == 0, at == last) for at, job in enumerate(view.waiting))
    return f'<div class="row">{hold}{button("clear", QUEUE.clear)}</div><ol>{items}</ol>'


def _queued(job: Job, first: bool, last: bool) -> str:
    earlier = "" if first else button("earlier", "↑", job.id, label=QUEUE.up)
    later = "" if last else button("later", "↓", job.id, label=QUEUE.down)
    return (
        f'<li data-job="{shown(job.id)}">{kind(job)}<span class="about">{shown(job.plan.title)}</span>'
        f'<span class="row">{earlier}{later}{button("stop", "×", job.id, label=QUEUE.remove)}</span></li>'
    )


def _ended(seen: Seen) -> str:
    job, words, more, deed = seen.job, "", "", ""
    match seen.event:
        case Finished(seconds=seconds):
            words = QUEUE.finished + (f", {promised(job.plan, job.stage, seconds)}" if seconds else "")
            deed = button("go", QUEUE.show, "library")
        case Failed(cause=cause, remedy=remedy, detail=detail):
            words, deed = QUEUE.failed, retry(job, QUEUE.retry)
            more = f'<p class="bad"><strong>{aloud(cause)}</strong> {aloud(remedy)}</p>{details(detail)}'
        case Cancelled():
            words, deed = QUEUE.cancelled, retry(job, QUEUE.retry)
    return (
        f'<li data-state="{shown(job.state)}">{kind(job)}<div class="about">{shown(job.plan.title)}'
        f'<p class="facts"><span>{shown(words)}</span><span>{shown(moment(job.created))}</span></p>{more}</div>'
        f"{deed}</li>"
    )
