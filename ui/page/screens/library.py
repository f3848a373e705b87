"""The library screen: takes and clips from disk, newest first. The disk is the truth, so nothing here is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import gradio as gr

from engine import Clip, Engine, Take, Thrown
from ui.amounts import bytes_of
from ui.page.components.error import said
from ui.page.components.html import Button, panel, render
from ui.page.model import search
from ui.page.screens.clip import about, kind_of
from ui.page.screens.form.expert import Values
from ui.page.screens.models.arrivals import ask
from ui.texts import SHELF

PAGE = 24
FAVOURITES = "favourites"  # one of the kinds: takes and clips that the person marked
TRASH = "trash"  # one of the kinds: what was thrown away
DAYS = {"ever": 0, "today": 1, "week": 7, "month": 30}


@dataclass(frozen=True)
class Shelf:
    kind: gr.Radio
    words: gr.Textbox
    model: gr.Dropdown
    when: gr.Dropdown
    question: gr.HTML
    grid: gr.HTML
    more: gr.Button
    limit: gr.State

    @property
    def asked(self) -> list[Any]:
        return [self.kind, self.words, self.model, self.when, self.limit]

    def filled(self, engine: Engine, values: Values) -> Values:
        """The grid as the filters stand, and whether there is more to show."""
        if values[self.kind] == TRASH:
            return {self.grid: bin_of(engine, values[self.words] or ""), self.more: gr.Button(visible=False)}
        items = found(engine, values[self.kind], values[self.words] or "", values[self.model], values[self.when])
        limit = values[self.limit]
        shown = grid(engine, items, limit, self._why_none(engine, values))
        return {self.grid: shown, self.more: gr.Button(visible=len(items) > limit)}

    def _why_none(self, engine: Engine, values: Values) -> str:
        """What is said where nothing is shown: that there is none, unless it was searched for."""
        if (values[self.words] or "").strip() or values[self.model] or values[self.when] != "ever":
            return SHELF.nothing
        if not engine.library.clips() and not engine.library.takes():
            return SHELF.empty
        return {"clips": SHELF.no_clips, "takes": SHELF.no_takes, FAVOURITES: SHELF.no_favourites}.get(
            values[self.kind], SHELF.nothing
        )


def build(engine: Engine) -> Shelf:
    kinds = [
        (SHELF.all, "all"),
        (SHELF.clips, "clips"),
        (SHELF.takes, "takes"),
        (SHELF.favourites, FAVOURITES),
        (SHELF.bin, TRASH),
    ]
    models = [(SHELF.any_model, ""), *((card.name, card.id) for card in engine.models.cards())]
    spans = [(str(getattr(SHELF, name)), name) for name in DAYS]
    with gr.Row(elem_id="filters"):
        kind = gr.Radio(kinds, value="all", label=SHELF.show, show_label=False, elem_classes="shapes", min_width=260)
        words = gr.Textbox(label=SHELF.search, placeholder=SHELF.search_hint, max_lines=1, elem_id="search")
        model = gr.Dropdown(models, value="", label=SHELF.model, filterable=False, min_width=150)
        when = gr.Dropdown(spans, value="ever", label=SHELF.when, filterable=False, min_width=150)
    question, shelf = panel("shelf-question", live=True), panel("shelf")
    more = gr.Button(SHELF.more, visible=False, elem_id="more")
    return Shelf(kind, words, model, when, question, shelf, more, gr.State(PAGE))


def found(engine: Engine, kind: str, words: str, model: str, when: str) -> list[Take | Clip]:
    """What matches: the kind, every one of the words in the prompt or the name, the model, the last days."""
    clips: list[Take | Clip] = [] if kind == "takes" else [*engine.library.clips()]
    takes: list[Take | Clip] = [] if kind == "clips" else [*engine.library.takes()]
    since = datetime.now(UTC) - timedelta(days=DAYS.get(when, 0) or 36500)

    def matches(item: Take | Clip) -> bool:
        plan = item.recipe.plan
        return (
            search.matches(words, plan.request.prompt, item.id, plan.model)
            and (kind != FAVOURITES or item.favourite)
            and model in ("", None, plan.model)
            and _made(item) >= since
        )

    items = [item for item in clips + takes if matches(item)]
    return sorted(items, key=lambda item: (item.recipe.created, item.id), reverse=True)


def _made(item: Take | Clip) -> datetime:
    try:
        return datetime.fromisoformat(item.recipe.created).astimezone(UTC)
    except ValueError:  # a recipe that somebody wrote by hand
        return datetime.now(UTC)


def grid(engine: Engine, items: list[Take | Clip], limit: int, nothing: str = "") -> str:
    cells = [(item, kind_of(item), about(engine, item)) for item in items[:limit]]
    return render("screens/library.html", cells=cells, total=len(items), nothing=nothing,
                  trash=engine.library.trash.bytes())  # fmt: skip


# ---- the trash ----


def bin_of(engine: Engine, words: str) -> str:
    """What was thrown away, last first; of that, what holds every one of the words."""
    thrown = engine.library.trash.items()
    items = [item for item in thrown if search.matches(words, _title(item), item.id)]
    return render("screens/trash.html", items=[(item, _title(item)) for item in items], any_at_all=bool(thrown),
                  size=_size(thrown))  # fmt: skip


def doomed(engine: Engine, name: str) -> list[Thrown]:
    """What would go for good: one thing of the trash, or all of it."""
    return [item for item in engine.library.trash.items() if name in ("", item.id)]


def seen_as(items: list[Thrown]) -> str:
    """What a question about them was about: by it a yes to less than what is there now is told."""
    return f"{len(items)}-{sum(item.bytes for item in items)}"


def ask_erase(items: list[Thrown], name: str) -> str:
    """Ask before what is in the trash goes for good: how much there is, and how large it is."""
    if len(items) == 1:
        line = SHELF.erase_one.format(what=_title(items[0]), size=_size(items))
    else:
        line = SHELF.erase_many.format(count=len(items), size=_size(items))
    words = SHELF.erase if name else SHELF.empty_trash
    return ask(line, heading=SHELF.erase_heading if name else SHELF.empty_heading,
               yes=Button("erase", words, f"{seen_as(items)}/{name}"), no=SHELF.keep)  # fmt: skip


def erased(count: int) -> str:
    """What is said when something went for good."""
    return said(SHELF.erased.format(size=bytes_of(count)))


def _title(item: Thrown) -> str:
    return item.recipe.plan.request.prompt if item.recipe else item.id


def _size(items: list[Thrown]) -> str:
    return bytes_of(sum(item.bytes for item in items))


def undo(name: str) -> str:
    """What is said when something was thrown away."""
    return said(SHELF.trashed, Button("undo", SHELF.undo, name))
