"""Where models live: what each folder takes up, what is free there, another folder for new ones, and a move."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from engine import Engine, Housed, Move, RushesError
from ui.page.components.error import Fix, problem, said
from ui.page.components.formatting import aloud, gigabytes, shown
from ui.page.components.html import bar, button, panel
from ui.texts import FIX, HOUSING


@dataclass(frozen=True)
class Housing:
    folder: gr.Textbox
    use: gr.Button
    move: gr.Button


def build(engine: Engine) -> Housing:
    with gr.Accordion(HOUSING.heading, open=False, elem_id="housing"):
        panel("housing-hint", f"<p>{shown(HOUSING.hint)}</p>")
        folder = gr.Textbox(str(engine.places.models), label=HOUSING.folder, max_lines=1)
        with gr.Row():
            use = gr.Button(HOUSING.use, scale=0, min_width=260)
            move = gr.Button(HOUSING.move, scale=0, min_width=260)
    return Housing(folder, use, move)


def disk(engine: Engine) -> str:
    """The folder for new models first; then those that still hold earlier ones, or whose disk is unplugged."""
    first, *others = engine.model_home.folders()
    return _place(first) + "".join(_place(place, first.folder) for place in others)


def _place(place: Housed, present: str = "") -> str:
    """`present`: where new models go, when that is another folder."""
    folder = shown(HOUSING.kept.format(folder=place.folder))
    if not place.there:
        return f'<div class="place"><p>{folder} <strong>{shown(HOUSING.unplugged)}</strong></p></div>'
    amount = HOUSING.amount.format(used=_size(place.bytes_used), free=_size(place.disk_free))
    deeds = button("ask-move", HOUSING.move_here, present) if present else button("reveal", HOUSING.reveal, "models/")
    return f'<div class="place"><p><strong>{shown(amount)}</strong> {folder}</p>{deeds}</div>'


def use(engine: Engine, folder: str) -> str:
    """New models go there from now on; or why not."""
    try:
        chosen = engine.model_home.use(folder)
    except RushesError as error:
        return problem(error, Fix("not-now", FIX.again))
    return said(HOUSING.used.format(folder=chosen))


def ask_move(engine: Engine, folder: str) -> str:
    """What a move would bring where, and the button that begins it; or why it cannot be."""
    try:
        quote = engine.model_home.quote(folder)
    except RushesError as error:
        return problem(error, Fix("not-now", FIX.again))
    size, free = _size(quote.bytes), _size(quote.disk_free)
    words = HOUSING.quote.format(count=len(quote.models), size=size, folder=quote.folder, free=free)
    if not quote.models:
        words = HOUSING.nothing
    elif not quote.bytes_to_write:
        words += f" {HOUSING.same_disk}"
    refused = "" if quote.fits else f"<p><strong>{shown(HOUSING.no_room)}</strong></p>"
    go = button("move-models", HOUSING.go, quote.folder, "main") if quote.models and quote.fits else ""
    return (
        f'<section class="ask"><h2>{shown(HOUSING.asking)}</h2><p>{shown(words)}</p>{refused}<div class="row">{go}'
        f"{button('not-now', HOUSING.not_now)}</div></section>"
    )


def moving(move: Move | None) -> str:
    """How far a move is, or why it ended too early; nothing once it is done."""
    if move is None or (move.ended and not move.cause):
        return ""
    if move.ended:
        again = button("ask-move", FIX.again, move.folder)
        return (
            f'<div class="problem" role="alert"><p><strong>{aloud(move.cause)}</strong> {aloud(move.remedy)}</p>'
            f"{again}</div>"
        )
    percent = f"{100 * move.bytes_done / move.bytes_total:.0f}" if move.bytes_total else "0"
    amount = HOUSING.done.format(done=_size(move.bytes_done), total=_size(move.bytes_total))
    return (
        f'<div class="job arrival" data-state="moving"><div class="line"><strong>{shown(HOUSING.moving)}</strong>'
        f'<span class="phase">{shown(move.model)} {shown(amount)}</span></div>{bar(HOUSING.moving, percent)}'
        f'<p class="note">{shown(HOUSING.waits)}</p></div>'
    )


def _size(count: int) -> str:
    return gigabytes(count / 1e9)
