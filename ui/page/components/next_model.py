"""The way out of the toy: after its first clip, the real model for this computer, with one button."""

from __future__ import annotations

from engine import Engine
from ui.page.components import licence
from ui.page.components.html import render
from ui.page.model.model_entries import TOY
from ui.page.model.snapshot import View


def onward(engine: Engine, view: View) -> str:
    """Nothing before the first clip, and nothing once another model is here or on its way.

    The engine plans every model for it: asked when something has changed, not at each look.
    """
    clip = view.newest or view.earlier
    if clip is None or clip.job.state != "finished" or clip.job.plan.model != TOY:
        return ""
    cards = {card.id: card for card in engine.models.cards()}
    if any(engine.models.installed(card) for card in cards.values() if card.id != TOY):
        return ""
    coming = [one.model for one in view.downloads if one.state in ("queued", "running") and one.model in cards]
    picks = () if coming else engine.planning.recommended()
    pick = picks[0] if picks else None
    card = cards[pick.model] if pick else None
    rights = card and licence.of_model(card)
    arriving = cards[coming[0]].name if coming else ""
    return render("components/next_model.html", arriving=arriving, pick=pick, card=card, rights=rights)
