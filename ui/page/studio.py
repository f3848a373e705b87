"""The page: the screens joined, and wired once.

Nothing is remembered here. Each handler asks the engine and answers with what is true now, so that a refreshed page, a
second tab and a command beside the studio all see the same. Only the form is the browser's own (BrowserState).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import fastapi
import gradio as gr
from starlette.routing import Mount
from starlette.types import ASGIApp

from engine import BadSetting, Engine, RushesError
from ui.page import api, look, machine, media, models, shelf, stage
from ui.page import form as forms
from ui.page.acts import act, not_here, work_off
from ui.page.expert import Values
from ui.page.outlook import outlook
from ui.page.page import CREATE, LIBRARY, MACHINE_ROOM, MODEL_ROOM, QUEUE_ROOM, Click, Page, card_of
from ui.page.panel import panel
from ui.page.pictures import ID
from ui.page.roster import needs, usable
from ui.page.trouble import Fix, problem
from ui.texts import FIX, FORM, PICTURE

QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class Site:
    """The whole web application, without the door. Set `leaving` to end the streams that open tabs hold."""

    app: ASGIApp
    leaving: asyncio.Event


def application(engine: Engine, banner: str = "") -> Site:
    """The page and the media routes, ready to be served. `banner`: what must be visible on it all the time."""
    app = fastapi.FastAPI(openapi_url=None, docs_url=None, redoc_url=None, routes=[*media.routes(engine)])
    gr.mount_gradio_app(
        app,
        build(engine, banner),
        path="/",
        server_name="127.0.0.1",
        footer_links=[],
        run_history=False,
        show_error=True,
        pwa=True,
        favicon_path=str(look.ASSETS / "icon.svg"),
        theme=look.theme(),
        css=look.style(),
        js=look.script(),
    )
    mounted = app.routes[-1]
    assert isinstance(mounted, Mount) and isinstance(mounted.app, gr.routes.App)
    return Site(app, mounted.app.stop_event)


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
    gr.HTML(look.brand(banner), elem_id="brand", apply_default_css=False, js_on_load=None)
    notice = panel("notice", live=True)
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
            books = shelf.build(engine)
        with gr.Tab(FORM.models, id=MODEL_ROOM) as tabs[MODEL_ROOM]:
            shop = models.build()
        with gr.Tab(FORM.machine, id=MACHINE_ROOM) as tabs[MACHINE_ROOM]:
            box = machine.build()
    with scene_column:
        scene = stage.build(notice, line_panel, shop.arriving)
    memory = gr.BrowserState(None, storage_key="rushes-form", secret="rushes")  # kept across restarts; no secret
    task = gr.Textbox("", visible="hidden")
    return Page(form, scene, books, shop, box, rooms, tabs, memory, task)


def _wire_form(engine: Engine, page: Page) -> None:
    form, scene, fields = page.form, page.stage, page.fields

    def forecast(values: Values) -> str:
        return _forecast(engine, page, values)

    def preview(values: Values) -> Values:
        refused = _refusal(engine, page, values)
        return {form.refusal: refused, scene.notice: "", **scene.refresh(engine)}

    gr.on([field.change for field in fields], forecast, set(fields), form.outlook, trigger_mode="always_last", **QUIET)
    gr.on([field.change for field in fields], None, fields, page.memory, js="(...values) => [values]", **QUIET)
    typed = [field.input for field in fields]
    gr.on(typed, None, None, form.refusal, js="() => ''", **QUIET)
    form.preview.click(preview, set(fields), [form.refusal, *scene.live], **QUIET)
    gr.on([scene.dial.change, scene.changes.change], lambda dial: scene.render_outlook(engine, dial), scene.dial,
          scene.dial_outlook, trigger_mode="always_last", **QUIET)  # fmt: skip
    form.saved.save.click(
        lambda values: act(Click(engine, page, "save", values[form.saved.name] or "", values)),
        {*page.asked, form.saved.name}, page.answered, **QUIET,
    )  # fmt: skip
    form.expert.reset.click(
        lambda values: act(Click(engine, page, "reset", "", values)), page.asked, page.answered, **QUIET
    )


def _forecast(engine: Engine, page: Page, values: Values) -> str:
    form = page.form
    try:
        card = card_of(engine, values[form.model])
        return outlook(engine, form.request(values, values[page.stage.dial], card), int(values[form.count]))
    except RushesError as error:
        return problem(error)


def _refusal(engine: Engine, page: Page, values: Values) -> str:
    """Queue the takes; or say why not, before anything is queued: a take without its weights can only fail."""
    form = page.form
    card = card_of(engine, values[form.model])
    try:
        request = form.request(values, values[page.stage.dial], card)
        missing = [role for role in needs(card) if role not in request.pictures]
        if missing:
            cause = f"{card.name}: {getattr(PICTURE, missing[0])}, {PICTURE.needed}."
            return problem(BadSetting(cause, PICTURE.choose + "."), Fix("pick", FIX.picture, missing[0]))
        engine.plan(request)
        if absent := not_here(engine, card.id):
            return absent
        engine.make_takes(request, int(values[form.count]))
    except RushesError as error:
        return problem(error)
    return ""


def _wire_clicks(engine: Engine, page: Page) -> None:
    form, scene, shop, box = page.form, page.stage, page.models, page.machine

    def clicked(values: Values, event: gr.EventData) -> Values:
        return act(Click(engine, page, str(event.act), str(event.id), values))

    def tick(interval: float) -> Values:
        return scene.refresh(engine, interval)

    panels = [form.saved.shelf, form.starters, form.pictures, form.about, form.picker, form.outlook, form.refusal,
              scene.notice, scene.strip, scene.result, scene.onward, scene.dial_outlook, scene.sheet, scene.line,
              page.shelf.grid, shop.disk, shop.question, shop.arriving, shop.grid, box.doctor]  # fmt: skip
    for each in panels:
        each.click(clicked, page.asked, page.answered, trigger_mode="multiple", **QUIET)
    scene.timer.tick(tick, scene.timer, scene.live, **QUIET)
    page.task.change(lambda task: work_off(engine, page, task), page.task, page.answered, **QUIET)
    gr.on([shop.look.click, shop.folder.submit], lambda folder: f"look/{folder}", shop.folder, page.task, **QUIET)


def _wire_screens(engine: Engine, page: Page) -> None:
    books, shop, scene = page.shelf, page.models, page.stage

    def fill(values: Values) -> Values:
        return books.filled(engine, values)

    def further(values: Values) -> Values:
        limit = values[books.limit] + shelf.PAGE
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
    page.tabs[MACHINE_ROOM].select(lambda: box.filled(engine), None, [box.facts, box.table, box.doctor], **QUIET)
    scene.changes.change(
        lambda values: page.form.drawn(usable(engine), values[page.form.model], page.form.chosen_pictures(values)),
        set(page.form.fields), page.answered, **QUIET,
    )  # fmt: skip


def _wire_start(engine: Engine, page: Page, blocks: gr.Blocks) -> None:
    """On each load: the form as this browser left it, and the stage as the engine has it."""
    form, fields = page.form, page.fields

    def restore(remembered: Any) -> Values:
        values = dict(zip(fields, remembered, strict=True)) if _remembers(remembered, fields) else {}
        entries = usable(engine)
        known = next((entry.card for entry in entries if entry.card.id == values.get(form.model)), None)
        if known is None:
            return form.drawn(entries, entries[0].card.id, {})
        values[form.seconds] = forms.length_slider(known, values[form.seconds])
        for field in (form.image, form.last_image):
            values[field] = values[field] if ID.fullmatch(values[field] or "") else ""
        drawn = form.drawn(entries, known.id, form.chosen_pictures(values))
        drawn |= form.styles(engine, known, values[form.look], values[form.camera])
        negative = gr.Textbox(values[form.expert.negative], visible=known.prompt.negative)
        return {**values, **drawn, form.expert.negative: negative}

    loaded = blocks.load(restore, page.memory, page.answered, **QUIET)
    loaded.then(lambda values: _forecast(engine, page, values), set(fields), form.outlook, **QUIET)
    blocks.load(lambda: page.stage.refresh(engine), None, page.stage.live, **QUIET)


def _remembers(remembered: Any, fields: list[Any]) -> bool:
    """Whether the browser kept a form of this version of the page."""
    return isinstance(remembered, list) and len(remembered) == len(fields)
