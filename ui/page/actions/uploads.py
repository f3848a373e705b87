"""What a click does to what the form brings: a picture, a video, a LoRA, a clip to start from or to go on from."""

from __future__ import annotations

import json

import gradio as gr

from engine import BadFile, BadSetting, Beginning, Half, LoraUse, ModelCard, Request
from ui.page.actions.form_actions import filled
from ui.page.components.error import Fix, problem, said
from ui.page.components.media_routes import named
from ui.page.layout import CREATE, MODEL_ROOM, Click, card_of
from ui.page.model import attachments
from ui.page.screens.form.expert import Values
from ui.texts import FIX, LORA, PICTURE

HALVES: tuple[Half, ...] = ("high", "low", "both")


def bring(click: Click) -> Values | None:
    """None for what is no matter of it."""
    if click.what == "extend":
        return _extend(click)
    brought = attachments.read(click.values[click.page.form.given])
    card = card_of(click.engine, click.values[click.page.form.model])
    notice = ""
    match click.what:
        case "refused":
            raise _refused(click.name)
        case "start":
            kept = click.engine.keep_last_picture(named(click.engine, click.name).id)
            brought = attachments.with_media(brought, "image", kept, is_video=False)
            notice = said(PICTURE.kept) if "image" in card.inputs else _takes_none(card)
        case "lora-came":
            brought, notice = _lora_came(click, brought, card)
        case _:
            changed = _changed(click, brought, card)
            if changed is None:
                return None
            brought = changed
    form = click.page.form
    start = {click.page.rooms: gr.Tabs(selected=CREATE)} if click.what == "start" else {}
    return {**form.brings(click.engine, card, brought), form.refusal: "", click.page.stage.notice: notice, **start}


def _changed(click: Click, brought: Request, card: ModelCard) -> Request | None:
    """What is brought after a small change in its own place; None for any other click."""
    first, _, rest = click.name.partition(":")
    match click.what:
        case "picture" | "video":
            middle = round(float(click.values[click.page.form.seconds]) * card.frames.fps / 2)
            return attachments.with_media(brought, first, rest, click.what == "video", frame=middle)
        case "without":
            return attachments.without(brought, first, rest)
        case "keyframe":
            return attachments.moved(brought, first, rest, card.frames.fps)
        case "background":
            click.engine.choose_background(rest)
            return brought
        case "fit":
            return attachments.changed(brought, fit=rest)
        case "strength":
            return attachments.changed(brought, strength=rest or None)
        case "bare":
            return attachments.NOTHING
        case "goes-on-no-more":
            return attachments.changed(brought, extends=None)
        case "lora":
            return _with_lora(click, brought)
        case "lora-strength":
            worn = (use if use.id != first else {**use.model_dump(), "strength": rest} for use in brought.loras)
            return attachments.changed(brought, loras=[*worn])
        case "lora-half":
            half = next((one for one in HALVES if one == rest), None)
            if half:
                click.engine.loras.set_half(first, half)
            return brought
        case "lora-off":
            return attachments.changed(brought, loras=[use for use in brought.loras if use.id != first])
    return None


def _with_lora(click: Click, brought: Request) -> Request:
    """One that is here, by its id, or one in a folder that another app shares, by its path."""
    chosen = click.name.partition(":")[2]
    shared = {str(path): path for path, _ in click.engine.loras.shared()}
    name = click.engine.keep_lora(shared[chosen]).id if chosen in shared else chosen
    return attachments.changed(brought, loras=[*brought.loras, {"id": name}])


def _takes_none(card: ModelCard) -> str:
    error = BadSetting(PICTURE.not_taken.format(model=card.name), PICTURE.not_taken_remedy)
    return problem(error, Fix("go", FIX.models, MODEL_ROOM))


def _lora_came(click: Click, brought: Request, card: ModelCard) -> tuple[Request, str]:
    """Choose what came, where the model takes it; else say which ones do. Both halves of a pair may come at once."""
    ids, one_refused, refusal = click.name.partition("\n")
    notices = []
    for file in map(click.engine.loras.find, ids.split()):
        fitting = click.engine.made_for(file)
        if card in fitting:
            worn = [*(use for use in brought.loras if use.id != file.id), LoraUse(id=file.id)]
            brought = attachments.changed(brought, loras=worn)
            notices.append(LORA.came.format(name=file.name))
        else:
            models = ", ".join(fits.name for fits in fitting[:3]) or LORA.nowhere
            notices.append(LORA.elsewhere.format(name=file.name, models=models))
    return brought, problem(_refused(refusal)) if one_refused else said(" ".join(notices))


def _refused(told: str) -> BadFile:
    """Why the server would not take a file, as it told the browser; empty where nothing came back."""
    cause, remedy = json.loads(told) if told.startswith("[") else (PICTURE.failed, "")
    return BadFile(str(cause), str(remedy))


def _extend(click: Click) -> Values:
    """The form asks for what happens next."""
    kind, _, name = click.name.partition("/")
    beginning = Beginning(kind="clip" if kind == "clip" else "take", id=named(click.engine, click.name).id)
    asked = click.engine.follow_up(name).but(extends=beginning)
    return {
        **filled(click, asked),
        click.page.rooms: gr.Tabs(selected=CREATE),
        click.page.stage.notice: said(PICTURE.extend_how),
    }
