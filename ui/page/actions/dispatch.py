"""What a click in our own HTML does. Each asks the engine and answers with what has changed on the page.

Here: jobs, the library, models. What a click does to the form is in `form_actions`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import gradio as gr

from engine import (
    BadSetting,
    Engine,
    MachineProblem,
    Recipe,
    RushesError,
    UnknownName,
    as_request,
    examine,
    not_written,
)
from ui.page.actions import form_actions
from ui.page.actions import form_actions as alternatives
from ui.page.actions.form_actions import ask, own_styles, saved_settings
from ui.page.actions.uploads import bring
from ui.page.components.error import Fix, problem, said
from ui.page.components.formatting import gigabytes, shown
from ui.page.components.media_routes import find, named
from ui.page.layout import CREATE, MODEL_ROOM, ROOMS, Click, Page, card_of
from ui.page.screens import library, machine
from ui.page.screens.form.expert import Values
from ui.page.screens.models import external_weights, location, lora_from_hub, models
from ui.texts import CLIP, FIX, MACHINE, MODEL, MODELS


def reveal(path: Path) -> None:
    """Open the folder of `path`, with the file chosen where the system can. Raises MachineProblem."""
    folder = path if path.is_dir() else path.parent
    if sys.platform == "win32":
        command = ["explorer", f"/select,{path}"]
    elif sys.platform == "darwin":
        command = ["open", "-R", str(path)]
    else:
        command = ["xdg-open", str(folder)]
    if not shutil.which(command[0]):
        raise MachineProblem(CLIP.no_window, CLIP.no_window_remedy.format(path=path))
    subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


# ---- dispatch ----


def act(click: Click) -> Values:
    """What a click changes. A refusal becomes a notice with one button."""
    notice = click.page.stage.notice
    try:
        parts = (
            _work,
            ask,
            form_actions.count_as,
            alternatives.take,
            bring,
            saved_settings,
            own_styles,
            _keep,
            _models,
        )
        changed: Values = next((done for part in parts if (done := part(click)) is not None), {})
    except RushesError as error:
        changed = {notice: problem(error)}
    except OSError as error:
        changed = {notice: problem(not_written(error))}
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
        case "render" | "retry" | "vary" | "again":
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
        recipe = named(engine, name).recipe
        if missing := not_here(engine, recipe.plan.model):
            return {page.stage.notice: missing}
        if click.what == "again":
            return {**_again(engine, recipe, page), page.rooms: gr.Tabs(selected=CREATE)}
        count = int(click.values[page.form.count])
        engine.make_takes(as_request(recipe).but(seed=None, sigma=None), count)
    return {**page.stage.refresh(engine), page.rooms: gr.Tabs(selected=CREATE)}


def _again(engine: Engine, recipe: Recipe, page: Page) -> Values:
    """Queue the same once more, frame for frame; of a clip whose take is gone, that take."""
    told = ""
    try:
        if recipe.kind == "take":
            engine.make_takes(as_request(recipe))
        else:
            engine.render(recipe.take_id or "", sigma=recipe.plan.sigma)
    except UnknownName:
        engine.make_takes(as_request(recipe))
        told = said(CLIP.take_first)
    return {**page.stage.refresh(engine), page.stage.notice: told}


# ---- the library, and other screens ----


def _keep(click: Click) -> Values | None:
    engine, page, name = click.engine, click.page, click.name
    notice = page.stage.notice
    match click.what:
        case "delete":
            item = named(engine, name)
            engine.library.throw_away(item)
            return {
                **page.stage.refresh(engine),
                **page.shelf.filled(engine, click.values),
                notice: library.undo(item.id),
            }
        case "undo":
            engine.library.take_back(name)
        case "empty-trash":
            engine.library.empty_trash()
        case "reveal":
            kind, _, item_id = name.partition("/")
            folders = {"models": engine.places.models, "home": engine.places.home}
            reveal(folders[kind] if kind in folders else Path(find(engine, kind, item_id).video))
            return {}
        case "let-go":
            engine.let_go()
            return page.machine.filled(engine)
        case "tidy":
            engine.downloads.tidy()
            return page.machine.filled(engine)
        case "go" if name in ROOMS:
            return {**page.screen(engine, name, click.values), page.rooms: gr.Tabs(selected=name)}
        case "look-again":
            return page.machine.filled(engine)
        case "test-take":
            return {page.machine.doctor: f"<p>{shown(MACHINE.testing)}</p>", page.task: "doctor"}
        case "test-card":
            return {page.machine.doctor: f"<p>{shown(MACHINE.testing_card)}</p>", page.task: "card"}
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
            return {**page.screen(engine, MODEL_ROOM, click.values), question: "", page.stage.notice: said(words)}
        case "ask-move":
            return {**page.screen(engine, MODEL_ROOM, click.values), **here, question: location.ask_move(engine, name)}
        case "move-models":
            engine.model_home.start(name)
        case "lend" | "borrow" | "fetch-lora":
            wait = f'<section class="ask"><p>{shown(MODELS.wait)}</p></section>'
            return {**here, question: wait, page.task: f"{click.what}/{name}"}
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
        case "lend":
            return {page.models.question: external_weights.ask(engine, name), page.task: ""}
        case "borrow":
            return {page.models.question: external_weights.bring(engine, name), page.task: ""}
        case "lora":
            return {page.models.question: lora_from_hub.ask(engine, name), page.task: ""}
        case "fetch-lora":
            return {page.models.question: lora_from_hub.bring(engine, name), page.task: ""}
        case "doctor":
            return {page.machine.doctor: machine.doctor(examine(engine), engine.card_tests()), page.task: ""}
        case "card":
            return {**_card_tested(engine, page), page.task: ""}
    return {page.task: ""}


def _card_tested(engine: Engine, page: Page) -> Values:
    try:
        for _ in engine.test_card():
            pass  # each is kept as it comes
    except RushesError as error:
        return {page.stage.notice: problem(error), **page.machine.looked_at(engine)}
    return page.machine.filled(engine)
