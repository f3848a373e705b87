"""The right panel: the running job, the finished clip, the takes; and all that changes by itself on any screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine import Engine, Finished, RushesError
from ui.page.components.error import problem
from ui.page.components.html import panel
from ui.page.components.next_model import onward
from ui.page.model.snapshot import View, look
from ui.page.screens.clip import result
from ui.page.screens.form.expert import Values
from ui.page.screens.form.forecast_line import before_render
from ui.page.screens.job_card import strip
from ui.page.screens.models import models
from ui.page.screens.queue import line
from ui.page.screens.takes import sheet
from ui.texts import FORM

BUSY_SECONDS, IDLE_SECONDS = 0.4, 3.0  # how often the page asks: quick while something is being made, else hardly


@dataclass(frozen=True)
class Stage:
    """`line` and `arriving` lie on the screens of the queue and of the models. `changes` is another text whenever the
    library or the models have changed."""

    notice: gr.HTML
    strip: gr.HTML
    result: gr.HTML
    onward: gr.HTML
    dial: gr.Slider
    dial_outlook: gr.HTML
    sheet: gr.HTML
    line: gr.HTML
    arriving: gr.HTML
    timer: gr.Timer
    changes: gr.Textbox

    @property
    def live(self) -> list[Any]:
        """What `refresh` fills."""
        return [self.notice, self.strip, self.result, self.onward, self.dial, self.sheet, self.line, self.arriving,
                self.timer, self.changes, self.dial_outlook]  # fmt: skip

    def refresh(self, engine: Engine, interval: float | None = None) -> Values:
        """Everything that changes by itself, as it is now. `interval`: how often the page asks at present."""
        try:
            view = look(engine)
        except RushesError as error:  # the data folder cannot be read just now: say so, and keep what is shown
            return {self.notice: problem(error)}
        wanted = BUSY_SECONDS if view.busy else IDLE_SECONDS
        return {
            self.strip: strip(view),
            self.result: result(engine, view),
            self.dial: gr.Slider(visible=view.has_takes or "hidden"),
            self.dial_outlook: gr.skip() if view.has_takes else "",
            self.sheet: sheet(view),
            self.line: line(view),
            self.arriving: models.arriving(view),
            self.timer: gr.skip() if wanted == interval else gr.Timer(wanted),
            self.changes: view.changes,
        }

    def way_on(self, engine: Engine) -> str:
        """The way out of the toy; nothing when the data folder cannot be read just now, which `refresh` says."""
        try:
            return onward(engine, look(engine))
        except RushesError:
            return ""

    def render_outlook(self, engine: Engine, dial: float) -> str:
        """What rendering one of the takes would need, with the dial where it stands; nothing without a take."""
        request = _newest_take(look(engine))
        if request is None:
            return ""
        try:
            return before_render(engine.plan(request.but(dial=dial, sigma=None)))
        except RushesError as error:
            return problem(error)


def build(notice: gr.HTML, line_panel: gr.HTML, arriving: gr.HTML) -> Stage:
    progress, final, way_out = panel("strip"), panel("result"), panel("onward")
    dial = gr.Slider(0, 1, 0.5, step=0.05, label=FORM.dial, buttons=[], elem_id="dial", visible="hidden")
    dial_outlook = panel("dial-outlook", live=True)
    timer = gr.Timer(IDLE_SECONDS)
    return Stage(notice, progress, final, way_out, dial, dial_outlook, panel("sheet"), line_panel, arriving, timer,
                 gr.Textbox("", visible="hidden"))  # fmt: skip


def _newest_take(view: View) -> Any:
    done = [seen.job.shot.request for seen in view.sheet if isinstance(seen.event, Finished)]
    return done[-1] if done else None
