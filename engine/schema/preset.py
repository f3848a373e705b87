"""Looks, cameras and saved requests: what a creator picks by name, keeps, and sends to a friend as one TOML file.

A look and a camera are words for a model. `words` are for every model; `families` and `models` hold other words for
those that were trained on other ones. They may come from a stranger, so every text is checked.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from engine.schema import FrozenModel, PresetId, Request
from engine.schema.card import ModelCard

RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d")  # no file may be called so on Windows
MEDIA = {"pictures", "references", "keyframes", "videos"}
LOCAL = MEDIA | {"device", "wording"}  # what of a request means something on one computer, or for one recipe, only


def plain(text: str) -> str:
    """Text of one line that shows what it is: no markup, nothing invisible, nothing that turns the writing around."""
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text):
        raise ValueError("invisible control characters are not allowed")
    if any(unicodedata.bidirectional(letter) in ("LRE", "RLE", "LRO", "RLO", "LRI", "RLI", "FSI") for letter in text):
        raise ValueError("characters that turn the writing direction are not allowed")
    if re.search(r"<[a-zA-Z/!?]", text):
        raise ValueError("HTML is not allowed")
    return text


def _is_file_name(name: str) -> str:
    if RESERVED.fullmatch(name):
        raise ValueError("no file can have this name")
    return name


Line = AfterValidator(plain)
Words = Annotated[str, Field(max_length=600), Line]
Id = Annotated[PresetId, AfterValidator(_is_file_name)]


class Named(FrozenModel):
    """`id` is also the name of its file. `format` grows when older versions could not read the file."""

    id: Id
    format: Literal[1] = 1
    name: Annotated[str, Field(min_length=1, max_length=60), Line]
    summary: Annotated[str, Field(max_length=300), Line] = ""


class Style(Named):
    """Words that are added to a prompt. `models` are preferred over `families`, those over `words`; "" adds nothing.

    `allows`: phrases that the default negative prompts of some models forbid and that this style asks for.
    """

    words: Words
    families: Annotated[dict[str, Words], Field(max_length=32)] = {}
    models: Annotated[dict[str, Words], Field(max_length=128)] = {}
    allows: Annotated[tuple[Words, ...], Field(max_length=64)] = ()

    def words_for(self, card: ModelCard) -> str:
        """What is added for this model; empty when it cannot do this style."""
        chosen = self.models.get(card.id, self.families.get(card.family, self.words))
        return "" if card.prompt.unknown(chosen) else chosen


class Look(Style):
    kind: Literal["look"] = "look"


class Camera(Style):
    kind: Literal["camera"] = "camera"


class Preset(Named):
    """A whole request by name, without what means something on one computer only."""

    kind: Literal["request"] = "request"
    request: Request

    @model_validator(mode="before")
    @classmethod
    def _shareable(cls, fields: Any) -> Any:
        asked = fields.get("request") if isinstance(fields, dict) else None
        if isinstance(asked, dict) and LOCAL & asked.keys():
            raise ValueError(f"'request.{min(LOCAL & asked.keys())}' cannot be part of a preset")
        return fields

    @model_validator(mode="after")
    def _plain(self) -> Preset:
        for name in ("prompt", "negative_prompt"):
            try:
                plain(" ".join(getattr(self.request, name).split()))
            except ValueError as error:
                raise ValueError(f"in 'request.{name}' {error}") from error
        return self


def fields(preset: Named) -> dict[str, Any]:
    """What its file holds."""
    return preset.model_dump(mode="json", exclude_none=True, exclude={"request": LOCAL})


def id_of(name: str) -> str:
    """A preset's id from its name, in any language."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    slug = "-".join(re.findall(r"[a-z0-9]+", ascii_name))[:64].strip("-")
    unusable = not slug or RESERVED.fullmatch(slug)
    return f"preset-{hashlib.sha256(name.encode()).hexdigest()[:8]}" if unusable else slug
