"""All the widgets of the page, by screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

import gradio as gr
from gradio.blocks import Block
from gradio.components.base import FormComponent

from engine import Engine, ModelCard, Request
from ui.page.model import attachments
from ui.page.once import Once
from ui.page.screens.form.expert import Values
from ui.page.screens.form.form import Form
from ui.page.screens.library import Shelf
from ui.page.screens.machine import Machine
from ui.page.screens.models.models import Models
from ui.page.screens.results import Stage

Room = Literal["create", "queue", "library", "models", "machine"]
CREATE: Literal["create"] = "create"
QUEUE_ROOM: Literal["queue"] = "queue"
LIBRARY: Literal["library"] = "library"
MODEL_ROOM: Literal["models"] = "models"
MACHINE_ROOM: Literal["machine"] = "machine"


@dataclass(frozen=True)
class Page:
    """`task`: what the page has been asked to do next that takes a while; empty when there is nothing. `once`: what
    clicks have just begun."""

    form: Form
    stage: Stage
    shelf: Shelf
    models: Models
    machine: Machine
    rooms: gr.Tabs
    tabs: dict[str, gr.Tab]
    memory: gr.BrowserState
    task: gr.Textbox
    once: Once

    @property
    def fields(self) -> list[Any]:
        """What the browser remembers."""
        return [*self.form.fields, self.stage.dial]

    @property
    def parts(self) -> list[Block]:
        """Every widget of the page."""
        return [*_parts(self)]

    @property
    def asked(self) -> set[Block]:
        """Everything that the person has set, on any screen."""
        return {part for part in self.parts if isinstance(part, FormComponent | gr.State)}

    @property
    def answered(self) -> list[Block]:
        """Everything that a click may change: all but what the browser alone keeps."""
        return [part for part in self.parts if not isinstance(part, gr.BrowserState)]

    @property
    def panels(self) -> list[gr.HTML]:
        """Everything that may hold a button of ours."""
        return [part for part in self.parts if isinstance(part, gr.HTML)]

    def opened(self, room: Room) -> Values:
        """Another screen in front."""
        return {self.rooms: gr.Tabs(selected=room)}

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


def _parts(of: Any) -> Iterator[Block]:
    """Every widget in a screen's dataclass, and in the dataclasses within it."""
    for part in (getattr(of, field.name) for field in fields(of)):
        if isinstance(part, Block):
            yield part
        elif is_dataclass(part):
            yield from _parts(part)


def card_of(engine: Engine, model: str) -> ModelCard:
    """The card of a model, or of the first one when the browser remembers one that is gone."""
    cards = engine.models.cards()
    return next((card for card in cards if card.id == model), cards[0])


@dataclass(frozen=True)
class Click:
    """A page at the moment of a click, with everything that the person has set on it."""

    engine: Engine
    page: Page
    values: Values

    @property
    def card(self) -> ModelCard:
        """The model that is chosen."""
        return card_of(self.engine, self.values[self.page.form.model])

    @property
    def given(self) -> Request:
        """What is brought beside the words."""
        return attachments.read(self.values[self.page.form.given])

    @property
    def asked(self) -> Request:
        """What the form asks for. Raises BadSetting."""
        return self.page.form.request(self.values, self.values[self.page.stage.dial], self.card)
