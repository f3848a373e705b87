"""Models on their way: the question before a download, how far it is, how fast, how long still; pause, go on,
cancel."""

from __future__ import annotations

from engine import Download, Quote
from ui.amounts import duration, gigabytes
from ui.locale import say
from ui.page.components.html import Button, render
from ui.texts import MODELS


def arrival(one: Download) -> str:
    """One download; one that failed says why, and how to go on."""
    return render("screens/models/arrival.html", one=one, phase=_phase(one))


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


# ---- questions: what a download costs, what its licence says ----


def question(name: str, quote: Quote, start: Button, before: str = "") -> str:
    """`start`: the button, left out where the download cannot begin; `before`: what is to be said first."""
    return ask(
        before,
        MODELS.quote.format(download=size(quote.bytes_to_download), free=size(max(quote.disk_free_after, 0))),
        MODELS.found.format(here=size(quote.bytes_here)) if quote.bytes_here else "",
        MODELS.gate.format(gate=quote.manifest.gate) if quote.manifest.gate else "",
        "" if quote.fits else MODELS.no_room,
        MODELS.licence.format(licence=say(quote.licence)),
        heading=MODELS.quote_heading.format(name=name),
        yes=start if quote.fits and not quote.manifest.gate else None,
        no=MODELS.not_now,
    )


def ask(*lines: str, heading: str = "", warning: str = "", yes: Button | None = None, no: str = "") -> str:
    """A question, or what is said until there is one; without `no` there is nothing to answer yet."""
    return render("screens/models/ask.html", lines=lines, heading=heading, warning=warning, yes=yes, no=no)


def size(count: int) -> str:
    return gigabytes(count / 1e9)
