"""The models Rushes knows: presets/models/*.toml, read into cards. The only reader of presets/."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from engine.card import ModelCard
from engine.errors import BadFile, UnknownName
from engine.paths import APP

MAX_CARD_BYTES = 256_000


def read_card(path: Path) -> ModelCard:
    """One card from a TOML file. Raises BadFile naming the file and the field that is wrong."""
    remedy = "Restore the file (an update does that), or remove it if you added it."
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise BadFile(f"The model card {path.name} is far too large to be one.", remedy)
        card = ModelCard.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadFile(f"The model card {path.name} is wrong at '{field}': {first['msg']}.", remedy) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadFile(f"The model card {path.name} cannot be read ({error}).", remedy) from error
    if card.id != path.stem:
        raise BadFile(f"The model card {path.name} calls itself '{card.id}'; both names must be the same.", remedy)
    return card


@cache
def cards(folder: Path = APP / "presets" / "models") -> dict[str, ModelCard]:
    """Every card by id, the starter first. A corrupt card stops the start with one sentence: ours are tested."""
    found = [read_card(path) for path in sorted(folder.glob("*.toml"))]
    found.sort(key=lambda card: (card.id != "starter", card.id))
    return {card.id: card for card in found}


def card(model: str) -> ModelCard:
    """The card of one model. Raises UnknownName with the names there are."""
    known = cards()
    if model not in known:
        raise UnknownName(f"There is no model called '{model[:60]}'.", f"Choose one of: {', '.join(known)}.")
    return known[model]
