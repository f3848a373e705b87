"""Draft, Standard, Best: as much as this kind of machine is good for, by one choice. What it means is said."""

from __future__ import annotations

import gradio as gr

from engine import Engine, Plan
from ui.page.components.formatting import duration, shown
from ui.page.components.html import button
from ui.texts import OUTCOME
from ui.texts.sentences import told

NAMES = ("draft", "standard", "best")


def build() -> gr.Radio:
    choices = [(OUTCOME.by_hand, ""), *((str(getattr(OUTCOME, name)), name) for name in NAMES)]
    return gr.Radio(choices, value="", label=OUTCOME.label, elem_id="outcome", elem_classes="shapes")


def meaning(engine: Engine, plan: Plan) -> str:
    """What the chosen outcome is here, and the button that keeps it as the person has changed it."""
    chosen = plan.request.outcome
    if not chosen:
        return ""
    run, name = plan.render, str(getattr(OUTCOME, chosen))
    words = OUTCOME.means.format(outcome=name, tier=told(engine.tier().name), size=run.size.replace("x", " × "),
                                 seconds=duration(run.seconds), steps=run.num_inference_steps)  # fmt: skip
    return f'<p class="note">{shown(words)} {button("tier-keep", OUTCOME.keep.format(outcome=name))}</p>'
