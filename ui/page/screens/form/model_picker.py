"""Models as cards: what each is good at, whether it fits here, its size, and whether its clips may be sold."""

from __future__ import annotations

from collections.abc import Iterable

from ui.amounts import gigabytes
from ui.page.components import licence
from ui.page.components.formatting import fits
from ui.page.components.html import render
from ui.page.model.model_entries import TOY, Entry
from ui.texts import MODEL

SALE = {"yes": "sell", "with conditions": "sell_if", "no": "no_sale"}


def chosen(entry: Entry) -> str:
    """The model that is chosen, in full, as the form shows it."""
    rights = licence.of_model(entry.card)
    return render("screens/form/chosen.html", card=entry.card, installed=entry.installed, facts=facts(entry),
                  rights=rights)  # fmt: skip


def picker(entries: Iterable[Entry], model: str) -> str:
    """Every model to choose from, as buttons in groups, folded away until it is wanted."""
    shelves: dict[str, list[object]] = {MODEL.here: [], MODEL.fits: [], MODEL.others: []}
    for entry in entries:
        group = MODEL.here if entry.installed else MODEL.fits if entry.fits else MODEL.others
        shelves[group].append((entry.card, facts(entry)))
    return render("screens/form/picker.html", shelves=shelves, model=model)


def facts(entry: Entry) -> list[tuple[str, str]]:
    """What decides for a model or against it, each with its kind and a word or two."""
    card = entry.card
    facts = [("here", MODEL.comes_with if card.id == TOY else MODEL.installed)] if entry.installed else []
    if entry.plan:
        forecast = entry.plan.forecast
        facts.append((forecast.verdict, fits(forecast.verdict, forecast.measured)))
    if not entry.installed:
        facts.append(("", MODEL.download.format(size=gigabytes(card.size_gb))))
    if "image" in card.inputs:
        facts.append(("", MODEL.from_picture))
    if card.sound:
        facts.append(("", MODEL.sound))
    sale = SALE[card.licence.commercial_use]
    return [*facts, (sale, str(getattr(MODEL, sale)))]
