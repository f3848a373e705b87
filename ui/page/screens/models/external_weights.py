"""Weights that another program keeps: which models they serve, what bringing the rest costs, and the start of it."""

from __future__ import annotations

from pathlib import Path

from engine import BadFile, Engine, ModelCard, Offer, RushesError
from ui.page.components.error import Fix, problem
from ui.page.components.formatting import aloud, shown
from ui.page.components.html import button
from ui.page.screens.models.arrivals import question, size
from ui.texts import FIX, MODELS


def offers(engine: Engine, path: Path) -> str:
    """A button for each model that single files in a folder serve, or why there is none."""
    try:
        found = engine.reusable(path)
    except RushesError as error:
        return problem(error, Fix("bring", FIX.again))
    rows = "".join(_row(engine, offer, path) for offer in found.offers)
    refused = "".join(f"<p>{aloud(sentence)}</p>" for sentence in found.refused)
    return (
        f'<section class="ask"><h2>{shown(MODELS.lent_heading)}</h2>{rows}{refused}'
        f'<div class="row">{button("not-now", MODELS.not_now)}</div></section>'
    )


def _row(engine: Engine, offer: Offer, path: Path) -> str:
    card = engine.catalog.card(offer.model)
    go = button("lend", MODELS.lend.format(name=card.name), f"{card.id}/{path}")
    return f'<p>{shown(_files(offer))}</p><div class="row">{go}</div>'


def _files(offer: Offer) -> str:
    named = ", ".join(f"{Path(one.path).name} ({size(one.bytes)})" for one in offer.borrowed)
    return MODELS.lent.format(files=named)


def ask(engine: Engine, item: str) -> str:
    """The exact cost of the rest, and the button that starts it; or why it cannot be said."""
    try:
        card, offer = _chosen(engine, item)
        quote = engine.downloads.quote(card, offer)
    except RushesError as error:
        return problem(error)
    return question(card.name, quote, button("borrow", MODELS.go, item, "main"), _files(offer))


def bring(engine: Engine, item: str) -> str:
    """Download the rest; what is to be said, where that cannot be."""
    try:
        card, offer = _chosen(engine, item)
        engine.downloads.add(card, engine.downloads.quote(card, offer))
    except RushesError as error:
        return problem(error)
    return ""


def _chosen(engine: Engine, item: str) -> tuple[ModelCard, Offer]:
    """The model and its files behind a button. Raises RushesError."""
    model, _, path = item.partition("/")
    if not path:
        raise BadFile("No folder was chosen.", "Choose the folder that holds the file.")
    card = engine.catalog.card(model)
    return card, engine.reusable(Path(path), card.id).offers[0]
