"""What a click does to the form: a starter, another model or tier, an alternative that fits, saved settings."""

from __future__ import annotations

from textwrap import shorten
from typing import Any

import gradio as gr

from engine import BadSetting, Camera, Engine, Look, Preset, Request, RushesError, Tier
from ui.page.components.error import Fix, problem, said
from ui.page.components.formatting import aloud, shown
from ui.page.components.html import button
from ui.page.components.media_routes import named
from ui.page.layout import CREATE, Click, Page, card_of
from ui.page.model import attachments
from ui.page.model.model_entries import starters, usable
from ui.page.screens.form import saved_settings as saved
from ui.page.screens.form import styles
from ui.page.screens.form.expert import Values
from ui.page.screens.form.forecast_line import plannable
from ui.page.screens.form.form import length_slider
from ui.page.screens.machine import tiers
from ui.texts import FIX, INSTEAD, OUTCOME, SAVED, STYLES, TIER
from ui.texts.sentences import told


def ask(click: Click) -> Values | None:
    """Choose a model, fill the form; None for what is no matter of the form."""
    engine, page, name, form = click.engine, click.page, click.name, click.page.form
    match click.what:
        case "starter":
            prompts = starters(card_of(engine, click.values[form.model]))
            return (
                {form.prompt: prompts[int(name)][1], form.refusal: ""} if name in map(str, range(len(prompts))) else {}
            )
        case "choose" | "use":
            asked = _asked(click).but(model=name)
            changed = {**filled(click, asked), page.rooms: gr.Tabs(selected=CREATE)}
            del changed[form.prompt]  # what is typed until this answer arrives must stay
            return changed
        case "settings":
            plan = named(engine, name).recipe.plan
            return {**filled(click, plan.request.but(seed=plan.seed)),
                    page.stage.dial: plan.request.dial, page.rooms: gr.Tabs(selected=CREATE)}  # fmt: skip
        case "reset":
            return filled(click, _asked(click))
        case "say":
            return {form.refusal: "", page.rooms: gr.Tabs(selected=CREATE)}
    return None


def _asked(click: Click) -> Request:
    """What the form asks for, without what an expert fixed, which suits one model only."""
    form, values = click.page.form, click.values
    brought = attachments.read(values[form.given])
    words: dict[str, Any] = {
        "prompt": values[form.prompt] or "",
        "model": card_of(click.engine, values[form.model]).id,
        "aspect": values[form.aspect],
        "look": values[form.look] or None,
        "camera": values[form.camera] or None,
    }
    return brought.but(**words, loras=(), strength=None)


def filled(click: Click, request: Request) -> Values:
    """The form as it would have made `request`, with its panels."""
    card = card_of(click.engine, request.model)
    drawn = click.page.form.drawn(click.engine, usable(click.engine), card.id, attachments.kept(request))
    filled = {**drawn, **click.page.form.filled(request, card), click.page.form.refusal: ""}
    return {**filled, **click.page.form.styles(click.engine, card, request.look, request.camera)}


def own_styles(click: Click) -> Values | None:
    """A look or camera move of one's own: begun with another, kept, deleted; None for anything else."""
    engine, form, values = click.engine, click.page.form, click.values
    card = card_of(engine, values[form.model])
    chosen = {"look": values[form.look], "camera": values[form.camera]}
    match click.what:
        case "style-begin":
            return form.own_styles(engine, card, values[form.own.which] or "")
        case "style-keep":
            try:
                style = styles.changed(engine, values[form.own.which] or "", values[form.own.words] or "")
                kept = engine.save_preset((values[form.own.name] or "").strip(), style)
            except BadSetting as error:  # the form is not to blame, so nothing of it is taken back
                return {click.page.stage.notice: problem(error, Fix("dismiss", FIX.again))}
            assert isinstance(kept, Look | Camera)
            chosen[kept.kind], which, words = kept.id, f"{kept.kind}/{kept.id}", styles.kept(kept, card)
        case "style-delete":
            gone, which = styles.find(engine, click.name), ""
            engine.delete_preset(type(gone), gone.id)
            words = STYLES.deleted.format(name=gone.name)
        case _:
            return None
    drawn = {**form.styles(engine, card, **chosen), **form.own_styles(engine, card, which)}
    return {**drawn, form.own.name: "", click.page.stage.notice: said(words)}


def saved_settings(click: Click) -> Values | None:
    """What the form asks for, kept under a name; None for anything else."""
    engine, page, name, form = click.engine, click.page, click.name, click.page.form
    match click.what:
        case "save":
            card = card_of(engine, click.values[form.model])
            request = form.request(click.values, click.values[page.stage.dial], card)
            words = SAVED.saved.format(name=engine.save_preset(name.strip(), request).name)
        case "keep-settings":
            plan = named(engine, name).recipe.plan
            title = shorten(plan.request.prompt, 48, placeholder="…")
            words = SAVED.saved.format(name=engine.save_preset(title, plan.request).name)
        case "preset-use":
            return {**filled(click, engine.preset(Preset, name).request), page.rooms: gr.Tabs(selected=CREATE)}
        case "preset-delete":
            words = SAVED.deleted.format(name=engine.preset(Preset, name).name)
            engine.delete_preset(Preset, name)
        case "preset-came":
            words = SAVED.came.format(name=name)
            card = card_of(engine, click.values[form.model])
            pickers = form.styles(engine, card, click.values[form.look], click.values[form.camera])
            return {
                **pickers,
                form.own.which: styles.chooser(engine),
                form.saved.shelf: saved.shelf(engine),
                page.machine.tiers: tiers(engine),
                page.stage.notice: said(words),
            }
        case _:
            return None
    return {form.saved.shelf: saved.shelf(engine), form.saved.name: "", page.stage.notice: said(words)}


# ---- tiers ----


def length_as(engine: Engine, page: Page, values: Values) -> Any:
    """The length as the outcome that was just chosen has it; it can be changed afterwards."""
    form = page.form
    card = card_of(engine, values[form.model])
    try:
        asked = form.request(values, values[page.stage.dial], card).but(seconds=None)
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


# ---- alternatives, where the request does not fit ----


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
    better = found[int(click.name)].request.but(prompt=request.prompt, seed=request.seed)
    return {**filled(click, better), form.instead: "", click.page.rooms: gr.Tabs(selected=CREATE)}
