"""The library tab: takes and clips from disk, newest first. The disk is the truth, so nothing here is remembered."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from engine import Clip, Engine, Take
from ui.page import rights
from ui.page.media import address
from ui.page.sheet import how
from ui.page.wording import moment, shown
from ui.texts import CLIP, SHEET, SHELF

PAGE = 24


@dataclass(frozen=True)
class Shelf:
    kind: gr.Radio
    grid: gr.HTML
    more: gr.Button
    limit: gr.State


def build() -> Shelf:
    choices = [(SHELF.all, "all"), (SHELF.clips, "clips"), (SHELF.takes, "takes")]
    kind = gr.Radio(choices, value="all", label=SHELF.show, show_label=False, elem_classes="shapes filter")
    grid = gr.HTML("", elem_id="shelf", apply_default_css=False, js_on_load=CLICKS)
    more = gr.Button(SHELF.more, visible=False, elem_id="more")
    return Shelf(kind, grid, more, gr.State(PAGE))


# A click on any button inside our own HTML becomes one Gradio event that names what to do, and with what.
CLICKS = """
element.addEventListener('click', (event) => {
    const button = event.target.closest('[data-act]');
    if (button && !button.disabled) trigger('click', { act: button.dataset.act, id: button.dataset.id });
});
"""


def shelf(engine: Engine, kind: str, limit: int) -> tuple[str, bool]:
    """The grid as HTML, and whether there is more to show."""
    clips: list[Take | Clip] = [] if kind == "takes" else [*engine.library.clips()]
    takes: list[Take | Clip] = [] if kind == "clips" else [*engine.library.takes()]
    items = sorted(clips + takes, key=lambda item: (item.recipe.created, item.id), reverse=True)
    if not items:
        return f'<p class="empty">{shown(SHELF.empty)}</p>', False
    count = SHELF.count.format(shown=min(limit, len(items)), total=len(items))
    cells = "".join(_cell(engine, item) for item in items[:limit])
    return f'<p class="facts">{shown(count)}</p><div class="cards">{cells}</div>', len(items) > limit


def _cell(engine: Engine, item: Take | Clip) -> str:
    recipe = item.recipe
    kind = "take" if isinstance(item, Take) else "clip"
    run = recipe.plan.stage(recipe.kind)
    source = shown(address(kind, item.id))
    prompt = shown(recipe.plan.request.prompt)
    render = f'<button class="main" data-act="render" data-id="{shown(item.id)}">{shown(SHEET.render)}</button>'
    return (
        f'<article class="take" data-kind="{kind}"><div class="frame">'
        f'<span class="tag">{shown(SHELF.take if kind == "take" else SHELF.clip)}</span>'
        f'<video src="{source}" poster="{shown(address(kind, item.id, poster=True))}" class="hover" preload="none" loop'
        f' muted playsinline tabindex="0" style="aspect-ratio: {run.width} / {run.height}" aria-label="{prompt}">'
        f'</video></div><p class="about" title="{prompt}">{prompt}</p>'
        f'<p class="facts"><span>{shown(moment(recipe.created))}</span>'
        f"<span>{shown(SHEET.seed.format(seed=recipe.plan.seed))}</span></p>"
        f'<div class="row">{render if kind == "take" else ""}<a class="button" href="{source}"'
        f' download="{shown(item.id)}.mp4">{shown(CLIP.download)}</a></div>'
        f"{rights.of_clip(engine, recipe)}{how(recipe)}</article>"
    )
