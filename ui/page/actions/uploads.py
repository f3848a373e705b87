"""What a click does to what the form brings: a picture, a video, a LoRA, a clip to start from or to go on from."""

from __future__ import annotations

import json

from engine import BadFile, BadSetting, Beginning, Half, LoraUse, Message, ModelCard, Request
from ui.page.actions.form_actions import filled
from ui.page.actions.registry import Change, Item, Pair, Slot, action
from ui.page.components.error import problem, said
from ui.page.components.html import Button
from ui.page.components.media_routes import find
from ui.page.layout import CREATE, MODEL_ROOM, Click
from ui.page.model import attachments
from ui.page.screens.form.expert import Values
from ui.texts import FIX, LORA, PICTURE


class Halved(Pair):
    """A LoRA, and which steps it acts on."""

    id: str
    half: Half


class Arrived(Pair):
    """LoRAs that came, by their ids, and why one of them did not, as the server told the browser."""

    MARK = "\n"
    ids: str
    refused: str | None = None


def brings(click: Click, brought: Request, notice: str = "") -> Values:
    """The form with this beside its words."""
    form = click.page.form
    drawn = form.brings(click.engine, click.card, brought)
    return {**drawn, form.refusal: "", click.page.stage.notice: notice}


# ---- pictures and videos ----


@action("picture", moves=False)
@action("video", moves=True)
def bring(click: Click, came: Slot, moves: bool) -> Values:
    """A file of the person's is here. One that is seen in between is seen in the middle at first."""
    middle = round(float(click.values[click.page.form.seconds]) * click.card.frames.fps / 2)
    return brings(click, attachments.with_media(click.given, came.role, came.name, moves, frame=middle))


@action("refused")
def refused(click: Click, told: str) -> Values:
    """The server would not take a file: why, and the field for another one of its kind."""
    return {click.page.stage.notice: _refused(told)}


def _refused(told: str) -> str:
    """Why the server would not take a file, as it told the browser; empty where nothing came back."""
    cause, remedy, way = json.loads(told) if told.startswith("[") else (PICTURE.failed, "", "")
    error = BadFile(Message.of(str(cause)), Message.of(str(remedy)))
    match way:
        case "picture":
            return problem(error, Button("go", FIX.picture, CREATE))
        case "video":
            return problem(error, Button("go", FIX.video, CREATE))
        case "preset" | "lora":
            return problem(error, Button("pick", FIX.file, str(way)))
    return problem(error)


@action("without")
def without(click: Click, slot: Slot) -> Values:
    """Take one away."""
    return brings(click, attachments.without(click.given, slot.role, slot.name))


@action("keyframe")
def move_keyframe(click: Click, at: Change) -> Values:
    """A picture in between is seen at another second."""
    return brings(click, attachments.moved(click.given, at.name, at.value, click.card.frames.fps))


@action("fit")
def fit(click: Click, how: Change) -> Values:
    """How what is brought gets the shape of the clip."""
    return brings(click, attachments.changed(click.given, fit=how.value))


@action("background")
def background(click: Click, colour: Change) -> Values:
    """What lies under what can be seen through, from the next one on."""
    click.engine.media.choose_background(colour.value)
    return brings(click, click.given)


@action("strength")
def strength(click: Click, how: Change) -> Values:
    """How far the clip may leave the video that it starts from."""
    return brings(click, attachments.changed(click.given, strength=how.value or None))


@action("bare")
def bare(click: Click) -> Values:
    """Nothing beside the words."""
    return brings(click, attachments.NOTHING)


# ---- from a take or clip ----


@action("start", once=True)
def start(click: Click, item: Item) -> Values:
    """Its last picture becomes the first of the next shot."""
    kept = click.engine.keep_last_picture(find(click.engine, item.kind, item.id).id)
    taken = "image" in click.card.inputs
    brought = attachments.with_media(click.given, "image", kept, is_video=False)
    notice = said(PICTURE.kept) if taken else _takes_none(click.card)
    return {**brings(click, brought, notice), **click.page.opened(CREATE)}


def _takes_none(card: ModelCard) -> str:
    error = BadSetting(Message.of(PICTURE.not_taken.format(model=card.name)), Message.of(PICTURE.not_taken_remedy))
    return problem(error, Button("go", FIX.models, MODEL_ROOM))


@action("extend", once=True)
def extend(click: Click, item: Item) -> Values:
    """The form asks for what happens next."""
    beginning = Beginning(kind=item.kind, id=find(click.engine, item.kind, item.id).id)
    asked = click.engine.follow_up(item.id).but(extends=beginning)
    return {**filled(click, asked), click.page.stage.notice: said(PICTURE.extend_how)}


@action("goes-on-no-more")
def begin_anew(click: Click) -> Values:
    """The next clip begins by itself."""
    return brings(click, attachments.changed(click.given, extends=None))


# ---- LoRAs ----


@action("lora")
def add_lora(click: Click, chosen: Change) -> Values:
    """Wear one that is here, by its id, or one in a folder that another app shares, by its path."""
    shared = {str(path): path for path, _ in click.engine.loras.shared()}
    path = shared.get(chosen.value)
    name = click.engine.keep_lora(path).id if path else chosen.value
    return brings(click, attachments.changed(click.given, loras=[*click.given.loras, {"id": name}]))


@action("lora-came")
def lora_came(click: Click, came: Arrived) -> Values:
    """Wear what came, where the model takes it; else say which ones do. Both halves of a pair may come at once."""
    brought, notices = click.given, []
    for file in map(click.engine.loras.find, came.ids.split()):
        fitting = click.engine.models.made_for(file)
        if click.card in fitting:
            worn = [*(use for use in brought.loras if use.id != file.id), LoraUse(id=file.id)]
            brought = attachments.changed(brought, loras=worn)
            notices.append(LORA.came.format(name=file.name))
        else:
            models = ", ".join(fits.name for fits in fitting[:3]) or LORA.nowhere
            notices.append(LORA.elsewhere.format(name=file.name, models=models))
    notice = said(" ".join(notices)) if came.refused is None else _refused(came.refused)
    return brings(click, brought, notice)


@action("lora-strength")
def change_lora(click: Click, how: Change) -> Values:
    """Wear it more or less."""
    worn = [{**use.model_dump(), "strength": how.value} if use.id == how.name else use for use in click.given.loras]
    return brings(click, attachments.changed(click.given, loras=worn))


@action("lora-half")
def halve_lora(click: Click, which: Halved) -> Values:
    """It acts on early steps, on late ones, or on all."""
    click.engine.loras.set_half(which.id, which.half)
    return brings(click, click.given)


@action("lora-off")
def drop_lora(click: Click, lora: str) -> Values:
    """Leave it out."""
    return brings(click, attachments.changed(click.given, loras=[use for use in click.given.loras if use.id != lora]))
