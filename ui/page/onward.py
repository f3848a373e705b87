"""The way out of the toy: after its first clip, the real model for this computer, with one button."""

from __future__ import annotations

from engine import Engine
from ui.page import rights
from ui.page.panel import button
from ui.page.roster import TOY, Entry, roster
from ui.page.view import View
from ui.page.wording import gigabytes, shown, span
from ui.texts import FORM, ONWARD

PATIENCE_SECONDS = 20 * 60  # of waiting for a render, beyond which a model is no pleasure


def onward(engine: Engine, view: View) -> str:
    """Nothing before the first clip, and nothing once another model is here or on its way."""
    clip = view.newest
    if clip is None or clip.job.state != "finished" or clip.job.plan.model != TOY:
        return ""
    entries = [entry for entry in roster(engine) if entry.plan]
    if any(entry.installed for entry in entries if entry.card.id != TOY):
        return ""
    arriving = [one.model for one in view.downloads if one.state in ("queued", "running")]
    wanted = next((entry for entry in entries if entry.card.id in arriving), None) or recommended(entries)
    if wanted is None:
        return ""
    if wanted.card.id in arriving:
        return _section(f"<p>{shown(ONWARD.on_the_way.format(name=wanted.card.name))}</p>")
    return _section(_offer(wanted))


def recommended(entries: list[Entry]) -> Entry | None:
    """Of the models that work from words alone: the largest that fits and renders in reasonable time; when none fits,
    the one that would be quickest."""
    real = [entry for entry in entries if entry.card.id != TOY and entry.plan and entry.card.needs == ("text",)]
    quick = [entry for entry in real if entry.fits and _seconds(entry) <= PATIENCE_SECONDS]
    if quick:
        return max(quick, key=lambda entry: sum(part.params_b for part in entry.card.components.values()))
    return min(real, key=_seconds, default=None)


def _seconds(entry: Entry) -> float:
    assert entry.plan
    return sum(entry.plan.forecast.render_seconds) / 2


def _offer(entry: Entry) -> str:
    assert entry.plan
    card, forecast = entry.card, entry.plan.forecast
    take, render = span(*forecast.take_seconds), span(*forecast.render_seconds)
    see_all = button("go", ONWARD.others, "models")
    if not entry.fits:
        return f"<p>{shown(ONWARD.slow.format(name=card.name, render=render))}</p><div class='row'>{see_all}</div>"
    install = button("fetch", ONWARD.install.format(name=card.name), card.id, "main")
    return (
        f"<p>{shown(ONWARD.why.format(name=card.name, what=card.good_at or card.summary))}</p>"
        f"<p>{shown(ONWARD.cost.format(size=gigabytes(card.size_gb), take=take, render=render))}</p>"
        f"{rights.of_model(card)}<div class='row'>{install}{see_all}</div>"
    )


def _section(inside: str) -> str:
    return (
        f'<section class="onward" aria-label="{shown(FORM.models)}"><h2>{shown(ONWARD.heading)}</h2>{inside}</section>'
    )
