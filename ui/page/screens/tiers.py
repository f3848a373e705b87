"""What kind of machine this counts as, in words, and what else it could count as; kept, sent and taken in as files."""

from __future__ import annotations

from engine import Engine
from ui.page.components.formatting import aloud, shown
from ui.page.components.html import button
from ui.texts import SAVED, TIER
from ui.texts.sentences import told


def tiers(engine: Engine) -> str:
    """The tier of this machine in words, and the others to choose from."""
    now = engine.tier()
    items = "".join(
        f"<li><span><strong>{aloud(tier.name)}</strong> {aloud(tier.summary)}</span>"
        f"{button('tier', TIER.use, tier.id)}</li>"
        for tier in engine.tiers() if tier.id != now.id
    )  # fmt: skip
    said_now = shown(TIER.chosen.format(tier=told(now.name), summary=told(now.summary)))
    export = f'<a class="button" href="/preset/tier/{shown(now.id)}.toml" download>{shown(SAVED.export)}</a>'
    delete = button("tier-delete", TIER.delete, now.id) if engine.is_own_preset(now) else ""
    bring = (
        f'<label class="button bring">{shown(SAVED.bring)}<input type="file" accept=".toml" data-role="preset"></label>'
    )
    return (
        f"<section><h2>{shown(TIER.heading)}</h2><p>{said_now}</p><details><summary>{shown(TIER.others)}</summary>"
        f"<ul>{items}</ul>{button('tier', TIER.automatic)}</details>"
        f'<div class="row">{export}{delete}{bring}</div></section>'
    )
