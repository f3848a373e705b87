"""Weights that another program keeps: which models they serve, what bringing the rest costs, and the start of it."""

from __future__ import annotations

from pathlib import Path

from engine import BadFile, Engine, Message, ModelCard, Offer, RushesError
from ui.page.components.error import problem
from ui.page.components.html import Button, render
from ui.page.screens.models.arrivals import question, size
from ui.texts import FIX, MODELS


def offers(engine: Engine, path: Path) -> str:
    """A button for each model that single files in a folder serve, or why there is none."""
    try:
        found = engine.models.reusable(path)
    except RushesError as error:
        return problem(error, Button("bring", FIX.again))
    rows = [(_files(offer), engine.models.card(offer.model).name, f"{offer.model}/{path}") for offer in found.offers]
    return render("screens/models/offers.html", offers=rows, refused=found.refused)


def _files(offer: Offer) -> str:
    named = ", ".join(f"{Path(one.path).name} ({size(one.bytes)})" for one in offer.borrowed)
    return MODELS.lent.format(files=named)


def ask(engine: Engine, model: str, path: str) -> str:
    """The exact cost of the rest, and the button that starts it; or why it cannot be said."""
    try:
        card, offer = _chosen(engine, model, path)
        quote = engine.downloads.quote(card, offer)
    except RushesError as error:
        return problem(error)
    return question(card.name, quote, Button("borrow", MODELS.go, f"{model}/{path}"), _files(offer))


def bring(engine: Engine, model: str, path: str) -> str:
    """Download the rest; what is to be said, where that cannot be."""
    try:
        card, offer = _chosen(engine, model, path)
        engine.downloads.add(card, engine.downloads.quote(card, offer))
    except RushesError as error:
        return problem(error)
    return ""


def _chosen(engine: Engine, model: str, path: str) -> tuple[ModelCard, Offer]:
    """The model and its files behind a button. Raises RushesError."""
    if not path:
        raise BadFile(Message("No folder was chosen."), Message("Choose the folder that holds the file."))
    card = engine.models.card(model)
    return card, engine.models.reusable(Path(path), card.id).offers[0]
