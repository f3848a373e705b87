"""The left panel: what the person asks for. Widgets, and how their values become a request."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any, TypeVar, get_args

import gradio as gr

from engine import Aspect, BadSetting, ModelCard, Overrides, Request
from ui.page import rights
from ui.page.wording import gigabytes, shown
from ui.texts import ASPECTS, FORM, MODEL

MAX_COUNT = 6
Number = TypeVar("Number", int, float)
Values = dict[Any, Any]  # component -> value, as Gradio gives a handler whose inputs are a set


@dataclass(frozen=True)
class Form:
    prompt: gr.Textbox
    starters: tuple[gr.Button, ...]
    model: gr.Dropdown
    about: gr.HTML
    aspect: gr.Radio
    seconds: gr.Slider
    count: gr.Slider
    seed: gr.Textbox
    take_steps: gr.Textbox
    render_steps: gr.Textbox
    guidance: gr.Textbox
    outlook: gr.HTML
    refusal: gr.HTML
    preview: gr.Button

    @property
    def fields(self) -> list[Any]:
        """What the person sets, in the order in which the browser remembers it."""
        return [self.prompt, self.model, self.aspect, self.seconds, self.count, self.seed, self.take_steps,
                self.render_steps, self.guidance]  # fmt: skip

    def request(self, values: Values, dial: float) -> Request:
        """The request that these values make. Raises BadSetting; the planner checks the rest."""
        seed = _number(values[self.seed], int, FORM.seed)
        take_steps = _number(values[self.take_steps], int, FORM.take_steps)
        render_steps = _number(values[self.render_steps], int, FORM.render_steps)
        guidance = _number(values[self.guidance], float, FORM.guidance)
        return Request(
            prompt=values[self.prompt] or "",
            model=values[self.model],
            aspect=values[self.aspect],
            seconds=values[self.seconds],
            seed=seed,
            dial=dial,
            take=Overrides(num_inference_steps=take_steps, guidance_scale=guidance),
            render=Overrides(num_inference_steps=render_steps, guidance_scale=guidance),
        )


def build(cards: Sequence[ModelCard], installed: Collection[str]) -> Form:
    """Lay the panel out. The first card is the one that is chosen; `installed` are the ids of models that are here."""
    first = cards[0]
    prompt = gr.Textbox(label=FORM.prompt, placeholder=FORM.prompt_hint, lines=3, max_lines=8, elem_id="prompt")
    with gr.Row(elem_classes="starters"):
        starters = tuple(gr.Button(name, size="sm", min_width=0) for name, _ in FORM.starters)
    with gr.Column(elem_id="engine"):
        model = gr.Dropdown(choices(cards, installed), value=first.id, label=FORM.model, elem_id="model")
        about = _html(about_model(first, first.id in installed), "about")
    shapes = [(ASPECTS[name], name) for name in get_args(Aspect)]
    aspect = gr.Radio(shapes, value="square", label=FORM.aspect, elem_id="aspect", elem_classes="shapes")
    with gr.Row():
        seconds = length_slider(first)
        count = gr.Slider(1, MAX_COUNT, 3, step=1, label=FORM.count, min_width=150, buttons=[], elem_id="count")
    outlook = _html("", "outlook", live=True)
    refusal = _html("", "refusal", live=True)  # its own place: a forecast on its way must not wipe it out
    preview = gr.Button(FORM.preview, variant="primary", size="lg", elem_id="preview")
    with gr.Accordion(FORM.expert, open=False, elem_id="expert"):
        seed, take_steps, render_steps, guidance = _expert()
    return Form(prompt, starters, model, about, aspect, seconds, count, seed, take_steps, render_steps, guidance,
                outlook, refusal, preview)  # fmt: skip


def choices(cards: Sequence[ModelCard], installed: Collection[str]) -> list[tuple[str, str]]:
    """Names to choose from; what is ready to use first."""
    ready = [(card.name, card.id) for card in cards if card.id in installed]
    return ready + [(MODEL.absent.format(name=card.name), card.id) for card in cards if card.id not in installed]


def _expert() -> list[gr.Textbox]:
    """Text fields, not number fields: Gradio's number field cannot stay empty, and empty means "as the model says"."""
    seed = gr.Textbox(label=FORM.seed, placeholder=FORM.seed_hint, max_lines=1, elem_id="seed")
    with gr.Row():
        steps = [
            gr.Textbox(label=label, placeholder=FORM.as_model, max_lines=1, min_width=140)
            for label in (FORM.take_steps, FORM.render_steps)
        ]
    return [seed, *steps, gr.Textbox(label=FORM.guidance, placeholder=FORM.as_model, max_lines=1)]


def length_slider(card: ModelCard, value: float | None = None) -> gr.Slider:
    """The lengths that this model can make, in half seconds. Also the update when another model is chosen."""
    rule = card.frames
    shortest, longest = rule.minimum / rule.fps, (rule.maximum + rule.step - 1) / rule.fps
    return gr.Slider(
        minimum=max(ceil(shortest * 2) / 2, 0.5),
        maximum=longest // 0.5 * 0.5,
        value=value or round(rule.default / rule.fps * 2) / 2,
        step=0.5,
        label=FORM.length,
        min_width=150,
        buttons=[],
        elem_id="seconds",
    )


def about_model(card: ModelCard, installed: bool) -> str:
    """What the model is good at, and what one may do with its clips, as HTML."""
    style = f"<details><summary>{shown(MODEL.words)}</summary>{shown(card.prompt.style)}</details>"
    absent = MODEL.not_installed.format(size=gigabytes(card.size_gb), command=install_command(card))
    missing = "" if installed else f'<p class="missing">{shown(absent)}</p>'
    return f"<p>{shown(card.summary)}</p>{missing}{rights.of_model(card)}{style if card.prompt.style else ''}"


def install_command(card: ModelCard) -> str:
    return f"python app.py models install {card.id}"


def _number(text: str | None, kind: type[Number], label: str) -> Number | None:
    """What an expert typed; None when nothing. Raises BadSetting."""
    if not text or not text.strip():
        return None
    try:
        number = kind(text)
        if not isfinite(number):
            raise ValueError
        return number
    except ValueError:
        wanted = FORM.whole_number if kind is int else FORM.number
        raise BadSetting(FORM.bad_number.format(label=label, text=text[:20], wanted=wanted), FORM.empty_it) from None


def _html(value: str, name: str, live: bool = False) -> gr.HTML:
    """A panel of our own HTML; a live one is read aloud when it changes."""
    template = '<div role="status" aria-live="polite">${value}</div>' if live else "${value}"
    return gr.HTML(
        value, html_template=template, elem_id=name, elem_classes=name, apply_default_css=False, js_on_load=None
    )
