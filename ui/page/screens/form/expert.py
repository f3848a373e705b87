"""The expert drawer: the same request, in the field's own words. An empty field means "as the model recommends".

Text fields, not number fields: Gradio's number field cannot stay empty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, TypeVar, get_args

import gradio as gr

from engine import BadSetting, Message, ModelCard, Offload, Overrides, Precision, Request
from ui.page.components.html import CHANGES, CLICKS, panel
from ui.page.screens.form import drawing
from ui.page.screens.form.lora_inputs import BRING
from ui.texts import EXPERT, TRUTH

Number = TypeVar("Number", int, float)
Values = dict[Any, Any]  # component -> value, as Gradio gives a handler whose inputs are a set


@dataclass(frozen=True)
class Expert:
    negative: gr.Textbox
    seed: gr.Textbox
    take_steps: gr.Textbox
    render_steps: gr.Textbox
    guidance: gr.Textbox
    shift: gr.Textbox
    sigma: gr.Textbox
    precision: gr.Dropdown
    offload: gr.Dropdown
    size: gr.Textbox
    fit: gr.Checkbox
    takes: gr.Dropdown
    faster: gr.Checkbox
    loras: gr.HTML
    reset: gr.Button

    @property
    def fields(self) -> list[Any]:
        return [getattr(self, field.name) for field in fields(self) if field.name not in ("loras", "reset")]

    def applied(self, request: Request, values: Values, card: ModelCard) -> Request:
        """`request` with what the expert fixed. Raises BadSetting; the planner checks the rest."""
        guidance = _number(values[self.guidance], float, EXPERT.guidance)
        shift = _number(values[self.shift], float, EXPERT.shift)
        take = _number(values[self.take_steps], int, EXPERT.take_steps)
        render = _number(values[self.render_steps], int, EXPERT.render_steps)
        return request.but(
            **(
                {
                    "negative_prompt": (values[self.negative] or "") if card.prompt.negative else "",
                    "seed": _number(values[self.seed], int, EXPERT.seed),
                    "sigma": _number(values[self.sigma], float, EXPERT.sigma),
                    "precision": _one_of(values[self.precision], get_args(Precision)),
                    "offload": _one_of(values[self.offload], get_args(Offload)),
                    "take": Overrides(num_inference_steps=take, guidance_scale=guidance, flow_shift=shift),
                    "make_it_fit": bool(values[self.fit]),
                    "render": Overrides(
                        **_size(values[self.size]),
                        num_inference_steps=render,
                        guidance_scale=guidance,
                        flow_shift=shift,
                    ),
                }
                | drawing.fields(values[self.takes], values[self.faster], card)
            )
        )

    def filled(self, request: Request, card: ModelCard) -> Values:
        """The drawer as it would have made `request`; what the card says anyway stays empty."""
        take, render = request.take, request.render
        same_guidance = take.guidance_scale in (None, card.take.guidance_scale)
        same_shift = take.flow_shift in (None, card.take.flow_shift)
        return {
            self.negative: gr.Textbox(request.negative_prompt, visible=card.prompt.negative),
            self.seed: _text(request.seed),
            self.take_steps: _text(take.num_inference_steps, card.take.num_inference_steps),
            self.render_steps: _text(render.num_inference_steps, card.render.num_inference_steps),
            self.guidance: "" if same_guidance else _text(take.guidance_scale),
            self.shift: "" if same_shift else _text(take.flow_shift),
            self.sigma: _text(request.sigma),
            self.precision: request.precision or "",
            self.offload: request.offload or "",
            self.size: f"{render.width}x{render.height}" if render.width and render.height else "",
            self.fit: request.make_it_fit,
            self.takes: drawing.takes(card, drawing.chosen(request)),
            self.faster: drawing.faster(card, request.faster),
        }

    def restored(self, card: ModelCard, values: Values) -> Values:
        """The choices that depend on the model, as a browser remembers them."""
        return {
            self.negative: gr.Textbox(values[self.negative], visible=card.prompt.negative),
            self.takes: drawing.takes(card, values[self.takes]),
            self.faster: drawing.faster(card, values[self.faster]),
        }


def build(worn: str, card: ModelCard) -> Expert:
    """`worn`: the panel of LoRAs as it is at first; `card`: the model that is chosen then."""
    with gr.Accordion(EXPERT.heading, open=False, elem_id="expert"):
        negative = gr.Textbox(label=EXPERT.negative, placeholder=EXPERT.negative_hint, lines=2, visible=False)
        seed = gr.Textbox(label=EXPERT.seed, placeholder=EXPERT.seed_hint, max_lines=1, elem_id="seed")
        with gr.Row():
            take_steps, render_steps = _field(EXPERT.take_steps), _field(EXPERT.render_steps)
        guidance = _field(EXPERT.guidance)
        with gr.Row():
            shift, sigma = _field(EXPERT.shift), _field(EXPERT.sigma)
        with gr.Row():
            precisions = [(EXPERT.full if name == "full" else name, name) for name in get_args(Precision)]
            offloads = [(str(getattr(EXPERT, name)), name) for name in get_args(Offload)]
            precision = _choice(EXPERT.precision, precisions, EXPERT.precision_cost)
            offload = _choice(EXPERT.offload, offloads)
        size = gr.Textbox(label=TRUTH.size, placeholder=EXPERT.as_model, max_lines=1)
        fit = gr.Checkbox(label=TRUTH.fit, elem_id="make-it-fit")
        takes, faster = drawing.takes(card), drawing.faster(card)
        loras = panel("loras", worn, script=CLICKS + CHANGES + BRING)
        reset = gr.Button(EXPERT.reset, size="sm", elem_id="reset")
    return Expert(negative, seed, take_steps, render_steps, guidance, shift, sigma, precision, offload,
                  size, fit, takes, faster, loras, reset)  # fmt: skip


def _field(label: str) -> gr.Textbox:
    return gr.Textbox(label=label, placeholder=EXPERT.as_model, max_lines=1, min_width=140)


def _choice(label: str, choices: list[tuple[str, str]], info: str | None = None) -> gr.Dropdown:
    return gr.Dropdown([(EXPERT.as_model, ""), *choices], value="", label=label, info=info, filterable=False,
                       min_width=140)  # fmt: skip


def _text(value: float | None, recommended: float | None = None) -> str:
    return "" if value is None or value == recommended else f"{value:g}" if isinstance(value, float) else str(value)


def _one_of(value: str | None, names: tuple[str, ...]) -> str | None:
    return value if value in names else None


def _size(text: str | None) -> dict[str, int]:
    """What an expert typed as width x height; nothing when nothing. Raises BadSetting."""
    if not text or not text.strip():
        return {}
    found = re.fullmatch(r"\s*(\d{1,5})\s*[x×]\s*(\d{1,5})\s*", text.casefold())
    if not found:
        raise BadSetting(Message.of(TRUTH.bad_size.format(text=text[:20])), Message.of(EXPERT.empty_it))
    return {"width": int(found[1]), "height": int(found[2])}


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
        wanted = EXPERT.whole_number if kind is int else EXPERT.number
        raise BadSetting(
            Message.of(EXPERT.bad_number.format(label=label, text=text[:20], wanted=wanted)),
            Message.of(EXPERT.empty_it),
        ) from None
