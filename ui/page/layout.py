"""All the widgets of the page, by screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine import Engine, ModelCard
from ui.page.screens.form.expert import Values
from ui.page.screens.form.form import Form
from ui.page.screens.library import Shelf
from ui.page.screens.machine import Machine
from ui.page.screens.models.models import Models
from ui.page.screens.results import Stage

CREATE, QUEUE_ROOM, LIBRARY, MODEL_ROOM, MACHINE_ROOM = ROOMS = ("create", "queue", "library", "models", "machine")


@dataclass(frozen=True)
class Page:
    """`task`: what the page has been asked to do next that takes a while; empty when there is nothing."""

    form: Form
    stage: Stage
    shelf: Shelf
    models: Models
    machine: Machine
    rooms: gr.Tabs
    tabs: dict[str, gr.Tab]
    memory: gr.BrowserState
    task: gr.Textbox

    @property
    def fields(self) -> list[Any]:
        """What the browser remembers."""
        return [*self.form.fields, self.stage.dial]

    @property
    def asked(self) -> set[Any]:
        """Everything that the person has set, on any screen."""
        return {*self.fields, *self.form.own.asked, *self.shelf.asked, self.models.words, self.models.folder, self.task}

    @property
    def answered(self) -> list[Any]:
        """Everything that a click may change."""
        form, models, machine = self.form, self.models, self.machine
        panels = [form.about, form.picker, form.starters, form.places, form.expert.loras, form.outlook,
                  form.refusal, form.saved.shelf, form.saved.name, form.instead,
                  *form.own.asked, form.own.deeds]  # fmt: skip
        screens = [self.shelf.grid, self.shelf.more, self.shelf.limit, models.question, models.offline, *models.drawn]
        more = [machine.facts, machine.table, machine.doctor, machine.tiers, machine.language, self.rooms, self.task]
        return [*form.fields, *panels, *self.stage.live, *screens, *more]

    def screen(self, engine: Engine, room: str, values: Values) -> Values:
        """What a screen shows when it is opened."""
        match room:
            case "library":
                return self.shelf.filled(engine, values)
            case "models":
                return self.models.filled(engine, values[self.models.words] or "")
            case "machine":
                return self.machine.filled(engine)
        return {}


def card_of(engine: Engine, model: str) -> ModelCard:
    """The card of a model, or of the first one when the browser remembers one that is gone."""
    cards = engine.cards()
    return next((card for card in cards if card.id == model), cards[0])


@dataclass(frozen=True)
class Click:
    """`what` is asked for, of what (`name`), with everything that the person has set."""

    engine: Engine
    page: Page
    what: str
    name: str
    values: Values
