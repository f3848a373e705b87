"""How takes are drawn and how exactly: the choices that a model bears, in the expert drawer."""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine import ModelCard, Request
from ui.locale import known
from ui.texts import EXPERT

CONTINUE = "continue"


def takes(card: ModelCard, value: str = "") -> gr.Dropdown:
    """Who draws the takes. Also the update when another model is chosen; out of sight where there is no choice."""
    choices = [(EXPERT.refine, "")]
    choices += [(EXPERT.first_part, CONTINUE)] if card.continues else []
    choices += [(EXPERT.guide.format(name=guide.name), guide.name) for guide in card.guides]
    known = value if value in [name for _, name in choices] else ""
    return gr.Dropdown(choices, value=known, label=EXPERT.takes, filterable=False, min_width=140,
                       visible=len(choices) > 1, elem_id="takes-by")  # fmt: skip


def faster(card: ModelCard, value: bool = False) -> gr.Checkbox:
    """Foretold steps, with what is known of their price."""
    price = (card.faster and known(card.faster.measured)) or EXPERT.not_measured
    return gr.Checkbox(value and card.faster is not None, label=EXPERT.faster, info=price,
                       visible=card.faster is not None, elem_id="faster")  # fmt: skip


def fields(takes: str | None, faster: bool | None, card: ModelCard) -> dict[str, Any]:
    """These choices as fields of a request, as far as the model bears them."""
    by = takes if takes in [guide.name for guide in card.guides] else None
    mode = "continue" if takes == CONTINUE and card.continues else "refine"
    return {"mode": mode, "takes_by": by, "faster": bool(faster) and card.faster is not None}


def chosen(request: Request) -> str:
    return CONTINUE if request.mode == "continue" else request.takes_by or ""
