"""The models Rushes knows: cards in TOML, ours in presets/models/, a person's own in the data folder."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from engine.card import ModelCard
from engine.errors import BadFile, UnknownName

MAX_CARD_BYTES = 256_000


class Catalog:
    """The cards below some folders, read once. The starter comes first; a later folder's card replaces an earlier one.

    A card that is wrong is left out and named in `problems`: one bad file must not keep the studio from opening.
    """

    def __init__(self, *folders: Path) -> None:
        self.problems: list[BadFile] = []
        found: dict[str, ModelCard] = {}
        for path in (path for folder in folders for path in sorted(folder.glob("*.toml"))):
            try:
                found[path.stem] = read_card(path)
            except BadFile as problem:
                self.problems.append(problem)
        self.cards = dict(sorted(found.items(), key=lambda item: (item[0] != "starter", item[0])))

    def card(self, model: str) -> ModelCard:
        """The card of one model. Raises UnknownName with the names there are."""
        if model not in self.cards:
            raise UnknownName(f"There is no model called '{model[:60]}'.", f"Choose one of: {', '.join(self.cards)}.")
        return self.cards[model]


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
