"""The right panel: the running job, the takes, the finished clip. Widgets, and what a click in them does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine import Engine, RushesError
from ui.page.outlook import problem
from ui.page.sheet import result, sheet
from ui.page.shelf import CLICKS
from ui.page.strip import strip
from ui.page.view import look
from ui.texts import FORM

BUSY_SECONDS, IDLE_SECONDS = 0.4, 3.0  # how often the page asks: quick while something is being made, else hardly


@dataclass(frozen=True)
class Stage:
    notice: gr.HTML
    strip: gr.HTML
    sheet: gr.HTML
    dial: gr.Slider
    result: gr.HTML
    timer: gr.Timer
    newest: gr.State

    @property
    def live(self) -> list[Any]:
        """What `refresh` fills, in its order."""
        return [self.strip, self.sheet, self.dial, self.result, self.timer, self.newest]


def build() -> Stage:
    notice = _html("notice")
    progress = _html("strip")
    final = _html("result")
    dial = gr.Slider(0, 1, 0.5, step=0.05, label=FORM.dial, buttons=[], elem_id="dial",
                     visible="hidden")  # fmt: skip
    takes = _html("sheet")
    return Stage(notice, progress, takes, dial, final, gr.Timer(IDLE_SECONDS), gr.State(""))


def refresh(engine: Engine, interval: float | None = None) -> tuple[Any, ...]:
    """Everything that changes by itself, as it is now. `interval`: how often the page asks at present."""
    try:
        view = look(engine)
    except RushesError as error:  # the data folder cannot be read just now: say so, and keep what is shown
        return problem(error), *[gr.skip()] * 5
    wanted = BUSY_SECONDS if view.busy else IDLE_SECONDS
    pace = gr.skip() if wanted == interval else gr.Timer(wanted)
    dial = gr.Slider(visible=view.has_takes or "hidden")
    return strip(view), sheet(view), dial, result(engine, view), pace, view.last_finished


def act(engine: Engine, what: str, name: str, dial: float) -> str:
    """What a button in our own HTML asks for. Returns a sentence when it cannot be done, else nothing."""
    try:
        match what:
            case "render":
                engine.render(name, dial)
            case "stop":
                engine.stop(name)
            case "agree" | "refuse":
                engine.answer(name, yes=what == "agree")
            case "clear":
                for job in engine.store.jobs("queued"):
                    engine.stop(job.id)
            case "retry":
                job = engine.store.job(name)
                if job.take_id:
                    engine.render(job.take_id, job.plan.request.dial)
                else:
                    engine.make_takes(job.plan.request)
    except RushesError as error:
        return problem(error)
    return ""


def _html(name: str) -> gr.HTML:
    return gr.HTML("", elem_id=name, apply_default_css=False, js_on_load=CLICKS)
