"""Every model as this computer sees it: is it here, does it fit, what would a shot take."""

from __future__ import annotations

from dataclasses import dataclass

from engine import BadInput, Engine, ModelCard, PictureRole, Plan, Request
from ui.texts import STARTERS, STARTERS_OF_TOY

SOME_PICTURE = "0" * 32  # a plan does not look at the picture, only at whether there is one
TOY = "starter"


@dataclass(frozen=True)
class Entry:
    """`plan`: a shot of the model's own length here; None when this version cannot run it, and `why_not` says why."""

    card: ModelCard
    installed: bool
    plan: Plan | None
    why_not: str = ""

    @property
    def fits(self) -> bool:
        return self.plan is not None and self.plan.forecast.verdict in ("comfortable", "tight", "offloads")


def roster(engine: Engine) -> list[Entry]:
    """What is here first, then what fits; never without the rest."""
    machine = engine.hardware()

    def entry(card: ModelCard) -> Entry:
        asked = Request(prompt=starters(card)[0][1], model=card.id, pictures=dict.fromkeys(needs(card), SOME_PICTURE))
        try:
            return Entry(card, engine.installed(card), engine.plan(asked, machine))
        except BadInput as error:
            return Entry(card, engine.installed(card), None, card.not_yet or error.cause)

    entries = [entry(card) for card in engine.cards()]
    return sorted(entries, key=lambda entry: (not entry.installed, not entry.fits, entry.plan is None))


def usable(engine: Engine) -> list[Entry]:
    """The models that this version can run."""
    return [entry for entry in roster(engine) if entry.plan]


def starters(card: ModelCard) -> tuple[tuple[str, str], ...]:
    """Prompts to begin with: a name and the words."""
    return STARTERS_OF_TOY if card.prompt.words else STARTERS


def takes_pictures(card: ModelCard) -> list[PictureRole]:
    roles: tuple[PictureRole, ...] = ("image", "last_image")
    return [role for role in roles if role in card.inputs]


def needs(card: ModelCard) -> list[PictureRole]:
    """The pictures it cannot do without."""
    return [role for role in takes_pictures(card) if role in card.needs]
