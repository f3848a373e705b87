"""Models on their way: the question before a download, how far it is, how fast, how long still; pause, go on,
cancel."""

from __future__ import annotations

from engine import Download, Quote
from ui.page.components.error import details
from ui.page.components.formatting import aloud, duration, gigabytes, shown
from ui.page.components.html import bar, button
from ui.texts import FIX, MODELS


def arrival(one: Download) -> str:
    """One download; one that failed says why, and how to go on."""
    words = f'<strong>{shown(one.called)}</strong><span class="phase">{shown(_phase(one))}</span>{_buttons(one)}'
    percent = f"{100 * one.bytes_done / one.bytes_total:.0f}" if one.bytes_total else "0"
    progress = "" if one.state == "finished" else bar(MODELS.progress.format(name=one.called), percent)
    notes = "".join(f'<p class="note">{aloud(note)}</p>' for note in one.notes)
    trouble = ""
    if one.state == "failed":
        trouble = (
            f'<div class="problem" role="alert"><p><strong>{aloud(one.cause)}</strong> {aloud(one.remedy)}</p>'
            f"{details(one.detail)}{button('resume', FIX.again, one.model)}</div>"
        )
    return (
        f'<div class="job arrival" data-state="{one.state}" data-model="{shown(one.model)}">'
        f'<div class="line">{words}</div>{progress}{notes}{trouble}</div>'
    )


def _phase(one: Download) -> str:
    if one.state in ("paused", "failed", "finished"):
        words = str(getattr(MODELS, one.state))
    else:
        words = str(getattr(MODELS, one.phase))
    facts = [words]
    if one.bytes_total and one.state != "finished":
        facts.append(MODELS.amount.format(done=gigabytes(one.bytes_done / 1e9), total=gigabytes(one.bytes_total / 1e9)))
    if one.state == "running" and one.bytes_per_second:
        facts.append(MODELS.speed.format(speed=gigabytes(one.bytes_per_second / 1e9)))
    if one.state == "running" and one.seconds_left is not None:
        facts.append(MODELS.left.format(time=duration(one.seconds_left)))
    return ", ".join(facts)


def _buttons(one: Download) -> str:
    buttons = []
    if one.state in ("queued", "running"):
        buttons.append(button("hold", MODELS.pause, one.model))
    if one.state == "paused":
        buttons.append(button("resume", MODELS.resume, one.model))
    if one.state == "finished":
        buttons += [] if one.lora else [button("use", MODELS.use, one.model)]
    else:
        buttons.append(button("cancel", MODELS.cancel, one.model))
    return "".join(buttons)


# ---- the question before a download: what it costs, what its licence says ----


def question(name: str, quote: Quote, start: str, before: str = "") -> str:
    """`start`: the button, left out where the download cannot begin; `before`: what is to be said first."""
    words = [
        before,
        MODELS.quote.format(download=size(quote.bytes_to_download), free=size(max(quote.disk_free_after, 0))),
        MODELS.found.format(here=size(quote.bytes_here)) if quote.bytes_here else "",
        MODELS.gate.format(gate=quote.manifest.gate) if quote.manifest.gate else "",
        "" if quote.fits else MODELS.no_room,
    ]
    lines = "".join(f"<p>{shown(line)}</p>" for line in words if line)
    licence = shown(MODELS.licence).replace("{licence}", aloud(quote.licence))
    go = start if quote.fits and not quote.manifest.gate else ""
    return (
        f'<section class="ask"><h2>{shown(MODELS.quote_heading.format(name=name))}</h2>{lines}<p>{licence}</p>'
        f'<div class="row">{go}{button("not-now", MODELS.not_now)}</div></section>'
    )


def size(count: int) -> str:
    return gigabytes(count / 1e9)
