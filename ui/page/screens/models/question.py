"""One question before anything is downloaded: what it costs, what its licence says, and the button that starts it."""

from __future__ import annotations

from engine import Quote
from ui.page.components.formatting import aloud, gigabytes, shown
from ui.page.components.html import button
from ui.texts import MODELS


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
