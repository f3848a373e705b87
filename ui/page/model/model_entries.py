"""Every model as this computer sees it: is it here, does it fit, what would a shot take."""

from __future__ import annotations

from dataclasses import dataclass

from engine import BadInput, Engine, ModelCard, Request, ShotPlan
from ui.page.model.attachments import filled_in
from ui.texts import PROMPTS, PROMPTS_OF_TOY, STARTERS

TOY = "starter"


@dataclass(frozen=True)
class Entry:
    """`plan`: a shot of the model's own length here; None when this version cannot run it, and `why_not` says why."""

    card: ModelCard
    installed: bool
    plan: ShotPlan | None
    why_not: str = ""

    @property
    def fits(self) -> bool:
        return self.plan is not None and self.plan.forecast.verdict in ("comfortable", "tight", "offloads")


def roster(engine: Engine) -> list[Entry]:
    """What is here first, then what fits; never without the rest."""

    def entry(card: ModelCard) -> Entry:
        asked = filled_in(Request(prompt=starters(card)[0][1], model=card.id), card)
        try:
            return Entry(card, engine.models.installed(card), engine.plan(asked))
        except BadInput as error:
            return Entry(card, engine.models.installed(card), None, card.not_yet or error.cause)

    entries = [entry(card) for card in engine.models.cards()]
    return sorted(entries, key=lambda entry: (not entry.installed, not entry.fits, entry.plan is None))


def usable(engine: Engine) -> list[Entry]:
    """The models that this version can run."""
    return [entry for entry in roster(engine) if entry.plan]


def starters(card: ModelCard) -> tuple[tuple[str, str], ...]:
    """Prompts to begin with: a name and the words."""
    if card.prompt.words:
        return tuple(zip(STARTERS.toy, PROMPTS_OF_TOY, strict=True))
    return tuple(zip(STARTERS.world, PROMPTS, strict=True))
