"""Settings that the person saved under a name: use, send to a friend as a file, take in a friend's, delete."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from engine import Engine
from ui.page.components.html import CLICKS, FILES, panel, render
from ui.texts import SAVED

# A friend's file goes to the server as it is; what comes back is its name, or why it was refused.
BRING = (
    FILES
    + """
whenChosen(async (target) => {
    try {
        const name = encodeURIComponent(target.files[0].name);
        const answer = await fetch(`/bring/preset?name=${name}`, { method: 'POST', body: target.files[0] });
        trigger('click', { act: answer.ok ? 'preset-came' : 'refused', id: await answer.text() });
    } catch { trigger('click', { act: 'refused', id: '' }); }
    target.value = '';
});
"""
)


@dataclass(frozen=True)
class Saved:
    shelf: gr.HTML
    name: gr.Textbox
    save: gr.Button


def build(engine: Engine) -> Saved:
    with gr.Accordion(SAVED.heading, open=False, elem_id="saved"):
        presets = panel("presets", shelf(engine), script=CLICKS + BRING)
        with gr.Row():
            name = gr.Textbox(label=SAVED.name, placeholder=SAVED.name_hint, max_lines=1, scale=3, min_width=140)
            save = gr.Button(SAVED.save, scale=1, min_width=90)
    return Saved(presets, name, save)


def shelf(engine: Engine) -> str:
    """Every saved request with its buttons; the files that are broken, each with the field that is wrong."""
    return render("screens/form/presets.html", presets=engine.presets.requests(), problems=engine.presets.problems())
