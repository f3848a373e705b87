"""HTML from the templates below `ui/page/templates`; and panels, whose clicks reach the server.

Whatever fills a template is escaped there. What is HTML already is `Markup`, and that comes from `render` alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from jinja2.runtime import Macro
from markupsafe import Markup

from engine import Message
from ui import amounts, texts
from ui.locale import known, say
from ui.page.components import formatting
from ui.page.components.media_routes import address, kept_address, peek_address

FOLDER = Path(__file__).parents[1]

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


class _Layout(Extension):
    """A line break beside a tag lays the template out and is no part of the page, where it would be a gap."""

    BREAK = re.compile(r"(?<=[>}])\s*\n\s*|\s*\n\s*(?=[<{])")

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Each becomes a comment of as many lines, so that an error still names its line."""
        if name is None or not name.endswith(".html"):  # a style sheet is shown as it is
            return source
        return self.BREAK.sub(lambda found: "{#" + "\n" * found[0].count("\n") + "#}", source)


TEMPLATES = Environment(
    loader=FileSystemLoader([FOLDER / "templates", FOLDER / "assets"]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
    extensions=[_Layout],
)


def _said(text: str) -> str:
    """What the engine says; text of other programs as it is."""
    return say(text) if isinstance(text, Message) else text


TEMPLATES.filters |= {"say": _said, "known": known, "moment": amounts.moment, "gigabytes": amounts.gigabytes,
                      "figure": amounts.figure}  # fmt: skip
TEMPLATES.globals |= {name: value for name, value in vars(texts).items() if name.isupper()}
TEMPLATES.globals |= {
    function.__name__: function
    for function in (
        address, kept_address, peek_address, formatting.fits, formatting.job_heading, formatting.job_name,
        formatting.promised, amounts.span, formatting.verdict,
    )
}  # fmt: skip

MACROS = TEMPLATES.get_template("macros.html").module  # once: an import in a template costs a third of drawing it
TEMPLATES.globals |= {name: value for name, value in vars(MACROS).items() if isinstance(value, Macro)}


def render(template: str, **values: Any) -> Markup:
    """The HTML of a template. A value that it names and does not get is an error."""
    return Markup(TEMPLATES.get_template(template).render(values))  # noqa: S704 - escaped by the templates themselves


@dataclass(frozen=True)
class Button:
    """A button that Python chooses: what it does (`actions`), what is written on it, and to what it does it."""

    act: str
    words: str
    name: str = ""


def panel(name: str, value: str = "", live: bool = False, script: str = CLICKS) -> gr.HTML:
    """A panel; a live one is read aloud when it changes."""
    template = render("components/live.html") if live else "${value}"
    return gr.HTML(
        value, html_template=template, elem_id=name, elem_classes="ours", apply_default_css=False, js_on_load=script
    )
