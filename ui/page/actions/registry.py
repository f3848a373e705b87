"""The actions of the page: functions by name, each with the type of what it is done to.

A button says which action and, as a text, to what (`macros.html`: `does`); a field adds its value (`changes`). Here and
nowhere else that text becomes what the function asks for, by the type of its second parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, TypeVar, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError, model_validator

from engine import MediaRole, Message, RushesError
from ui.page.layout import Click
from ui.page.screens.form.expert import Values
from ui.texts import DOOR

Function = TypeVar("Function", bound=Callable[..., Values | None])


class UnknownAction(RushesError):
    """Nothing of this name is there: a mistake of ours, or a page that is older than the studio."""


class BadPayload(RushesError):
    """An action was asked for with a text that says nothing to it."""


# ---- what an action can be done to, beside nothing, a text and a number ----


class Pair(BaseModel):
    """Two texts in one, with a mark between them."""

    MARK: ClassVar[str] = ":"

    @model_validator(mode="before")
    @classmethod
    def _parted(cls, text: object) -> object:
        return dict(zip(cls.model_fields, text.split(cls.MARK, 1), strict=False)) if isinstance(text, str) else text


class Change(Pair):
    """A field's new value; `name`: of which thing, where there are several."""

    name: str
    value: str


class Slot(Pair):
    """A place for pictures and videos. `name`: of the picture or video, or the frame that one is seen at."""

    role: MediaRole
    name: str


class Item(Pair):
    """A take or a clip of the library."""

    MARK = "/"
    kind: Literal["take", "clip"]
    id: str


class Source(Pair):
    """A model, and the folder or file on this computer that it comes from, if it does."""

    MARK = "/"
    model: str
    path: str = ""


# ---- the registry ----


@dataclass(frozen=True)
class Action:
    """`once`: a double click is one click."""

    do: Callable[..., Values | None]
    payload: TypeAdapter[Any] | None  # None: it is done to nothing
    once: bool = False

    def __call__(self, click: Click, text: str) -> Values:
        return self.do(click, *self.parsed(text)) or {}

    def parsed(self, text: str) -> tuple[Any, ...]:
        """What the function gets beside the click. Raises BadPayload."""
        try:
            if self.payload:
                return (self.payload.validate_python(text),)
        except ValidationError as error:
            raise BadPayload(Message.of(DOOR.bad_payload), Message.of(DOOR.load_again), str(error)) from error
        if text:
            raise BadPayload(Message.of(DOOR.bad_payload), Message.of(DOOR.load_again), text)
        return ()


class Registry(dict[str, Action]):
    def __call__(self, name: str, /, once: bool = False, **fixed: Any) -> Callable[[Function], Function]:
        """Register a function as an action. `fixed`: arguments by which several actions share one function. `once`:
        for what makes, begins or deletes something."""

        def put(function: Function) -> Function:
            assert name not in self, name
            kinds = [kind for key, kind in get_type_hints(function).items() if key not in ("return", *fixed)][1:]
            self[name] = Action(partial(function, **fixed), TypeAdapter(kinds[0]) if kinds else None, once)
            return function

        return put

    def run(self, click: Click, name: str, text: str) -> Values:
        """Raises UnknownAction, BadPayload, and whatever the action raises."""
        if name not in self:
            raise UnknownAction(Message.of(DOOR.unknown_action), Message.of(DOOR.load_again), name)
        return self[name](click, text)


action = Registry()  # what a click does at once
task = Registry()  # what takes a while: the page first says that it has begun


def later(name: str, text: str = "") -> str:
    """A task, as the page keeps it until it asks for it."""
    assert name in task, name
    return f"{name}/{text}"


def begin(click: Click, name: str, text: str = "") -> Values:
    """Leave a task to the page, which asks for it as soon as it has shown this answer."""
    return {click.page.task: later(name, text)}
