"""The screen of models: what is here, what arrives, what it costs to bring one, and how without a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine import BadFile, Engine, ModelCard, RushesError
from ui.page.components import licence
from ui.page.components.error import Fix, problem, said
from ui.page.components.formatting import aloud, gigabytes, shown
from ui.page.components.html import button, panel
from ui.page.model.model_entries import TOY, Entry, roster
from ui.page.model.snapshot import View
from ui.page.screens.form.model_picker import chips
from ui.page.screens.models import external_weights, location
from ui.page.screens.models.arrivals import arrival, question
from ui.page.screens.models.location import Housing, disk, moving
from ui.texts import FIX, MODEL, MODELS
from ui.texts.sentences import told


@dataclass(frozen=True)
class Models:
    disk: gr.HTML
    arriving: gr.HTML
    question: gr.HTML
    words: gr.Textbox
    grid: gr.HTML
    offline: gr.Accordion
    folder: gr.Textbox
    look: gr.Button
    lora_folders: gr.Textbox
    read_loras: gr.Button
    lora_address: gr.Textbox
    ask_lora: gr.Button
    home: Housing

    @property
    def drawn(self) -> list[Any]:
        return [self.disk, self.grid]

    def filled(self, engine: Engine, words: str) -> dict[Any, Any]:
        return {self.disk: disk(engine), self.grid: grid(roster(engine), words)}


def build(engine: Engine) -> Models:
    space, home = panel("disk"), location.build(engine)
    asked = panel("question", live=True)
    arriving = panel("arriving")
    words = gr.Textbox(label=MODEL.search, placeholder=MODEL.search_hint, max_lines=1, elem_id="model-search")
    cards = panel("catalogue")
    with gr.Accordion(MODELS.offline, open=False, elem_id="offline") as offline:
        panel("offline-hint", f"<p>{shown(MODELS.offline_hint)}</p>")
        with gr.Row():
            folder = gr.Textbox(label=MODELS.from_folder, placeholder=MODELS.folder_hint, max_lines=1, scale=4)
            look = gr.Button(MODELS.look, scale=1, min_width=180)
    with gr.Accordion(MODELS.lora_folders, open=False, elem_id="lora-folders"):
        panel("lora-folders-hint", f"<p>{shown(MODELS.lora_folders_hint)}</p>")
        shared = "\n".join(map(str, engine.loras.folders()))
        folders = gr.Textbox(shared, label=MODELS.lora_folders, show_label=False, lines=2)
        read_loras = gr.Button(MODELS.lora_folders_button, scale=0, min_width=180)
        with gr.Row():
            address = gr.Textbox(label=MODELS.lora_address, placeholder=MODELS.lora_address_hint, max_lines=1, scale=4)
            ask_lora = gr.Button(MODELS.lora_ask, scale=1, min_width=180)
    return Models(space, arriving, asked, words, cards, offline, folder, look, folders, read_loras, address, ask_lora,
                  home)  # fmt: skip


def arriving(view: View) -> str:
    """Models on their way to this computer, or to another folder."""
    moves = moving(view.move)
    if not view.downloads:
        return moves and f"<section class='strip'>{moves}</section>"
    coming = "".join(map(arrival, view.downloads))
    return f"<section class='strip'>{moves}<h2>{shown(MODELS.arriving)}</h2>{coming}</section>"


def grid(entries: list[Entry], words: str) -> str:
    """All models in groups; the ones that match every word."""
    wanted = words.casefold().split()
    groups: dict[str, list[str]] = {MODEL.here: [], MODEL.fits: [], MODEL.others: [], MODEL.not_yet: []}
    for entry in entries:
        card = entry.card
        text = f"{card.name} {told(card.summary)} {told(card.good_at)} {card.family} {card.licence.line}".casefold()
        if all(word in text for word in wanted):
            groups[_group(entry)].append(_card(entry))
    if not any(groups.values()):
        return f'<p class="empty">{shown(MODEL.nothing)}</p>'
    return "".join(
        f'<section><h2>{shown(name)}</h2><div class="models">{"".join(cards)}</div></section>'
        for name, cards in groups.items() if cards
    )  # fmt: skip


def _group(entry: Entry) -> str:
    if entry.installed:
        return MODEL.here
    if entry.plan is None:
        return MODEL.not_yet
    return MODEL.fits if entry.fits else MODEL.others


def _card(entry: Entry) -> str:
    card = entry.card
    deeds = ""
    if entry.installed:
        deeds = button("use", MODELS.use, card.id, "main") if entry.plan else ""
        deeds += button("ask-remove", MODELS.remove, card.id) if card.id != TOY else ""
    elif entry.plan:
        deeds = button("install", MODELS.install, card.id, label=card.name)
    why_not = f'<p class="note">{aloud(entry.why_not)}</p>' if entry.why_not else ""
    good_at = f"<p><strong>{shown(MODEL.good_at.format(what=told(card.good_at)))}</strong></p>" if card.good_at else ""
    return (
        f'<article class="model" data-model="{shown(card.id)}" data-installed="{str(entry.installed).lower()}">'
        f"<h3>{shown(card.name)}</h3>{chips(entry)}{good_at}<p>{aloud(card.summary)}</p>{why_not}"
        f'{licence.of_model(card)}<div class="row">{deeds}</div></article>'
    )


# ---- one question at a time: install this, remove that ----


def asking(card: ModelCard) -> str:
    return f'<section class="ask"><p>{shown(MODELS.asking.format(name=card.name))}</p></section>'


def ask_install(engine: Engine, card: ModelCard, source: Path | None = None) -> str:
    """The exact cost of an install, and the button that starts it; or why it cannot be said."""
    try:
        quote = engine.downloads.quote(card, source, link=bool(source))
    except RushesError as error:
        return problem(error)
    item = f"{card.id}/{source}" if source else card.id
    return question(card.name, quote, button("fetch", MODELS.bring if source else MODELS.go, item, "main"))


def ask_remove(card: ModelCard) -> str:
    words = MODELS.confirm.format(name=card.name, size=gigabytes(card.size_gb))
    return (
        f'<section class="ask"><p>{shown(words)}</p><div class="row">'
        f"{button('remove', MODELS.remove, card.id, 'main')}{button('not-now', MODELS.keep)}</div></section>"
    )


def look_in(engine: Engine, folder: str) -> str:
    """The model in a folder of this computer: what bringing it in would cost, or why there is none."""
    where = Path(folder.strip()).expanduser()
    try:
        path, card = engine.downloads.recognise(where, engine.cards())
    except BadFile:  # no whole model: then perhaps another program's single files
        return external_weights.offers(engine, where)
    except RushesError as error:
        return problem(error, Fix("bring", FIX.again))
    return ask_install(engine, card, path)


def read_loras(engine: Engine, folders: str) -> str:
    """LoRAs that another app keeps can be chosen from now on; says how many there are, or which folder is none."""
    try:
        engine.loras.share([Path(line.strip()).expanduser() for line in folders.splitlines() if line.strip()])
    except RushesError as error:
        return problem(error, Fix("not-now", FIX.again))
    return said(MODELS.lora_folders_done.format(count=len(engine.loras.shared())))
