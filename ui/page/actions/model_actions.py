"""What a click does to models: install, bring, move and remove them. One question at a time is open."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from ui.amounts import gigabytes
from ui.page.actions.registry import Source, action, begin, task
from ui.page.components.error import said
from ui.page.layout import MODEL_ROOM, Click, card_of
from ui.page.screens.form.expert import Values
from ui.page.screens.models import arrivals, external_weights, location, lora_from_hub, models
from ui.texts import MODELS


def _asked(click: Click, question: str, drawn: bool = False) -> Values:
    """The screen of models with a question on it. `drawn`: its cards are read anew."""
    screen = click.page.screen(click.engine, MODEL_ROOM, click.values) if drawn else {}
    return {**screen, **click.page.opened(MODEL_ROOM), click.page.models.question: question}


def _no_question(click: Click) -> Values:
    return {click.page.models.question: "", click.page.task: ""}


@action("install", once=True)
def install(click: Click, model: str) -> Values:
    """Ask what it costs."""
    card = card_of(click.engine, model)
    return {**_asked(click, models.asking(card), drawn=True), **begin(click, "quote", card.id)}


@task("quote")
def quote(click: Click, model: str) -> Values:
    """What an install costs, to the byte."""
    return {click.page.models.question: models.ask_install(click.engine, card_of(click.engine, model))}


@action("fetch", once=True)
def fetch(click: Click, source: Source) -> Values:
    """Download a model, or bring it in from a folder."""
    downloads, card = click.engine.downloads, card_of(click.engine, source.model)
    folder = Path(source.path) if source.path else None
    downloads.add(card, downloads.quote(card, folder, True) if folder else None, folder, True)
    return _no_question(click)


@action("hold", change="pause")
@action("resume", change="resume")
@action("cancel", change="cancel")
def change_download(click: Click, model: str, change: str) -> Values:
    """A download waits, goes on, or leaves with what has come of it."""
    downloads = click.engine.downloads
    {"pause": downloads.pause, "resume": downloads.resume, "cancel": downloads.cancel}[change](model)
    return _no_question(click)


@action("ask-remove")
def ask_remove(click: Click, model: str) -> Values:
    """Ask once more before a model is deleted."""
    return _asked(click, models.ask_remove(card_of(click.engine, model)))


@action("remove", once=True)
def remove(click: Click, model: str) -> Values:
    """Delete a model from this computer."""
    card = card_of(click.engine, model)
    words = MODELS.removed.format(name=card.name, freed=gigabytes(click.engine.downloads.remove(card) / 1e9))
    screen = click.page.screen(click.engine, MODEL_ROOM, click.values)
    return {**screen, click.page.models.question: "", click.page.stage.notice: said(words)}


@action("ask-move")
def ask_move(click: Click, folder: str) -> Values:
    """Say what a move of all models would be."""
    return _asked(click, location.ask_move(click.engine, folder), drawn=True)


@action("move-models", once=True)
def move_models(click: Click, folder: str) -> Values:
    """Begin to move them."""
    click.engine.location.start(folder)
    return _no_question(click)


@action("bring")
def bring(click: Click) -> Values:
    """Show how a model comes here without a network."""
    screen = click.page.screen(click.engine, MODEL_ROOM, click.values)
    return {**screen, **click.page.opened(MODEL_ROOM), click.page.models.offline: gr.Accordion(open=True)}


@task("look")
def look(click: Click, folder: str) -> Values:
    """What of models there is in a folder."""
    return {click.page.models.question: models.look_in(click.engine, folder)}


# ---- weights of other programs, and LoRAs of the hub ----


@action("lend", once=True, what="lend")
@action("borrow", once=True, what="borrow")
@action("fetch-lora", once=True, what="fetch-lora")
def begin_asking(click: Click, of: str, what: str) -> Values:
    """Say that it takes a moment."""
    return {**_asked(click, arrivals.ask(MODELS.wait)), **begin(click, what, of)}


@task("lend")
def lend(click: Click, source: Source) -> Values:
    """What the rest of a model costs whose weights another program keeps."""
    return {click.page.models.question: external_weights.ask(click.engine, source.model, source.path)}


@task("borrow")
def borrow(click: Click, source: Source) -> Values:
    """Download that rest."""
    return {click.page.models.question: external_weights.bring(click.engine, source.model, source.path)}


@task("lora")
def ask_lora(click: Click, address: str) -> Values:
    """What a LoRA of the hub is and costs."""
    return {click.page.models.question: lora_from_hub.ask(click.engine, address)}


@task("fetch-lora")
def fetch_lora(click: Click, address: str) -> Values:
    """Download it."""
    return {click.page.models.question: lora_from_hub.bring(click.engine, address)}
