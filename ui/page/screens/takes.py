"""The contact sheet, the takes of the current shot, as HTML.

Cards keep their place while takes arrive, so a clip that plays is not touched: Gradio changes only what differs.
"""

from __future__ import annotations

from engine import Cancelled, Failed, Finished, Job
from ui.page.components.error import details
from ui.page.components.formatting import aloud, promised, shown
from ui.page.components.html import button
from ui.page.components.media_routes import address
from ui.page.model.snapshot import Seen, View
from ui.texts import SHEET
from ui.texts.sentences import told


def sheet(view: View) -> str:
    """All takes of the current shot; before the first one, what this place is for."""
    if not view.sheet:
        steps = "".join(f"<li>{shown(step)}</li>" for step in SHEET.empty_steps)
        return f'<section class="empty"><h2>{shown(SHEET.empty_title)}</h2><ol>{steps}</ol></section>'
    prompt = view.sheet[-1].job.plan.title
    cards = "".join(_card(number, seen, view) for number, seen in enumerate(view.sheet, 1))
    return (
        f'<section class="sheet" aria-label="{shown(SHEET.heading)}"><header><h2>{shown(SHEET.heading)}</h2>'
        f'<p class="about">{shown(prompt)}</p></header><div class="cards">{cards}</div></section>'
    )


def _card(number: int, seen: Seen, view: View) -> str:
    size = seen.job.shot.take
    shape = f"aspect-ratio: {size.width} / {size.height}"
    match seen.event:
        case Finished():
            inside = _picture(number, seen.job, shape) + _facts(seen) + slow(seen) + _render_button(seen.job, view)
        case Failed(cause=cause, remedy=remedy, detail=detail):
            inside = _blank(shape, f"<strong>{aloud(cause)}</strong> {aloud(remedy)}{details(detail)}", "bad")
            inside += _facts(seen) + retry(seen.job, SHEET.retry)
        case Cancelled():
            inside = _blank(shape, shown(SHEET.stopped)) + _facts(seen) + retry(seen.job, SHEET.retry)
        case _:
            words = SHEET.making if seen.job.state == "running" else SHEET.waiting
            inside = _blank(shape, shown(words), seen.job.state) + _facts(seen)
    return (
        f'<article class="take" data-state="{shown(seen.job.state)}" data-id="{shown(seen.job.id)}">{inside}</article>'
    )


def _picture(number: int, job: Job, shape: str) -> str:
    label = SHEET.video.format(number=number, prompt=job.plan.title)
    return (
        f'<video src="{shown(address("take", job.id))}" poster="{shown(address("take", job.id, "poster"))}"'
        f' style="{shape}" class="loop" autoplay loop muted playsinline aria-label="{shown(label)}"></video>'
    )


def _blank(shape: str, inside: str, kind: str = "") -> str:
    return f'<div class="blank {shown(kind)}" style="{shape}"><p>{inside}</p></div>'


def _facts(seen: Seen) -> str:
    took = seen.event.seconds if isinstance(seen.event, Finished) else 0  # 0: found after a crash, not timed
    time = f"<span>{shown(promised(seen.job.plan, seen.job.stage, took))}</span>" if took else ""
    return f'<p class="facts"><span>{shown(SHEET.seed.format(seed=seen.job.shot.seed))}</span>{time}</p>'


def slow(seen: Seen) -> str:
    """What was changed because memory ran out, why it took longer than it needs to, and what helps."""
    words = [told(f"{one.reason} {one.change}") for one in seen.adjusted] + [
        told(f"{o.cause} {o.remedy}") for o in seen.noticed
    ]
    return "".join(f'<p class="note">{shown(one)}</p>' for one in words)


def _render_button(take: Job, view: View) -> str:
    render = view.renders.get(take.id)
    words, state = SHEET.render, ""
    if render and render.job.state in ("queued", "running", "asking"):
        words, state = SHEET.rendering if render.job.state == "running" else SHEET.queued, " disabled"
    elif render and render.job.state == "finished":
        words = SHEET.again
    return f'<button class="main" data-act="render" data-id="{shown(take.id)}"{state}>{shown(words)}</button>'


def retry(job: Job, words: str) -> str:
    return button("retry", words, job.id)
