"""The left panel: what the person asks for. Widgets, and how their values become a request and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, get_args

import gradio as gr

from engine import Aspect, Camera, Engine, Look, ModelCard, Request
from ui.locale import PRESET, known
from ui.page.components.html import CHANGES, CLICKS, panel, render
from ui.page.model import attachments as given
from ui.page.model.model_entries import Entry, starters
from ui.page.screens.form import expert, media_inputs, styles
from ui.page.screens.form import forecast_line as outcome
from ui.page.screens.form import saved_settings as saved
from ui.page.screens.form.expert import Expert, Values
from ui.page.screens.form.lora_inputs import loras
from ui.page.screens.form.model_picker import chosen, picker
from ui.page.screens.form.saved_settings import Saved
from ui.page.screens.form.styles import Styles
from ui.texts import FORM, SAVED

MAX_COUNT = 6


@dataclass(frozen=True)
class Form:
    """`given`: what is brought beside the words, as `ui.page.model.attachments` writes it; `places` and
    `expert.loras` show it."""

    prompt: gr.Textbox
    starters: gr.HTML
    look: gr.Dropdown
    camera: gr.Dropdown
    places: gr.HTML
    given: gr.Textbox
    model: gr.Textbox
    about: gr.HTML
    picker: gr.HTML
    aspect: gr.Radio
    outcome: gr.Radio
    seconds: gr.Slider
    count: gr.Slider
    expert: Expert
    outlook: gr.HTML
    refusal: gr.HTML
    instead: gr.HTML
    preview: gr.Button
    saved: Saved
    own: Styles

    @property
    def fields(self) -> list[Any]:
        """What the person sets, in the order in which the browser remembers it: the model second."""
        return [self.prompt, self.model, self.aspect, self.seconds, self.count, self.given, self.look, self.camera,
                self.outcome, *self.expert.fields]  # fmt: skip

    def request(self, values: Values, dial: float, card: ModelCard) -> Request:
        """The request that these values make. Raises BadSetting; the planner checks the rest."""
        asked = Request(
            prompt=values[self.prompt] or "",
            model=card.id,
            aspect=values[self.aspect],
            outcome=values[self.outcome] or None,
            seconds=values[self.seconds],
            dial=dial,
            look=values[self.look] or None,
            camera=values[self.camera] or None,
            **given.fields(given.read(values[self.given]), card),
        )
        return self.expert.applied(asked, values, card)

    def filled(self, request: Request, card: ModelCard) -> Values:
        """The form as it would have made `request`."""
        rule = card.frames
        seconds = request.num_frames / rule.fps if request.num_frames else request.seconds
        return {
            self.prompt: request.prompt,
            self.model: card.id,
            self.aspect: request.aspect,
            self.outcome: request.outcome or "",
            self.look: request.look or "",
            self.camera: request.camera or "",
            self.seconds: length_slider(card, seconds and round(seconds * 2) / 2),
            self.given: given.written(request),
            **self.expert.filled(request, card),
        }

    def styles(self, engine: Engine, card: ModelCard, look: str | None, camera: str | None) -> Values:
        """The looks and camera moves that this model can do, with the chosen ones as far as it can do them."""
        return {self.look: look_picker(engine, card, look), self.camera: camera_picker(engine, card, camera)}

    def own_styles(self, engine: Engine, card: ModelCard, which: str) -> Values:
        """The drawer of looks and camera moves with one of them chosen, or none."""
        own = self.own
        return {own.which: styles.chooser(engine, which), own.words: styles.words_of(engine, card, which),
                own.deeds: styles.deeds(engine, which)}  # fmt: skip

    def drawn(self, engine: Engine, entries: Sequence[Entry], model: str, brought: Request) -> Values:
        """The panels that depend on which model is chosen, and on what is brought."""
        entry = next((entry for entry in entries if entry.card.id == model), entries[0])
        return {
            self.about: chosen(entry),
            self.picker: picker(entries, entry.card.id),
            self.starters: starter_buttons(entry.card),
            **self.brings(engine, entry.card, brought),
        }

    def brings(self, engine: Engine, card: ModelCard, brought: Request) -> Values:
        """What is brought, as this model takes it."""
        return {
            self.given: given.written(brought),
            self.places: media_inputs.slots(card, brought, engine.media.background),
            self.expert.loras: loras(engine, card, brought),
        }


def build(engine: Engine, entries: Sequence[Entry]) -> Form:
    """Lay the panel out: what a first take needs, then what has a good default. The first model is the chosen one."""
    first = entries[0]
    prompt = gr.Textbox(label=FORM.prompt, placeholder=FORM.prompt_hint, lines=3, max_lines=8, elem_id="prompt")
    begin = panel("starters", starter_buttons(first.card))
    with gr.Row(elem_id="styles"):
        look, camera = look_picker(engine, first.card), camera_picker(engine, first.card)
    places = panel(
        "places",
        media_inputs.slots(first.card, given.NOTHING, engine.media.background),
        script=CLICKS + CHANGES + media_inputs.BRING,
    )
    brought, model = (gr.Textbox(value, visible="hidden") for value in ("", first.card.id))
    outlook = panel("outlook", live=True)
    refusal = panel("refusal", live=True)  # its own place: a forecast on its way must not wipe it out
    instead = panel("instead")
    preview = gr.Button(FORM.preview, variant="primary", size="lg", elem_id="preview")
    with gr.Column(elem_id="engine"):
        about, choose = panel("about", chosen(first)), panel("picker", picker(entries, first.card.id))
    shapes = [(str(getattr(FORM, name)), name) for name in get_args(Aspect)]
    aspect = gr.Radio(shapes, value="square", label=FORM.aspect, elem_id="aspect", elem_classes="shapes")
    wanted = outcome.build()
    with gr.Row():
        seconds = length_slider(first.card)
        count = gr.Slider(1, MAX_COUNT, 3, step=1, label=FORM.count, min_width=150, buttons=[], elem_id="count")
    drawer = expert.build(loras(engine, first.card, given.NOTHING), first.card)
    kept, own = saved.build(engine), styles.build(engine)
    return Form(prompt, begin, look, camera, places, brought, model, about, choose, aspect, wanted, seconds, count,
                drawer, outlook, refusal, instead, preview, kept, own)  # fmt: skip


def look_picker(engine: Engine, card: ModelCard, chosen_look: str | None = "") -> gr.Dropdown:
    return _styles(
        SAVED.look, SAVED.no_look, [look for look in engine.presets.looks() if look.words_for(card)], chosen_look
    )


def camera_picker(engine: Engine, card: ModelCard, chosen_camera: str | None = "") -> gr.Dropdown:
    moves = [camera for camera in engine.presets.cameras() if camera.words_for(card)]
    return _styles(SAVED.camera, SAVED.no_camera, moves, chosen_camera)


def _styles(label: str, none: str, styles: Sequence[Look | Camera], chosen_style: str | None) -> gr.Dropdown:
    """Also the update when another model is chosen; out of sight where the model can do none of them."""
    value = chosen_style if chosen_style in [style.id for style in styles] else ""
    choices = [(none, ""), *((known(style.name, PRESET), style.id) for style in styles)]
    return gr.Dropdown(choices, value=value, label=label, min_width=140, visible=bool(styles))


def starter_buttons(card: ModelCard) -> str:
    return render("screens/form/starters.html", starters=starters(card))


def length_slider(card: ModelCard, value: float | None = None) -> gr.Slider:
    """The lengths that this model can make, in half seconds. Also the update when another model is chosen."""
    rule = card.frames
    shortest, longest = rule.minimum / rule.fps, rule.most_asked / rule.fps
    low, high = max(ceil(shortest * 2) / 2, 0.5), longest // 0.5 * 0.5
    return gr.Slider(
        minimum=low,
        maximum=high,
        value=min(max(value or round(rule.default / rule.fps * 2) / 2, low), high),
        step=0.5,
        label=FORM.length,
        min_width=150,
        buttons=[],
        elem_id="seconds",
    )
