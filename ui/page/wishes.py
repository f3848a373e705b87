"""What a click does to the form: a starter, another model, a picture, the settings of a clip, saved settings."""

from __future__ import annotations

import json

import gradio as gr

from engine import BadFile, BadSetting, PictureRole, Preset, Request
from ui.page import saved
from ui.page.expert import Values
from ui.page.media import find
from ui.page.page import CREATE, MODEL_ROOM, Click, card_of
from ui.page.roster import starters, takes_pictures, usable
from ui.page.trouble import Fix, problem, said
from ui.texts import FIX, PICTURE, SAVED


def ask(click: Click) -> Values | None:
    """Choose a model, fill the form, bring a picture; None for what is no matter of the form."""
    engine, page, name, form = click.engine, click.page, click.name, click.page.form
    match click.what:
        case "starter":
            prompts = starters(card_of(engine, click.values[form.model]))
            return (
                {form.prompt: prompts[int(name)][1], form.refusal: ""} if name in map(str, range(len(prompts))) else {}
            )
        case "choose" | "use":
            asked = _asked(click).model_copy(update={"model": name})
            return {**_filled(click, asked), page.rooms: gr.Tabs(selected=CREATE)}
        case "settings":
            plan = find(engine, *name.split("/", 1)).recipe.plan
            return {**_filled(click, plan.request.model_copy(update={"seed": plan.seed})),
                    page.stage.dial: plan.request.dial, page.rooms: gr.Tabs(selected=CREATE)}  # fmt: skip
        case "reset":
            return _filled(click, _asked(click))
        case "say":
            return {form.refusal: "", page.rooms: gr.Tabs(selected=CREATE)}
        case "picture" | "refused" | "start":
            return _picture(click)
    return None


def _asked(click: Click) -> Request:
    """What the form asks for, without what an expert fixed, which suits one model only."""
    form, values = click.page.form, click.values
    return Request(
        prompt=values[form.prompt] or "",
        model=card_of(click.engine, values[form.model]).id,
        aspect=values[form.aspect],
        look=values[form.look] or None,
        camera=values[form.camera] or None,
        pictures=form.chosen_pictures(values),
    )


def _filled(click: Click, request: Request) -> Values:
    """The form as it would have made `request`, with its panels."""
    card = card_of(click.engine, request.model)
    drawn = click.page.form.drawn(usable(click.engine), card.id, dict(request.pictures))
    filled = {**drawn, **click.page.form.filled(request, card), click.page.form.refusal: ""}
    return {**filled, **click.page.form.styles(click.engine, card, request.look, request.camera)}


def _picture(click: Click) -> Values:
    """A picture arrives, leaves, or was refused; or the last one of a clip becomes the first of the next shot."""
    engine, page, form = click.engine, click.page, click.page.form
    card, notice = card_of(engine, click.values[form.model]), ""
    if click.what == "refused":
        cause, remedy = json.loads(click.name) if click.name.startswith("[") else (PICTURE.failed, "")
        raise BadFile(str(cause), str(remedy))
    if click.what == "start":
        role, kept = "image", engine.keep_last_picture(find(engine, *click.name.split("/", 1)).id)
        notice = said(PICTURE.kept)
        if not takes_pictures(card):
            error = BadSetting(PICTURE.not_taken.format(model=card.name), PICTURE.not_taken_remedy)
            notice = problem(error, Fix("go", FIX.models, MODEL_ROOM))
    else:
        role, _, kept = click.name.partition(":")
    fields: dict[str, gr.Textbox] = {"image": form.image, "last_image": form.last_image}
    if role not in fields:
        return {}
    chosen: dict[PictureRole, str] = form.chosen_pictures({**click.values, fields[role]: kept})
    drawn = form.drawn(usable(engine), card.id, chosen)
    return {fields[role]: kept, form.pictures: drawn[form.pictures], form.refusal: "", page.stage.notice: notice}


def saved_settings(click: Click) -> Values | None:
    """What the form asks for, kept under a name; None for anything else."""
    engine, page, name, form = click.engine, click.page, click.name, click.page.form
    match click.what:
        case "save":
            card = card_of(engine, click.values[form.model])
            request = form.request(click.values, click.values[page.stage.dial], card)
            words = SAVED.saved.format(name=engine.save_preset(name.strip(), request).name)
        case "keep-settings":
            plan = find(engine, *name.split("/", 1)).recipe.plan
            title = " ".join(plan.request.prompt.split())[:48].strip()
            words = SAVED.saved.format(name=engine.save_preset(title, plan.request).name)
        case "preset-use":
            return {**_filled(click, engine.preset(Preset, name).request), page.rooms: gr.Tabs(selected=CREATE)}
        case "preset-delete":
            words = SAVED.deleted.format(name=engine.preset(Preset, name).name)
            engine.delete_preset(Preset, name)
        case "preset-came":
            words = SAVED.came.format(name=name)
            card = card_of(engine, click.values[form.model])
            styles = form.styles(engine, card, click.values[form.look], click.values[form.camera])
            return {**styles, form.saved.shelf: saved.shelf(engine), page.stage.notice: said(words)}
        case _:
            return None
    return {form.saved.shelf: saved.shelf(engine), form.saved.name: "", page.stage.notice: said(words)}
