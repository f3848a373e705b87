"""Where models live: what each folder takes up, what is free there, another folder for new ones, and a move."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from engine import Engine, RushesError
from ui.page.components.error import problem, said
from ui.page.components.html import Button, panel, render
from ui.page.screens.models.arrivals import ask, size
from ui.texts import FIX, HOUSING


@dataclass(frozen=True)
class Housing:
    folder: gr.Textbox
    use: gr.Button
    move: gr.Button


def build(engine: Engine) -> Housing:
    with gr.Accordion(HOUSING.heading, open=False, elem_id="housing"):
        panel("housing-hint", render("components/paragraph.html", words=HOUSING.hint))
        folder = gr.Textbox(str(engine.folders["models"]), label=HOUSING.folder, max_lines=1)
        with gr.Row():
            use = gr.Button(HOUSING.use, scale=0, min_width=260)
            move = gr.Button(HOUSING.move, scale=0, min_width=260)
    return Housing(folder, use, move)


def disk(engine: Engine) -> str:
    """The folder for new models first; then those that still hold earlier ones, or whose disk is unplugged."""
    return render("screens/models/disk.html", folders=engine.location.folders())


def use(engine: Engine, folder: str) -> str:
    """New models go there from now on; or why not."""
    try:
        chosen = engine.location.use(folder)
    except RushesError as error:
        return problem(error, Button("not-now", FIX.again))
    return said(HOUSING.used.format(folder=chosen))


def ask_move(engine: Engine, folder: str) -> str:
    """What a move would bring where, and the button that begins it; or why it cannot be."""
    try:
        quote = engine.location.quote(folder)
    except RushesError as error:
        return problem(error, Button("not-now", FIX.again))
    words = HOUSING.quote.format(count=len(quote.models), size=size(quote.bytes), folder=quote.folder,
                                 free=size(quote.disk_free))  # fmt: skip
    if not quote.models:
        words = HOUSING.nothing
    elif not quote.bytes_to_write:
        words += f" {HOUSING.same_disk}"
    go = Button("move-models", HOUSING.go, quote.folder) if quote.models and quote.fits else None
    refused = "" if quote.fits else HOUSING.no_room
    return ask(words, heading=HOUSING.asking, warning=refused, yes=go, no=HOUSING.not_now)
