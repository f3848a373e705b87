"""What would fit where the request does not: each suggestion is a button that fills the form."""

from __future__ import annotations

import gradio as gr

from engine import Engine, Request, RushesError
from ui.page.actions.form_actions import filled
from ui.page.components.formatting import aloud, shown
from ui.page.components.html import button
from ui.page.layout import CREATE, Click, card_of
from ui.page.screens.form.expert import Values
from ui.page.screens.form.forecast_line import plannable
from ui.texts import INSTEAD


def instead(engine: Engine, request: Request) -> str:
    """Empty where the request fits, or is refused for what it asks."""
    try:
        asked = plannable(request, card_of(engine, request.model))
        if engine.plan(asked).forecast.verdict != "unlikely":
            return ""
        found = engine.instead(asked)
    except RushesError:
        return ""
    items = "".join(
        f"<li><span>{aloud(one.text)}</span>{button('instead', INSTEAD.use, str(number))}</li>"
        for number, one in enumerate(found)
    )
    inside = f"<ul>{items}</ul>" if found else f"<p>{shown(INSTEAD.nothing)}</p>"
    return f'<section class="instead"><h2>{shown(INSTEAD.heading)}</h2>{inside}</section>'


def take(click: Click) -> Values | None:
    """The form as a suggestion has it; None for anything else."""
    if click.what != "instead":
        return None
    engine, form = click.engine, click.page.form
    card = card_of(engine, click.values[form.model])
    request = form.request(click.values, click.values[click.page.stage.dial], card)
    found = engine.instead(plannable(request, card))
    if not (click.name.isdecimal() and int(click.name) < len(found)):
        return {}
    better = found[int(click.name)].request.model_copy(update={"prompt": request.prompt, "seed": request.seed})
    return {**filled(click, better), form.instead: "", click.page.rooms: gr.Tabs(selected=CREATE)}
