"""The left panel: what the person asks for. Widgets, and how their values become a request and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, get_args

import gradio as gr

from engine import Aspect, Camera, Engine, Look, ModelCard, PictureRole, Request
from ui.page import expert, pictures, saved
from ui.page.expert import Expert, Values
from ui.page.panel import CLICKS, button, panel
from ui.page.picker import chosen, picker
from ui.page.roster import Entry, starters, takes_pictures
from ui.page.saved import Saved
from ui.page.wording import shown
from ui.texts import FORM, SAVED

MAX_COUNT = 6


@dataclass(frozen=True)
class Form:
    prompt: gr.Textbox
    starters: gr.HTML
    look: gr.Dropdown
    camera: gr.Dropdown
    pictures: gr.HTML
    image: gr.Textbox
    last_image: gr.Textbox
    model: gr.Textbox
    about: gr.HTML
    picker: gr.HTML
    aspect: gr.Radio
    seconds: gr.Slider
    count: gr.Slider
    expert: Expert
    outlook: gr.HTML
    refusal: gr.HTML
    preview: gr.Button
    saved: Saved

    @property
    def fields(self) -> list[Any]:
        """What the person sets, in the order in which the browser remembers it: the model second."""
        return [self.prompt, self.model, self.aspect, self.seconds, self.count, self.image, self.last_image,
                self.look, self.camera,
                *self.expert.fields]  # fmt: skip

    def request(self, values: Values, dial: float, card: ModelCard) -> Request:
        """The request that these values make. Raises BadSetting; the planner checks the rest."""
        asked = Request(
            prompt=values[self.prompt] or "",
            model=card.id,
            aspect=values[self.aspect],
            seconds=values[self.seconds],
            dial=dial,
            look=values[self.look] or None,
            camera=values[self.camera] or None,
            pictures={
                role: name for role, name in self.chosen_pictures(values).items() if role in takes_pictures(card)
            },
        )
        return self.expert.applied(asked, values, card)

    def chosen_pictures(self, values: Values) -> dict[PictureRole, str]:
        kept: dict[PictureRole, str] = {"image": values[self.image] or "", "last_image": values[self.last_image] or ""}
        return {role: name for role, name in kept.items() if pictures.ID.fullmatch(name)}

    def filled(self, request: Request, card: ModelCard) -> Values:
        """The form as it would have made `request`."""
        rule = card.frames
        seconds = request.num_frames / rule.fps if request.num_frames else request.seconds
        return {
            self.prompt: request.prompt,
            self.model: card.id,
            self.aspect: request.aspect,
            self.look: request.look or "",
            self.camera: request.camera or "",
            self.seconds: length_slider(card, seconds and round(seconds * 2) / 2),
            self.image: request.pictures.get("image", ""),
            self.last_image: request.pictures.get("last_image", ""),
            **self.expert.filled(request, card),
        }

    def styles(self, engine: Engine, card: ModelCard, look: str | None, camera: str | None) -> Values:
        """The looks and camera moves that this model can do, with the chosen ones as far as it can do them."""
        return {self.look: look_picker(engine, card, look), self.camera: camera_picker(engine, card, camera)}

    def drawn(self, entries: Sequence[Entry], model: str, chosen_pictures: dict[PictureRole, str]) -> Values:
        """The panels that depend on which model is chosen."""
        entry = next((entry for entry in entries if entry.card.id == model), entries[0])
        return {
            self.about: chosen(entry),
            self.picker: picker(entries, entry.card.id),
            self.starters: starter_buttons(entry.card),
            self.pictures: pictures.slots(entry.card, chosen_pictures),
            self.expert.negative: gr.Textbox(visible=entry.card.prompt.negative),
        }


def build(engine: Engine, entries: Sequence[Entry]) -> Form:
    """Lay the panel out. The first model is the one that is chosen."""
    first = entries[0]
    prompt = gr.Textbox(label=FORM.prompt, placeholder=FORM.prompt_hint, lines=3, max_lines=8, elem_id="prompt")
    begin = panel("starters", starter_buttons(first.card))
    with gr.Row(elem_id="styles"):
        look, camera = look_picker(engine, first.card), camera_picker(engine, first.card)
    places = panel("pictures", pictures.slots(first.card, {}), script=CLICKS + pictures.BRING)
    image, last_image, model = (gr.Textbox(value, visible="hidden") for value in ("", "", first.card.id))
    with gr.Column(elem_id="engine"):
        about, choose = panel("about", chosen(first)), panel("picker", picker(entries, first.card.id))
    shapes = [(str(getattr(FORM, name)), name) for name in get_args(Aspect)]
    aspect = gr.Radio(shapes, value="square", label=FORM.aspect, elem_id="aspect", elem_classes="shapes")
    with gr.Row():
        seconds = length_slider(first.card)
        count = gr.Slider(1, MAX_COUNT, 3, step=1, label=FORM.count, min_width=150, buttons=[], elem_id="count")
    outlook = panel("outlook", live=True)
    refusal = panel("refusal", live=True)  # its own place: a forecast on its way must not wipe it out
    preview = gr.Button(FORM.preview, variant="primary", size="lg", elem_id="preview")
    drawer = expert.build()
    kept = saved.build(engine)
    return Form(prompt, begin, look, camera, places, image, last_image, model, about, choose, aspect, seconds, count,
                drawer, outlook, refusal, preview, kept)  # fmt: skip


def look_picker(engine: Engine, card: ModelCard, chosen_look: str | None = "") -> gr.Dropdown:
    return _styles(SAVED.look, SAVED.no_look, [look for look in engine.looks() if look.words_for(card)], chosen_look)


def camera_picker(engine: Engine, card: ModelCard, chosen_camera: str | None = "") -> gr.Dropdown:
    moves = [camera for camera in engine.cameras() if camera.words_for(card)]
    return _styles(SAVED.camera, SAVED.no_camera, moves, chosen_camera)


def _styles(label: str, none: str, styles: Sequence[Look | Camera], chosen_style: str | None) -> gr.Dropdown:
    """Also the update when another model is chosen; out of sight where the model can do none of them."""
    value = chosen_style if chosen_style in [style.id for style in styles] else ""
    choices = [(none, ""), *((style.name, style.id) for style in styles)]
    return gr.Dropdown(choices, value=value, label=label, min_width=140, visible=bool(styles))


def starter_buttons(card: ModelCard) -> str:
    buttons = "".join(button("starter", name, str(number)) for number, (name, _) in enumerate(starters(card)))
    return f'<div class="starters" role="group" aria-label="{shown(FORM.starters_label)}">{buttons}</div>'


def length_slider(card: ModelCard, value: float | None = None) -> gr.Slider:
    """The lengths that this model can make, in half seconds. Also the update when another model is chosen."""
    rule = card.frames
    shortest, longest = rule.minimum / rule.fps, (rule.maximum + rule.step - 1) / rule.fps
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
