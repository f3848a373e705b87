"""The way out of the toy: after its first clip, the real model for this computer, with one button."""

from __future__ import annotations

from engine import Engine, ModelCard, Recommendation
from ui.page.components import licence
from ui.page.components.formatting import aloud, gigabytes, shown, span
from ui.page.components.html import button
from ui.page.model.model_entries import TOY
from ui.page.model.snapshot import View
from ui.texts import FORM, ONWARD
from ui.texts.sentences import told


def onward(engine: Engine, view: View) -> str:
    """Nothing before the first clip, and nothing once another model is here or on its way.

    The engine plans every model for it: asked when something has changed, not at each look.
    """
    clip = view.newest or view.earlier
    if clip is None or clip.job.state != "finished" or clip.job.plan.model != TOY:
        return ""
    cards = {card.id: card for card in engine.cards()}
    if any(engine.installed(card) for card in cards.values() if card.id != TOY):
        return ""
    arriving = [one.model for one in view.downloads if one.state in ("queued", "running") and one.model in cards]
    if arriving:
        return _section(f"<p>{shown(ONWARD.on_the_way.format(name=cards[arriving[0]].name))}</p>")
    picks = engine.recommended()
    return _section(_offer(cards[picks[0].model], picks[0]) if picks else _none())


def _offer(card: ModelCard, pick: Recommendation) -> str:
    why = ONWARD.why.format(name=card.name, what=told(card.good_at or card.summary).rstrip("."))
    install = button("fetch", ONWARD.install.format(name=card.name), card.id, "main")
    cost = ONWARD.cost.format(size=gigabytes(pick.download_gb), time=span(*pick.seconds))
    return (
        f"<p>{shown(why)} {aloud(pick.why)}</p><p>{shown(cost)}</p>"
        f"{licence.of_model(card)}<div class='row'>{install}{button('go', ONWARD.others, 'models')}</div>"
    )


def _none() -> str:
    """Where no model runs well: what each would need."""
    buttons = button("go", ONWARD.needs, "machine") + button("go", ONWARD.others, "models")
    return f"<p>{shown(ONWARD.slow)}</p><div class='row'>{buttons}</div>"


def _section(inside: str) -> str:
    return (
        f'<section class="onward" aria-label="{shown(FORM.models)}"><h2>{shown(ONWARD.heading)}</h2>{inside}</section>'
    )
