"""The screen of models: what is here, what arrives, what it costs to bring one, and how without a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine import Engine, ModelCard, Quote, RushesError
from ui.page import rights
from ui.page.arrivals import arrival
from ui.page.panel import button, panel
from ui.page.picker import chips
from ui.page.roster import TOY, Entry, roster
from ui.page.trouble import Fix, problem
from ui.page.view import View
from ui.page.wording import gigabytes, shown
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

    @property
    def drawn(self) -> list[Any]:
        return [self.disk, self.grid]

    def filled(self, engine: Engine, words: str) -> dict[Any, Any]:
        return {self.disk: disk(engine), self.grid: grid(roster(engine), words)}


def build() -> Models:
    space = panel("disk")
    question = panel("question", live=True)
    arriving = panel("arriving")
    words = gr.Textbox(label=MODEL.search, placeholder=MODEL.search_hint, max_lines=1, elem_id="model-search")
    cards = panel("catalogue")
    with gr.Accordion(MODELS.offline, open=False, elem_id="offline") as offline:
        panel("offline-hint", f"<p>{shown(MODELS.offline_hint)}</p>")
        with gr.Row():
            folder = gr.Textbox(label=MODELS.from_folder, placeholder=MODELS.folder_hint, max_lines=1, scale=4)
            look = gr.Button(MODELS.look, scale=1, min_width=180)
    return Models(space, arriving, question, words, cards, offline, folder, look)


def disk(engine: Engine) -> str:
    folder = engine.places.models
    used = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    amount = MODELS.disk.format(used=gigabytes(used / 1e9), free=gigabytes(engine.hardware().disk_free_gb))
    where = MODELS.folder.format(folder=folder)
    reveal = button("reveal", MODELS.reveal, "models/")
    return f"<p><strong>{shown(amount)}</strong> {shown(where)}</p>{reveal}"


def arriving(view: View) -> str:
    if not view.downloads:
        return ""
    return f"<section class='strip'><h2>{shown(MODELS.arriving)}</h2>{''.join(map(arrival, view.downloads))}</section>"


def grid(entries: list[Entry], words: str) -> str:
    """All models in groups; the ones that match every word."""
    wanted = words.casefold().split()
    groups: dict[str, list[str]] = {MODEL.here: [], MODEL.fits: [], MODEL.others: [], MODEL.not_yet: []}
    for entry in entries:
        card = entry.card
        text = f"{card.name} {card.summary} {card.good_at} {card.family} {card.licence.line}".casefold()
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
    why_not = f'<p class="note">{shown(entry.why_not)}</p>' if entry.why_not else ""
    good_at = f"<p><strong>{shown(MODEL.good_at.format(what=card.good_at))}</strong></p>" if card.good_at else ""
    return (
        f'<article class="model" data-model="{shown(card.id)}" data-installed="{str(entry.installed).lower()}">'
        f"<h3>{shown(card.name)}</h3>{chips(entry)}{good_at}<p>{shown(card.summary)}</p>{why_not}"
        f'{rights.of_model(card)}<div class="row">{deeds}</div></article>'
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
    return _quoted(card, quote, source)


def _quoted(card: ModelCard, quote: Quote, source: Path | None) -> str:
    words = [
        MODELS.quote.format(download=_size(quote.bytes_to_download), free=_size(max(quote.disk_free_after, 0))),
        MODELS.found.format(here=_size(quote.bytes_here)) if quote.bytes_here else "",
        MODELS.gate.format(gate=quote.manifest.gate) if quote.manifest.gate else "",
        "" if quote.fits else MODELS.no_room,
        MODELS.licence.format(licence=quote.licence),
    ]
    lines = "".join(f"<p>{shown(line)}</p>" for line in words if line)
    go = ""
    if quote.fits and not quote.manifest.gate:
        item = f"{card.id}/{source}" if source else card.id
        go = button("fetch", MODELS.bring if source else MODELS.go, item, "main")
    heading = MODELS.quote_heading.format(name=card.name)
    return (
        f'<section class="ask"><h2>{shown(heading)}</h2>{lines}<div class="row">{go}'
        f"{button('not-now', MODELS.not_now)}</div></section>"
    )


def ask_remove(card: ModelCard) -> str:
    words = MODELS.confirm.format(name=card.name, size=gigabytes(card.size_gb))
    return (
        f'<section class="ask"><p>{shown(words)}</p><div class="row">'
        f"{button('remove', MODELS.remove, card.id, 'main')}{button('not-now', MODELS.keep)}</div></section>"
    )


def look_in(engine: Engine, folder: str) -> str:
    """The model in a folder of this computer: what bringing it in would cost, or why there is none."""
    try:
        path, card = engine.downloads.recognise(Path(folder.strip()).expanduser(), engine.cards())
    except RushesError as error:
        return problem(error, Fix("bring", FIX.again))
    return ask_install(engine, card, path)


def _size(count: int) -> str:
    return gigabytes(count / 1e9)
