"""The page: the panels joined, and wired once.

Nothing is remembered here. Each handler asks the engine and answers with what is true now, so that a refreshed page, a
second tab and a command beside the studio all see the same. Only the form is the browser's own (BrowserState).
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import fastapi
import gradio as gr
from starlette.routing import Mount
from starlette.types import ASGIApp

from engine import BadInput, BadSetting, Engine, ModelCard, Request, RushesError
from ui.page import form as forms
from ui.page import look, media, shelf, stage
from ui.page.form import Form, Values
from ui.page.outlook import outlook, problem
from ui.page.stage import Stage
from ui.texts import FORM, MODEL

CREATE = "create"
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class Page:
    form: Form
    stage: Stage
    shelf: shelf.Shelf
    rooms: gr.Tabs
    library_tab: gr.Tab
    memory: gr.BrowserState


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
        gr.HTML(look.brand(banner), elem_id="brand", apply_default_css=False, js_on_load=None)
        with gr.Tabs(elem_id="rooms") as rooms:
            with gr.Tab(FORM.create, id=CREATE), gr.Row(elem_id="desk"):
                with gr.Column(scale=4, min_width=320, elem_id="form"):
                    cards = usable(engine)
                    form = forms.build(cards, {card.id for card in cards if engine.installed(card)})
                with gr.Column(scale=7, min_width=320, elem_id="stage"):
                    scene = stage.build()
            with gr.Tab(FORM.library) as library_tab:
                books = shelf.build()
        memory = gr.BrowserState(None, storage_key="rushes-form", secret="rushes")  # kept across restarts; no secret
        page = Page(form, scene, books, rooms, library_tab, memory)
        _wire_form(engine, page)
        _wire_stage(engine, page)
        _wire_shelf(engine, page)
        _wire_start(engine, page, blocks)
    return blocks


def usable(engine: Engine) -> list[ModelCard]:
    """The models this page can drive: those that the engine can plan from words alone. A model that needs a picture
    or a video joins them when the page can take one in."""
    machine = engine.hardware()

    def plans(card: ModelCard) -> bool:
        try:
            engine.plan(Request(prompt=FORM.starters[0][1], model=card.id), machine)
        except BadInput:
            return False
        return True

    return [card for card in engine.cards() if plans(card)]


def _wire_form(engine: Engine, page: Page) -> None:
    form, dial = page.form, page.stage.dial
    fields = [*form.fields, dial]

    def forecast(values: Values) -> str:
        return _forecast(engine, page, values)

    def choose(model: str) -> tuple[str, gr.Slider]:
        card = next(card for card in engine.cards() if card.id == model)
        return forms.about_model(card, engine.installed(card)), forms.length_slider(card)

    gr.on([field.change for field in fields], forecast, set(fields), form.outlook, trigger_mode="always_last", **QUIET)
    gr.on([field.change for field in fields], None, fields, page.memory, js="(...values) => [values]", **QUIET)
    gr.on([field.input for field in fields], None, None, form.refusal, js="() => ''", **QUIET)
    form.model.input(choose, form.model, [form.about, form.seconds], **QUIET)
    for button, (_, text) in zip(form.starters, FORM.starters, strict=True):
        button.click(None, None, [form.prompt, form.refusal], js=f"() => [{json.dumps(text)}, '']", **QUIET)


def _forecast(engine: Engine, page: Page, values: Values) -> str:
    try:
        return outlook(engine, page.form.request(values, values[page.stage.dial]), int(values[page.form.count]))
    except RushesError as error:
        return problem(error)


def _wire_stage(engine: Engine, page: Page) -> None:
    form, scene = page.form, page.stage

    def preview(values: Values) -> tuple[Any, ...]:
        try:
            _check_installed(engine, values[form.model])
            engine.make_takes(form.request(values, values[scene.dial]), int(values[form.count]))
        except RushesError as error:
            return problem(error), "", *stage.refresh(engine)
        return "", "", *stage.refresh(engine)

    def act(dial: float, event: gr.EventData) -> tuple[Any, ...]:
        return stage.act(engine, event.act, event.id, dial), *stage.refresh(engine)

    def tick(interval: float) -> tuple[Any, ...]:
        return stage.refresh(engine, interval)

    asked = {*form.fields, scene.dial}
    form.preview.click(preview, asked, [form.refusal, scene.notice, *scene.live], **QUIET)
    shown = [scene.notice, *scene.live]
    for panel in (scene.strip, scene.sheet, scene.result, page.shelf.grid):
        panel.click(act, scene.dial, shown, trigger_mode="multiple", **QUIET)
    # what is started in the library is followed on the first tab
    page.shelf.grid.click(lambda: gr.Tabs(selected=CREATE), None, page.rooms, **QUIET)
    scene.timer.tick(tick, scene.timer, scene.live, **QUIET)


def _check_installed(engine: Engine, model: str) -> None:
    """Before anything is queued: a take without its weights can only fail."""
    card = next(card for card in engine.cards() if card.id == model)
    if not engine.installed(card):
        remedy = MODEL.refused_remedy.format(command=forms.install_command(card))
        raise BadSetting(MODEL.refused.format(name=card.name), remedy)


def _wire_shelf(engine: Engine, page: Page) -> None:
    books = page.shelf

    def fill(kind: str, limit: int) -> tuple[str, Any]:
        grid, more = shelf.shelf(engine, kind, limit)
        return grid, gr.Button(visible=more)

    def further(kind: str, limit: int) -> tuple[str, Any, int]:
        return *fill(kind, limit + shelf.PAGE), limit + shelf.PAGE

    wanted = [books.kind, books.limit]
    gr.on([page.library_tab.select, books.kind.change, page.stage.newest.change], fill, wanted,
          [books.grid, books.more], **QUIET)  # fmt: skip
    books.more.click(further, wanted, [books.grid, books.more, books.limit], **QUIET)


def _wire_start(engine: Engine, page: Page, blocks: gr.Blocks) -> None:
    """On each load: the form as this browser left it, and the stage as the engine has it."""
    form, scene = page.form, page.stage
    fields = [*form.fields, scene.dial]

    def restore(remembered: Any) -> list[Any]:
        cards = usable(engine)
        card = next((card for card in cards if _remembers(remembered, fields) and card.id == remembered[1]), None)
        values = list(remembered) if card else [gr.skip()] * len(fields)
        chosen = card or cards[0]
        here = {card.id for card in cards if engine.installed(card)}
        values[fields.index(form.model)] = gr.Dropdown(forms.choices(cards, here), value=chosen.id)
        if card:
            values[fields.index(form.seconds)] = forms.length_slider(card, values[fields.index(form.seconds)])
        return [*values, forms.about_model(chosen, chosen.id in here)]

    loaded = blocks.load(restore, page.memory, [*fields, form.about], **QUIET)
    loaded.then(lambda values: _forecast(engine, page, values), set(fields), form.outlook, **QUIET)
    blocks.load(lambda: stage.refresh(engine), None, scene.live, **QUIET)


def _remembers(remembered: Any, fields: list[Any]) -> bool:
    """Whether the browser kept a form of this version of the page."""
    return isinstance(remembered, list) and len(remembered) == len(fields)
