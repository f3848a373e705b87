"""What a click does to the form: a starter, another model or tier, an alternative that fits, a recipe's settings."""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine import Engine, Preset, Request, RushesError, Tier
from ui.amounts import figure
from ui.locale import PRESET, known
from ui.page.actions.registry import Item, action
from ui.page.components.error import said
from ui.page.components.html import render
from ui.page.components.media_routes import find
from ui.page.layout import CREATE, Click, card_of
from ui.page.model import attachments
from ui.page.model.model_entries import starters, usable
from ui.page.screens.form.expert import Values
from ui.page.screens.form.forecast_line import plannable
from ui.page.screens.form.form import length_slider
from ui.page.screens.machine import tiers
from ui.texts import MODEL, OUTCOME, SAVED, TIER


def filled(click: Click, request: Request) -> Values:
    """The form as it would have made `request`, with its panels."""
    card = card_of(click.engine, request.model)
    form = click.page.form
    drawn = form.drawn(click.engine, usable(click.engine), card.id, attachments.kept(request))
    filled = {**drawn, **form.filled(request, card), form.refusal: ""}
    return {**filled, **form.styles(click.engine, card, request.look, request.camera), **click.page.opened(CREATE)}


def _bare(click: Click) -> Request:
    """What the form asks for, without what an expert fixed, which suits one model only."""
    form, values = click.page.form, click.values
    words: dict[str, Any] = {
        "prompt": values[form.prompt] or "",
        "model": click.card.id,
        "aspect": values[form.aspect],
        "look": values[form.look] or None,
        "camera": values[form.camera] or None,
    }
    return click.given.but(**words, loras=(), strength=None)


@action("starter")
def starter(click: Click, number: int) -> Values:
    """A prompt to begin with, and nothing else: a camera move from before would be added to its words."""
    prompts, form = starters(click.card), click.page.form
    if number not in range(len(prompts)):
        return {}
    return {form.prompt: prompts[number][1], form.look: "", form.camera: "", form.refusal: ""}


@action("choose")
@action("use")
def choose(click: Click, model: str) -> Values:
    """Another model for what the form asks for. What it cannot do as the one before is said."""
    form, values = click.page.form, click.values
    asked = _bare(click).but(model=model, outcome=values[form.outcome] or None, seconds=values[form.seconds] or None)
    changed = filled(click, asked)
    del changed[form.prompt]  # what is typed until this answer arrives must stay
    told = _told_otherwise(click, asked, changed)
    return {**changed, click.page.stage.notice: said(told)} if told else changed


def _told_otherwise(click: Click, asked: Request, changed: Values) -> str:
    """What of `asked` its model cannot do, so that the form has it otherwise now."""
    form, name, told = click.page.form, card_of(click.engine, asked.model).name, []
    length = changed[form.seconds].constructor_args  # while a click is answered Gradio makes nothing more of it
    if asked.seconds and length["value"] != asked.seconds:
        low, high, now = (figure(length[name], 1) for name in ("minimum", "maximum", "value"))
        told.append(MODEL.other_length.format(name=name, low=low, high=high, now=now))
    for style, chosen in ((asked.look, changed[form.look]), (asked.camera, changed[form.camera])):
        if style and chosen.constructor_args["value"] != style:
            told.append(MODEL.no_style.format(name=name, style=_style_name(click.engine, style)))
    return " ".join(told)


def _style_name(engine: Engine, style: str) -> str:
    both = (*engine.presets.looks(), *engine.presets.cameras())
    return next((known(one.name, PRESET) for one in both if one.id == style), style)


@action("settings")
def settings(click: Click, item: Item) -> Values:
    """The form as it was for a take or clip."""
    plan = find(click.engine, item.kind, item.id).recipe.plan
    request = plan.request.but(seed=plan.seed)
    return {**filled(click, request), click.page.stage.dial: plan.request.dial}


@action("reset")
def reset(click: Click) -> Values:
    """Back to what is recommended."""
    changed = filled(click, _bare(click))
    del changed[click.page.rooms]
    return changed


@action("say")
def say(click: Click) -> Values:
    """To the prompt; the browser puts the cursor there."""
    return {click.page.form.refusal: "", **click.page.opened(CREATE)}


@action("preset-use")
def use_preset(click: Click, name: str) -> Values:
    """The form as it was when these settings were saved."""
    return filled(click, click.engine.presets.get(Preset, name).request)


# ---- tiers ----


def length_as(click: Click) -> Any:
    """The length as the outcome that was just chosen has it; it can be changed afterwards."""
    try:
        asked = plannable(click.asked.but(seconds=None), click.card)
        return length_slider(click.card, round(click.engine.plan(asked).render.seconds * 2) / 2)
    except RushesError:  # the forecast says what is wrong
        return gr.skip()


def _counted(click: Click, words: str) -> Values:
    return {click.page.machine.tiers: tiers(click.engine), click.page.stage.notice: said(words)}


@action("tier")
def count_as(click: Click, tier: str) -> Values:
    """This computer counts as another tier, or as what it is."""
    return _counted(click, TIER.now.format(tier=known(click.engine.machine.choose_tier(tier or None).name)))


@action("tier-delete")
def delete_tier(click: Click, tier: str) -> Values:
    """A tier of the person's own goes."""
    words = SAVED.deleted.format(name=known(click.engine.presets.get(Tier, tier).name))
    click.engine.presets.delete(Tier, tier)
    click.engine.machine.choose_tier(None)
    return _counted(click, words)


@action("tier-keep")
def keep_outcome(click: Click) -> Values:
    """What the form says becomes the person's own Draft, Standard or Best."""
    asked, card = click.asked, click.card
    click.engine.keep_outcome(plannable(asked, card))
    outcome = getattr(OUTCOME, asked.outcome or "draft")
    return _counted(click, OUTCOME.kept.format(outcome=outcome, model=card.name))


# ---- alternatives, where the request does not fit ----


def instead(engine: Engine, request: Request) -> str:
    """Empty where the request fits, or is refused for what it asks."""
    try:
        asked = plannable(request, card_of(engine, request.model))
        if engine.plan(asked).forecast.verdict != "unlikely":
            return ""
        found = engine.planning.instead(asked)
    except RushesError:
        return ""
    return render("screens/form/instead.html", found=found)


@action("instead")
def take_instead(click: Click, number: int) -> Values:
    """The form as a suggestion has it."""
    asked = click.asked
    found = click.engine.planning.instead(plannable(asked, click.card))
    if number not in range(len(found)):
        return {}
    better = found[number].request.but(prompt=asked.prompt, seed=asked.seed)
    return {**filled(click, better), click.page.form.instead: ""}
