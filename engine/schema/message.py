"""What the engine says: a sentence with its parameters apart, so that a face can say it in another language."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, SerializationInfo
from pydantic_core import core_schema

Parameter = "str | int | float | Message | list[Parameter]"
Number = Callable[[float, str], str]  # a number by its format specification, as a language writes it
AS_IT_IS = "{text}"
FORMAT = re.compile(r",?(\.\d)?[fgd%]?")


class Message(str):
    """A sentence in English, which knows the template (`id`, the key in `ui/locale`) and the parameters it came from.

    `Message("{model} takes no mask.", model=card.name)`. A parameter is never translated unless it is a Message.
    Stored as `{"id", "params"}`; with `context={"say": function}` a face adds `text` in its language.
    `several`: the template where the parameter `count` is not one; stored only where there is one.
    """

    id: str
    several: str
    params: Mapping[str, Any]

    def __new__(cls, id: str, /, **params: object) -> Self:
        kept = {name: _parameter(value) for name, value in params.items()}
        return cls._of(id.format(**kept), id, "", kept)  # a template of ours, in the time of a format

    @classmethod
    def plural(cls, one: str, several: str, /, **params: object) -> Self:
        """For what is counted by the parameter `count`."""
        return cls._made(one, several, params)

    @classmethod
    def of(cls, text: str) -> Message:
        """Text that has no template, such as another program's words or a record of an older version, as it is."""
        return text if isinstance(text, Message) else Message(AS_IT_IS, text=text)

    @classmethod
    def known(cls, text: str) -> Message:
        """A text of a model card or preset that comes with Rushes: the catalogues may know it."""
        return Message(text.replace("{", "{{").replace("}", "}}"))

    @classmethod
    def joined(cls, messages: Sequence[str]) -> Message:
        """Several sentences, one after the other."""
        said = [cls.of(one) for one in messages if one]
        return said[0] if len(said) == 1 else Message("{sentences}", sentences=said)

    def fields(self) -> dict[str, Any]:
        """What is stored of it."""
        several = {"several": self.several} if self.several else {}
        return {"id": self.id, **several, "params": {name: _plain(one) for name, one in self.params.items()}}

    @classmethod
    def _made(cls, id: str, several: str, params: Mapping[str, object]) -> Self:
        kept = {name: _parameter(value) for name, value in params.items()}
        template = several if several and kept["count"] != 1 else id
        return cls._of(filled(template, kept), id, several, kept)

    @classmethod
    def _of(cls, text: str, id: str, several: str, params: Mapping[str, Any]) -> Self:
        made = super().__new__(cls, text)
        made.id, made.several, made.params = id, several, params
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._made, (self.id, self.several, dict(self.params))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(_written, info_arg=True, when_used="json")
        read = core_schema.no_info_plain_validator_function(_read, json_schema_input_schema=core_schema.str_schema())
        known = core_schema.is_instance_schema(cls)  # first, without a call into Python: plans are made at every key
        return core_schema.union_schema([known, read], mode="left_to_right", serialization=written)


def filled(
    template: str, params: Mapping[str, Any], number: Number = format, say: Callable[[Message], str] = str
) -> str:
    """The template with its parameters. `number` and `say` make a language of it."""
    return _Filler(number, say).vformat(template, (), params)


class Listed(list[Any]):
    """Parameters that are said one after the other: sentences apart, names with a comma."""

    def __format__(self, specification: str) -> str:
        return self.joined([str(one) for one in self])

    def joined(self, said: list[str]) -> str:
        sentences = any(isinstance(one, Message) and one.endswith((".", "!", "?")) for one in self)
        return (" " if sentences else ", ").join(said)


class _Filler(string.Formatter):
    """Knows names alone, and short formats: a template may come from somebody else's recipe."""

    def __init__(self, number: Number, say: Callable[[Message], str]) -> None:
        self._number, self._say = number, say

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if not FORMAT.fullmatch(format_spec):
            raise ValueError("a format of another kind")
        if isinstance(value, Message):
            value = self._say(value)
        elif isinstance(value, Listed):
            return value.joined([self.format_field(one, format_spec) for one in value])
        elif isinstance(value, int | float):
            return self._number(value, format_spec)
        return str(format(value, format_spec))


def _parameter(value: object) -> object:
    """Half characters, as broken names of files have them, could be neither printed nor stored."""
    if isinstance(value, Message | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return Listed(_parameter(one) for one in value)
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")


def _written(message: Message, info: SerializationInfo) -> dict[str, Any]:
    say = (info.context or {}).get("say")
    return message.fields() | {"text": say(message)} if say else message.fields()


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return value.fields()
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _read(value: object) -> Message:
    """Raises ValueError for what is neither a message nor text."""
    if isinstance(value, str):
        return Message.of(value)
    if isinstance(message := _restored(value), Message):
        return message
    raise ValueError("no message and no text")


def _restored(value: Any) -> Any:
    match value:
        case {"id": str(id), "params": dict(params), **more}:
            several = more.get("several", "")
            try:
                return Message._made(id, str(several), {str(name): _restored(one) for name, one in params.items()})
            except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
                raise ValueError("a message whose parameters do not fit its text") from error
        case list():
            return [_restored(one) for one in value]
        case str() | int() | float():
            return value
    raise ValueError("no message and no text")


NOTHING = Message._made("", "", {})
