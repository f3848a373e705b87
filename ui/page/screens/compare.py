"""A clip beside the take it was rendered from, both moving in step (page.js leads the second by the first)."""

from __future__ import annotations

from engine import Clip, Engine, RushesError
from ui.page.components.formatting import shown
from ui.page.components.media_routes import address
from ui.texts import CLIP


def compare(engine: Engine, clip: Clip) -> str:
    """Folded away; nothing where the take is gone, or where the clip is longer because it goes on from another."""
    name = clip.recipe.take_id
    if not name or clip.recipe.plan.request.extends:
        return ""
    try:
        take = engine.library.take(name)
    except RushesError:
        return ""
    sides = ((CLIP.compare_take, address("take", take.id)), (CLIP.compare_render, address("clip", clip.id)))
    pair = "".join(
        f'<figure><video src="{shown(source)}" preload="none" loop muted playsinline aria-label="{shown(words)}"'
        f"{' controls' if first else ''}></video><figcaption>{shown(words)}</figcaption></figure>"
        for (words, source), first in zip(sides, (True, False), strict=True)
    )
    return f'<details class="compare"><summary>{shown(CLIP.compare)}</summary><div class="pair">{pair}</div></details>'
