"""What a chosen outcome does to the form, and what a click does to what outcomes mean."""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine import Engine, RushesError, Tier
from ui.page.components.error import said
from ui.page.layout import Click, Page, card_of
from ui.page.screens.form.expert import Values
from ui.page.screens.form.forecast_line import plannable
from ui.page.screens.form.form import length_slider
from ui.page.screens.tiers import tiers
from ui.texts import OUTCOME, SAVED, TIER
from ui.texts.sentences import told


def length_as(engine: Engine, page: Page, values: Values) -> Any:
    """The length as the outcome that was just chosen has it; it can be changed afterwards."""
    form = page.form
    card = card_of(engine, values[form.model])
    try:
        asked = form.request(values, values[page.stage.dial], card).model_copy(update={"seconds": None})
        return length_slider(card, round(engine.plan(plannable(asked, card)).render.seconds * 2) / 2)
    except RushesError:  # the forecast says what is wrong
        return gr.skip()


def count_as(click: Click) -> Values | None:
    """Count as another tier, or keep what the form says as one's own; None for anything else."""
    engine, page, form = click.engine, click.page, click.page.form
    match click.what:
        case "tier":
            words = TIER.now.format(tier=told(engine.choose_tier(click.name or None).name))
        case "tier-delete":
            words = SAVED.deleted.format(name=told(engine.preset(Tier, click.name).name))
            engine.delete_preset(Tier, click.name)
            engine.choose_tier(None)
        case "tier-keep":
            card = card_of(engine, click.values[form.model])
            asked = form.request(click.values, click.values[page.stage.dial], card)
            engine.keep_outcome(plannable(asked, card))
            words = OUTCOME.kept.format(outcome=getattr(OUTCOME, asked.outcome or "draft"), model=card.name)
        case _:
            return None
    return {page.machine.tiers: tiers(engine), page.stage.notice: said(words)}
