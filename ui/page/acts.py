"""What a click in our own HTML does. Each asks the engine and answers with what has changed on the page.

_work      jobs: render, stop, try again, change places      _ask     the form: choose, fill, bring a picture
_keep      the library: delete, undo, show in folder         _models  install, pause, remove, bring on a disk
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from engine import BadFile, BadSetting, Engine, PictureRole, Request, RushesError, as_request, examine
from ui.page import machine, models, shelf
from ui.page.expert import Values
from ui.page.media import find
from ui.page.page import CREATE, MODEL_ROOM, ROOMS, Page, card_of
from ui.page.reveal import reveal
from ui.page.roster import starters, takes_pictures, usable
from ui.page.trouble import Fix, problem
from ui.page.wording import gigabytes, shown
from ui.texts import FIX, MACHINE, MODEL, MODELS, PICTURE


@dataclass(frozen=True)
class Click:
    """`what` is asked for, of what (`name`), with everything that the person has set."""

    engine: Engine
    page: Page
    what: str
    name: str
    values: Values


def act(click: Click) -> Values:
    """What a click changes. A refusal becomes a notice with one button."""
    notice = click.page.stage.notice
    try:
        changed = next((done for part in (_work, _ask, _keep, _models) if (done := part(click)) is not None), {})
    except RushesError as error:
        changed = {notice: problem(error)}
    return {notice: "", **click.page.stage.refresh(click.engine), **changed}


def not_here(engine: Engine, model: str) -> str:
    """Why nothing can be made with this model yet; empty when it is installed."""
    card = card_of(engine, model)
    if engine.installed(card):
        return ""
    error = BadSetting(MODEL.refused.format(name=card.name), MODEL.refused_remedy)
    return problem(error, Fix("install", FIX.install, card.id))


# ---- jobs ----


def _work(click: Click) -> Values | None:
    engine, name = click.engine, click.name
    match click.what:
        case "stop":
            engine.stop(name)
        case "agree" | "refuse":
            engine.answer(name, yes=click.what == "agree")
        case "clear":
            for job in engine.store.jobs("queued"):
                engine.stop(job.id)
        case "earlier" | "later":
            engine.store.move(name, earlier=click.what == "earlier")
        case "pause" | "go-on":
            engine.pause(click.what == "pause")
        case "render" | "retry" | "vary":
            return _make(click)
        case _:
            return None
    return {}


def _make(click: Click) -> Values:
    """Queue it, then show the screen where it is followed."""
    engine, page, name = click.engine, click.page, click.name
    if click.what == "retry":
        engine.retry(name)
        return {}
    if click.what == "render":
        engine.render(name, click.values[page.stage.dial])
    else:
        recipe = find(engine, *name.split("/", 1)).recipe
        if missing := not_here(engine, recipe.plan.model):
            return {page.stage.notice: missing}
        count = int(click.values[page.form.count])
        engine.make_takes(as_request(recipe).model_copy(update={"seed": None, "sigma": None}), count)
    return {**page.stage.refresh(engine), page.rooms: gr.Tabs(selected=CREATE)}


# ---- the form ----


def _ask(click: Click) -> Values | None:
    engine, page, name, form = click.engine, click.page, click.name, click.page.form
    match click.what:
        case "starter":
            prompts = starters(card_of(engine, click.values[form.model]))
            return (
                {form.prompt: prompts[int(name)][1], form.refusal: ""} if name in map(str, range(len(prompts))) else {}
            )
        case "choose" | "use":
            asked = Request(prompt=click.values[form.prompt] or "", model=name, aspect=click.values[form.aspect])
            kept = form.chosen_pictures(click.values)
            return {**_filled(click, asked.model_copy(update={"pictures": kept})), page.rooms: gr.Tabs(selected=CREATE)}
        case "settings":
            plan = find(engine, *name.split("/", 1)).recipe.plan
            return {**_filled(click, plan.request.model_copy(update={"seed": plan.seed})),
                    page.stage.dial: plan.request.dial, page.rooms: gr.Tabs(selected=CREATE)}  # fmt: skip
        case "reset":
            request = Request(prompt=click.values[form.prompt] or "", model=click.values[form.model])
            return _filled(click, request.model_copy(update={"pictures": form.chosen_pictures(click.values)}))
        case "say":
            return {form.refusal: "", page.rooms: gr.Tabs(selected=CREATE)}
        case "picture" | "refused" | "start":
            return _picture(click)
    return None


def _filled(click: Click, request: Request) -> Values:
    """The form as it would have made `request`, with its panels."""
    card = card_of(click.engine, request.model)
    drawn = click.page.form.drawn(usable(click.engine), card.id, dict(request.pictures))
    return {**drawn, **click.page.form.filled(request, card), click.page.form.refusal: ""}


def _picture(click: Click) -> Values:
    """A picture arrives, leaves, or was refused; or the last one of a clip becomes the first of the next shot."""
    engine, page, form = click.engine, click.page, click.page.form
    card, notice = card_of(engine, click.values[form.model]), ""
    if click.what == "refused":
        cause, remedy = json.loads(click.name) if click.name.startswith("[") else (PICTURE.failed, "")
        raise BadFile(str(cause), str(remedy))
    if click.what == "start":
        role, kept = "image", engine.keep_last_picture(find(engine, *click.name.split("/", 1)).id)
        notice = f'<div class="said" role="status"><p>{shown(PICTURE.kept)}</p></div>'
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


# ---- the library, and other screens ----


def _keep(click: Click) -> Values | None:
    engine, page, name = click.engine, click.page, click.name
    notice = page.stage.notice
    match click.what:
        case "delete":
            item = find(engine, *name.split("/", 1))
            engine.library.throw_away(item)
            return {
                **page.stage.refresh(engine),
                **page.shelf.filled(engine, click.values),
                notice: shelf.undo(item.id),
            }
        case "undo":
            engine.library.take_back(name)
        case "empty-trash":
            engine.library.empty_trash()
        case "reveal":
            kind, _, item_id = name.partition("/")
            reveal(engine.places.models if kind == "models" else Path(find(engine, kind, item_id).video))
            return {}
        case "go" if name in ROOMS:
            return {**page.screen(engine, name, click.values), page.rooms: gr.Tabs(selected=name)}
        case "look-again":
            return page.machine.filled(engine)
        case "test-take":
            return {page.machine.doctor: f"<p>{shown(MACHINE.testing)}</p>", page.task: "doctor"}
        case _:
            return None
    return {**page.stage.refresh(engine), **page.shelf.filled(engine, click.values)}


# ---- models ----


def _models(click: Click) -> Values | None:
    engine, page, name = click.engine, click.page, click.name
    question, here = page.models.question, {page.rooms: gr.Tabs(selected=MODEL_ROOM)}
    match click.what:
        case "install":
            card = card_of(engine, name)
            return {**page.screen(engine, MODEL_ROOM, click.values), **here, question: models.asking(card),
                    page.task: f"quote/{card.id}"}  # fmt: skip
        case "fetch":
            model, _, source = name.partition("/")
            folder = Path(source) if source else None
            card = card_of(engine, model)
            engine.downloads.add(card, engine.downloads.quote(card, folder, True) if folder else None, folder, True)
        case "hold":
            engine.downloads.pause(name)
        case "resume":
            engine.downloads.resume(name)
        case "cancel":
            engine.downloads.cancel(name)
        case "ask-remove":
            return {**here, question: models.ask_remove(card_of(engine, name))}
        case "remove":
            card = card_of(engine, name)
            words = MODELS.removed.format(name=card.name, freed=gigabytes(engine.downloads.remove(card) / 1e9))
            said = f'<div class="said" role="status"><p>{shown(words)}</p></div>'
            return {**page.screen(engine, MODEL_ROOM, click.values), question: "", page.stage.notice: said}
        case "not-now":
            return {question: "", page.task: ""}
        case "bring":
            return {**page.screen(engine, MODEL_ROOM, click.values), **here,
                    page.models.offline: gr.Accordion(open=True)}  # fmt: skip
        case _:
            return None
    return {**page.stage.refresh(engine), question: "", page.task: ""}


# ---- what takes a while: the page first says that it has begun ----


def work_off(engine: Engine, page: Page, task: str) -> Values:
    """Do the task that a click left behind."""
    kind, _, name = task.partition("/")
    match kind:
        case "quote":
            return {page.models.question: models.ask_install(engine, card_of(engine, name)), page.task: ""}
        case "look":
            return {page.models.question: models.look_in(engine, name), page.task: ""}
        case "doctor":
            return {page.machine.doctor: machine.doctor(examine(engine)), page.task: ""}
    return {}
