"""A piece of the page that is our own HTML, and how a click in it reaches the server."""

from __future__ import annotations

from collections.abc import Iterable

import gradio as gr

from ui.page.components.formatting import shown

# A click on any button inside our own HTML becomes one Gradio event that names what to do, and with what.
# A question that is declined leaves here: the server's answer could come after that to the next one, and erase it.
CLICKS = """
element.addEventListener('click', (event) => {
    const button = event.target.closest('[data-act]');
    if (!button || button.disabled || event.told) return;
    event.told = true;  // panels lie inside each other; a click is told once
    if (button.dataset.act === 'not-now') { props.value = ''; return; }
    trigger('click', { act: button.dataset.act, id: button.dataset.id ?? '' });
});
"""


# A field inside our own HTML tells its new value the same way, when it is left.
CHANGES = """
element.addEventListener('change', ({ target }) => {
    if (!target.dataset?.change) return;
    trigger('click', { act: target.dataset.change, id: `${target.dataset.id}:${target.value}` });
});
"""

# A field for files calls `brought` when the person has chosen. While they look for a file the panel may be drawn anew,
# by a take that is finished say, and a field that is no longer part of the page bubbles nothing: it is heard itself.
FILES = """
const whenChosen = (brought) => {
    element.addEventListener('change', ({ target }) => { if (target.files?.length) brought(target); });
    element.addEventListener('click', ({ target }) => {
        if (target.type !== 'file') return;
        target.onchange = () => { if (target.files.length && !target.isConnected) brought(target); };
    });
};
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


def number(act: str, words: str, name: str, value: str, limits: tuple[float, float, float]) -> str:
    """A field for a number. `limits`: the least, the most, and the step."""
    least, most, step = (f"{limit:g}" for limit in limits)
    return (
        f'<label class="field">{shown(words)} <input type="number" inputmode="decimal" data-change="{act}"'
        f' data-id="{shown(name)}" value="{shown(value)}" min="{least}" max="{most}" step="{step}"></label>'
    )


def choice(act: str, words: str, options: Iterable[tuple[str, str]], value: str = "", name: str = "") -> str:
    """One of several, each a value and its words."""
    items = "".join(
        f'<option value="{shown(key)}"{" selected" if key == value else ""}>{shown(text)}</option>'
        for key, text in options
    )
    return (
        f'<label class="field">{shown(words)} <select data-change="{act}" data-id="{shown(name)}">{items}</select>'
        "</label>"
    )
