"""A piece of the page that is our own HTML, and how a click in it reaches the server."""

from __future__ import annotations

import gradio as gr

from ui.page.wording import shown

# A click on any button inside our own HTML becomes one Gradio event that names what to do, and with what.
CLICKS = """
element.addEventListener('click', (event) => {
    const button = event.target.closest('[data-act]');
    if (!button || button.disabled || event.told) return;
    event.told = true;  // panels lie inside each other; a click is told once
    trigger('click', { act: button.dataset.act, id: button.dataset.id ?? '' });
});
"""


def panel(name: str, value: str = "", live: bool = False, script: str = CLICKS) -> gr.HTML:
    """A panel; a live one is read aloud when it changes."""
    template = '<div role="status" aria-live="polite">${value}</div>' if live else "${value}"
    return gr.HTML(
        value, html_template=template, elem_id=name, elem_classes="ours", apply_default_css=False, js_on_load=script
    )


def button(act: str, words: str, name: str = "", kind: str = "", label: str = "") -> str:
    """A button of our own HTML. `label`: more about it; it is the name of a button that shows a mere sign."""
    spoken = f' title="{shown(label)}"' if label else ""
    spoken += f' aria-label="{shown(label)}"' if label and len(words) == 1 else ""
    style = f' class="{kind}"' if kind else ""
    return f'<button type="button"{style} data-act="{act}" data-id="{shown(name)}"{spoken}>{shown(words)}</button>'


def bar(label: str, percent: str) -> str:
    """How far something is, from 0 to 100."""
    return (
        f'<div class="bar" role="progressbar" aria-label="{shown(label)}" aria-valuemin="0"'
        f' aria-valuemax="100" aria-valuenow="{percent}"><i style="width: {percent}%"></i></div>'
    )
