"""The screen of models: what is here, what arrives, what it costs to bring one, and how without a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine import BadFile, Engine, ModelCard, RushesError
from ui.amounts import gigabytes
from ui.locale import known, say
from ui.page.components import licence
from ui.page.components.error import problem, said
from ui.page.components.html import Button, panel, render
from ui.page.model import search
from ui.page.model.model_entries import TOY, Entry, roster
from ui.page.model.snapshot import View
from ui.page.screens.form.model_picker import facts
from ui.page.screens.models import external_weights, location
from ui.page.screens.models.arrivals import arrival, ask, question
from ui.page.screens.models.location import Housing, disk
from ui.texts import FIX, MODEL, MODELS


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
        panel("offline-hint", render("components/paragraph.html", words=MODELS.offline_hint))
        with gr.Row():
            folder = gr.Textbox(label=MODELS.from_folder, placeholder=MODELS.folder_hint, max_lines=1, scale=4)
            look = gr.Button(MODELS.look, scale=1, min_width=180)
    with gr.Accordion(MODELS.lora_folders, open=False, elem_id="lora-folders"):
        panel("lora-folders-hint", render("components/paragraph.html", words=MODELS.lora_folders_hint))
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
    move = view.move if view.move and (view.move.cause or not view.move.ended) else None  # nothing once it is done
    return render("screens/models/arriving.html", move=move, downloads=[*map(arrival, view.downloads)])


def grid(entries: list[Entry], words: str) -> str:
    """All models in groups; the ones that match every word."""
    groups: dict[str, list[object]] = {MODEL.here: [], MODEL.fits: [], MODEL.others: [], MODEL.not_yet: []}
    for entry in entries:
        card = entry.card
        told = card.name, known(card.summary), known(card.good_at), card.family, say(card.licence.line)
        if search.matches(words, *told, *_deeds(card)):
            groups[_group(entry)].append((entry, facts(entry), licence.of_model(card)))
    return render("screens/models/models.html", groups=groups, toy=TOY)


def _deeds(card: ModelCard) -> list[str]:
    """What it can be used for, in words that people look for."""
    deeds = {"image": MODEL.as_image, "last_image": MODEL.as_last_image, "references": MODEL.as_references,
             "video": MODEL.as_video, "control_video": MODEL.as_control_video,
             "face_video": MODEL.as_face_video}  # fmt: skip
    found = [words for name, words in deeds.items() if name in card.inputs]
    return [*found, *([MODEL.as_sound] if card.sound else []), *([] if card.needs else [MODEL.as_text])]


def _group(entry: Entry) -> str:
    if entry.installed:
        return MODEL.here
    if entry.plan is None:
        return MODEL.not_yet
    return MODEL.fits if entry.fits else MODEL.others


# ---- one question at a time: install this, remove that ----


def asking(card: ModelCard) -> str:
    return ask(MODELS.asking.format(name=card.name))


def ask_install(engine: Engine, card: ModelCard, source: Path | None = None) -> str:
    """The exact cost of an install, and the button that starts it; or why it cannot be said."""
    try:
        quote = engine.downloads.quote(card, source, link=bool(source))
    except RushesError as error:
        return problem(error)
    item = f"{card.id}/{source}" if source else card.id
    return question(card.name, quote, Button("fetch", MODELS.bring if source else MODELS.go, item))


def ask_remove(card: ModelCard) -> str:
    words = MODELS.confirm.format(name=card.name, size=gigabytes(card.size_gb))
    return ask(words, yes=Button("remove", MODELS.remove, card.id), no=MODELS.keep)


def look_in(engine: Engine, folder: str) -> str:
    """The model in a folder of this computer: what bringing it in would cost, or why there is none."""
    where = Path(folder.strip()).expanduser()
    try:
        path, card = engine.downloads.recognise(where, engine.models.cards())
    except BadFile:  # no whole model: then perhaps another program's single files
        return external_weights.offers(engine, where)
    except RushesError as error:
        return problem(error, Button("bring", FIX.again))
    return ask_install(engine, card, path)


def read_loras(engine: Engine, folders: str) -> str:
    """LoRAs that another app keeps can be chosen from now on; says how many there are, or which folder is none."""
    try:
        engine.loras.share([Path(line.strip()).expanduser() for line in folders.splitlines() if line.strip()])
    except RushesError as error:
        return problem(error, Button("not-now", FIX.again))
    return said(MODELS.lora_folders_done.format(count=len(engine.loras.shared())))
