"""What can my machine do: every model in three outcomes, and which one to install first."""

from __future__ import annotations

from itertools import groupby

from engine import Engine, Row
from ui.page.components.formatting import aloud, figure, fits, gigabytes, shown, span
from ui.page.components.html import button
from ui.texts import CAPABILITY, OUTCOME
from ui.texts.sentences import told


def capability(engine: Engine) -> str:
    """The whole table as HTML; none is hidden."""
    names = {card.id: card.name for card in engine.cards()}
    outcomes = (OUTCOME.draft, OUTCOME.standard, OUTCOME.best)
    head = "".join(f'<th scope="col">{shown(name)}</th>' for name in (CAPABILITY.model, *outcomes))
    rows = "".join(
        f'<tr data-model="{shown(model)}"><th scope="row">{shown(names[model])}</th>{"".join(map(_cell, rows))}</tr>'
        for model, rows in groupby(engine.table(), key=lambda row: row.model)
    )
    return (
        f"<section><h2>{shown(CAPABILITY.heading)}</h2><p>{shown(CAPABILITY.hint)}</p>{_first(engine)}"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{shown(CAPABILITY.heading)}"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _first(engine: Engine) -> str:
    picks, names = "", {card.id: card.name for card in engine.cards()}
    for pick in engine.recommended():
        what, why, terms = told(pick.what_for), told(pick.why), told(pick.licence)
        words = CAPABILITY.first.format(what=what, model=names[pick.model], why=why, licence=terms,
                                        download=gigabytes(pick.download_gb), time=span(*pick.seconds))  # fmt: skip
        picks += f"<li><span>{shown(words)}</span>{button('choose', CAPABILITY.show, pick.model)}</li>"
    return f"<ul>{picks}</ul>" if picks else f'<p class="note">{shown(CAPABILITY.none)}</p>'


def _cell(row: Row) -> str:
    if not row.size:
        return f'<td title="{aloud(" ".join(row.reasons))}">{shown(CAPABILITY.refused)}</td>'
    length = figure(row.clip_seconds, 0 if row.clip_seconds.is_integer() else 1)
    clip = CAPABILITY.cell.format(seconds=length, size=row.size.replace("x", " × "),
                                  time=span(*row.render_seconds))  # fmt: skip
    return (
        f'<td title="{aloud(row.basis)}"><i data-fact="{row.verdict}">{shown(fits(row.verdict, row.measured))}</i>'
        f" {shown(clip)}</td>"
    )
