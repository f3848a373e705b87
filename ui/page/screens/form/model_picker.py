"""Models as cards: what each is good at, whether it fits here, its size, and whether its clips may be sold."""

from __future__ import annotations

from collections.abc import Iterable

from ui.page.components import licence
from ui.page.components.formatting import aloud, fits, gigabytes, shown
from ui.page.components.html import button
from ui.page.model.model_entries import TOY, Entry
from ui.texts import MODEL, MODELS
from ui.texts.sentences import told

SALE = {"yes": "sell", "with conditions": "sell_if", "no": "no_sale"}


def chosen(entry: Entry) -> str:
    """The model that is chosen, in full, as the form shows it."""
    card = entry.card
    good_at = f"<p>{shown(MODEL.good_at.format(what=told(card.good_at)))}</p>" if card.good_at else ""
    kept = told(card.sigma.kept) or MODEL.kept_unknown
    style = f"<details><summary>{shown(MODEL.words)}</summary><p>{aloud(card.prompt.style)}</p></details>"
    measured = f"<details><summary>{shown(MODEL.kept)}</summary><p>{shown(kept)}</p></details>"
    style = (style if card.prompt.style else "") + measured
    missing = ""
    if not entry.installed:
        absent = MODEL.not_installed.format(size=gigabytes(card.size_gb))
        missing = f'<p class="missing">{shown(absent)} {button("install", MODELS.install, card.id)}</p>'
    return (
        f'<section class="chosen" data-model="{shown(card.id)}"><h2>{shown(card.name)}</h2>{chips(entry)}'
        f"<p>{aloud(card.summary)}</p>{good_at}{missing}{licence.of_model(card)}{style}"
        "</section>"
    )


def picker(entries: Iterable[Entry], model: str) -> str:
    """Every model to choose from, as buttons in groups, folded away until it is wanted."""
    shelves: dict[str, list[str]] = {MODEL.here: [], MODEL.fits: [], MODEL.others: []}
    for entry in entries:
        group = MODEL.here if entry.installed else MODEL.fits if entry.fits else MODEL.others
        shelves[group].append(_option(entry, entry.card.id == model))
    groups = "".join(
        f'<section><h4>{shown(name)}</h4><div class="options">{"".join(options)}</div></section>'
        for name, options in shelves.items() if options
    )  # fmt: skip
    return f'<details class="picker"><summary>{shown(MODEL.choose)}</summary><div class="all">{groups}</div></details>'


def _option(entry: Entry, is_chosen: bool) -> str:
    card = entry.card
    return (
        f'<button type="button" class="option" data-act="choose" data-id="{shown(card.id)}"'
        f' aria-pressed="{str(is_chosen).lower()}"><strong>{shown(card.name)}</strong>'
        f"<span>{aloud(card.good_at or card.summary)}</span>{chips(entry)}</button>"
    )


def chips(entry: Entry) -> str:
    """The facts that decide, a word or two each."""
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
    facts.append((sale, str(getattr(MODEL, sale))))
    return f'<span class="chips">{"".join(f"<i data-fact={kind!r}>{shown(text)}</i>" for kind, text in facts)}</span>'
