"""The page: the screens joined, and wired once.

Nothing is remembered here. Each handler asks the engine and answers with what is true now, so that a refreshed page, a
second tab and a command beside the studio all see the same. Only the form is the browser's own (BrowserState).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import fastapi
import gradio as gr
from starlette.routing import Route
from starlette.types import ASGIApp

from engine import Engine
from ui.page import api, theme
from ui.page.actions import form_actions, preset_actions, submit
from ui.page.actions.dispatch import act, answered, work_off
from ui.page.actions.registry import later
from ui.page.api import Functions, Tools
from ui.page.components import media_routes, toast
from ui.page.components.html import panel
from ui.page.layout import CREATE, LIBRARY, MACHINE_ROOM, MODEL_ROOM, QUEUE_ROOM, Click, Page
from ui.page.middleware import language as languages
from ui.page.middleware.language import Languages
from ui.page.model import attachments
from ui.page.model.model_entries import usable
from ui.page.once import Once
from ui.page.screens import library, machine, results
from ui.page.screens.form import form as forms
from ui.page.screens.form.expert import Values
from ui.page.screens.machine import capability
from ui.page.screens.models import location, models
from ui.texts import FORM

QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

# What was typed while the form that the browser kept was on its way wins over it: see `page.js`.
TYPED_MEANWHILE = """(kept) => {
    document.body.dataset.restored = 'yes';
    return document.body.dataset.typed ?? kept;
}"""


@dataclass(frozen=True)
class Site:
    """The whole web application, without the door. `leave` ends what open tabs and programs hold."""

    app: ASGIApp
    leave: Callable[[], None]


def application(engine: Engine, banner: str = "") -> Site:
    """The pages, the media routes and the tools, ready to be served. `banner`: what must be visible all the time."""
    closing = asyncio.Event()
    routes = [*media_routes.routes(engine), Route("/mcp", Tools(Functions(engine), closing), methods=["POST"])]
    pages = Languages(engine, lambda: _page(engine, banner, routes))

    def leave() -> None:
        closing.set()
        pages.leave()

    return Site(pages, leave)


def _page(engine: Engine, banner: str, routes: list[Route]) -> fastapi.FastAPI:
    """The page in the language that is spoken now, with everything else beside it."""
    app = fastapi.FastAPI(openapi_url=None, docs_url=None, redoc_url=None, routes=[*routes])
    gr.mount_gradio_app(
        app,
        build(engine, banner),
        path="/",
        server_name="127.0.0.1",
        footer_links=[],
        run_history=False,
        show_error=True,
        pwa=True,
        favicon_path=str(theme.ASSETS / "icon.svg"),
        theme=theme.theme(),
        css=theme.style(),
        head=theme.head(),
        js=theme.script(),
    )
    return app


def build(engine: Engine, banner: str = "") -> gr.Blocks:
    """Lay the page out, then wire it."""
    blocks = gr.Blocks(title=FORM.title, analytics_enabled=False, fill_width=True)
    with blocks:
        page = _lay_out(engine, banner)
        _wire_form(engine, page)
        _wire_clicks(engine, page)
        _wire_screens(engine, page)
        _wire_start(engine, page, blocks)
        api.offer(engine)
    return blocks


def _lay_out(engine: Engine, banner: str) -> Page:
    gr.HTML(theme.brand(banner), elem_id="brand", apply_default_css=False, js_on_load=None)
    said = toast.build()
    tabs: dict[str, gr.Tab] = {}
    with gr.Tabs(elem_id="rooms") as rooms:
        with gr.Tab(FORM.create, id=CREATE) as tabs[CREATE], gr.Row(elem_id="desk"):
            with gr.Column(scale=4, min_width=320, elem_id="form"):
                form = forms.build(engine, usable(engine))
            with gr.Column(scale=7, min_width=320, elem_id="stage"):
                scene_column = gr.Column(elem_id="scene")
        with gr.Tab(FORM.queue, id=QUEUE_ROOM) as tabs[QUEUE_ROOM]:
            line_panel = panel("line")
        with gr.Tab(FORM.library, id=LIBRARY) as tabs[LIBRARY]:
            books = library.build(engine)
        with gr.Tab(FORM.models, id=MODEL_ROOM) as tabs[MODEL_ROOM]:
            shop = models.build(engine)
        with gr.Tab(FORM.machine, id=MACHINE_ROOM) as tabs[MACHINE_ROOM]:
            box = machine.build(engine)
    with scene_column:
        scene = results.build(said, line_panel, shop.arriving)
    memory = gr.BrowserState(None, storage_key="rushes-form", secret="rushes")  # kept across restarts; no secret
    task = gr.Textbox("", visible="hidden")
    return Page(form, scene, books, shop, box, rooms, tabs, memory, task, Once())


def _wire_form(engine: Engine, page: Page) -> None:
    form, scene, fields = page.form, page.stage, page.fields

    def asking(do: Callable[[Click], Any]) -> Callable[[Values], Any]:
        return lambda values: do(Click(engine, page, values))

    def queue(click: Click) -> Values:
        with page.once.first(("preview", *(str(click.values[field]) for field in fields))) as first:
            said = {form.refusal: submit.refusal(click), scene.notice: ""} if first else {}
        return {**said, **scene.refresh(engine)}

    said = gr.on([field.change for field in fields], asking(submit.forecast), set(fields), form.outlook,
                 trigger_mode="always_last", **QUIET)  # fmt: skip
    said.then(asking(submit.instead), set(fields), form.instead, **QUIET)  # it takes longer
    form.outcome.input(asking(form_actions.length_as), set(fields), form.seconds, **QUIET)
    gr.on([field.change for field in fields], None, fields, page.memory, js="(...values) => [values]", **QUIET)
    typed = [field.input for field in fields]
    gr.on(typed, None, None, form.refusal, js="() => ''", **QUIET)
    form.preview.click(asking(queue), set(fields), [form.refusal, *scene.live], **QUIET)
    gr.on([scene.dial.change, scene.changes.change], lambda dial: scene.render_outlook(engine, dial), scene.dial,
          scene.dial_outlook, trigger_mode="always_last", **QUIET)  # fmt: skip
    scene.changes.change(lambda: scene.way_on(engine), None, scene.onward, trigger_mode="always_last", **QUIET)
    # A list tells "input" once more when it is left, chosen from or not, and the answer would take back what was typed.
    for happens, do in ((form.saved.save.click, preset_actions.save), (form.own.save.click, preset_actions.keep_style),
                        (form.own.which.change, preset_actions.begin_style),
                        (form.expert.reset.click, form_actions.reset)):  # fmt: skip
        happens(asking(partial(answered, do=do)), page.asked, page.answered, **QUIET)


def _wire_clicks(engine: Engine, page: Page) -> None:
    scene, shop = page.stage, page.models

    def clicked(values: Values, event: gr.EventData) -> Values:
        return act(Click(engine, page, values), str(event.act), str(event.id))

    def tick(interval: float) -> Values:
        return scene.refresh(engine, interval)

    gr.on([panel.click for panel in page.panels], clicked, page.asked, page.answered, trigger_mode="multiple", **QUIET)
    scene.timer.tick(tick, scene.timer, scene.live, **QUIET)
    page.task.change(lambda task: work_off(engine, page, task), page.task, page.answered, **QUIET)
    shop.read_loras.click(lambda folders: models.read_loras(engine, folders), shop.lora_folders, shop.question, **QUIET)
    home, space = shop.home, [shop.question, shop.disk]
    home.use.click(lambda folder: [location.use(engine, folder), location.disk(engine)], home.folder, space, **QUIET)
    home.move.click(lambda folder: location.ask_move(engine, folder), home.folder, shop.question, **QUIET)
    gr.on([shop.ask_lora.click, shop.lora_address.submit], lambda address: later("lora", address), shop.lora_address,
          page.task, **QUIET)  # fmt: skip
    gr.on([shop.look.click, shop.folder.submit], lambda folder: later("look", folder), shop.folder, page.task, **QUIET)


def _wire_screens(engine: Engine, page: Page) -> None:
    books, shop, scene = page.shelf, page.models, page.stage

    def fill(values: Values) -> Values:
        return books.filled(engine, values)

    def further(values: Values) -> Values:
        limit = values[books.limit] + library.PAGE
        return {**books.filled(engine, {**values, books.limit: limit}), books.limit: limit}

    shelves = [books.grid, books.more, books.limit]
    filters = [books.kind.change, books.words.change, books.model.change, books.when.change]
    gr.on([page.tabs[LIBRARY].select, scene.changes.change, *filters], fill, set(books.asked), shelves,
          trigger_mode="always_last", **QUIET)  # fmt: skip
    books.more.click(further, set(books.asked), shelves, **QUIET)
    gr.on([page.tabs[MODEL_ROOM].select, scene.changes.change, shop.words.change],
          lambda words: shop.filled(engine, words or ""), shop.words, shop.drawn,
          trigger_mode="always_last", **QUIET)  # fmt: skip
    box = page.machine
    chosen = box.language.input(lambda language: languages.choose(engine, language), box.language, None, **QUIET)
    chosen.then(None, None, None, js="() => location.reload()", **QUIET)
    opened = page.tabs[MACHINE_ROOM].select(lambda: box.at_once(engine), None, [box.facts, box.language], **QUIET)
    examined = opened.then(lambda: box.looked_at(engine), None, [box.tiers, box.doctor], **QUIET)
    examined.then(lambda: {box.table: capability(engine)}, None, [box.table], **QUIET)  # seconds on a slow machine
    form, drawn_for = page.form, gr.State(("", ""))

    def draw(values: Values) -> Values:
        model, brought = asked = values[form.model], values[form.given]
        drawn = {**form.drawn(engine, usable(engine), model, attachments.read(brought)), drawn_for: asked}
        del drawn[form.given]  # another picture may have come meanwhile
        return drawn

    def overtaken(values: Values) -> Values:
        """What was chosen or brought while that was drawn, and was drawn over."""
        now = values[form.model], values[form.given]
        return {drawn_for: gr.skip()} if tuple(values[drawn_for]) == now else draw(values)

    wanted, panels = {*form.fields, drawn_for}, [*page.answered, drawn_for]
    scene.changes.change(draw, wanted, panels, **QUIET).then(overtaken, wanted, panels, **QUIET)


def _wire_start(engine: Engine, page: Page, blocks: gr.Blocks) -> None:
    """On each load: the form as this browser left it, and the stage as the engine has it."""
    form, fields = page.form, page.fields

    def restore(remembered: Any) -> Values:
        values = dict(zip(fields, remembered, strict=True)) if _remembers(remembered, fields) else {}
        entries = usable(engine)
        known = next((entry.card for entry in entries if entry.card.id == values.get(form.model)), None)
        if known is None:
            return form.drawn(engine, entries, entries[0].card.id, attachments.NOTHING)
        values[form.seconds] = forms.length_slider(known, values[form.seconds])
        drawn = form.drawn(engine, entries, known.id, attachments.present(engine, attachments.read(values[form.given])))
        drawn |= form.styles(engine, known, values[form.look], values[form.camera])
        return {**values, **drawn, **form.expert.restored(known, values)}

    loaded = blocks.load(restore, page.memory, page.answered, **QUIET)
    meanwhile = loaded.then(None, form.prompt, form.prompt, js=TYPED_MEANWHILE, **QUIET)
    meanwhile.then(lambda values: submit.forecast(Click(engine, page, values)), set(fields), form.outlook, **QUIET)
    blocks.load(lambda: page.stage.refresh(engine), None, page.stage.live, **QUIET)


def _remembers(remembered: Any, fields: list[Any]) -> bool:
    """Whether the browser kept a form of this version of the page."""
    return isinstance(remembered, list) and len(remembered) == len(fields)
