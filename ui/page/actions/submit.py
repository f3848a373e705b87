"""What the form means as it stands: its forecast, what would fit instead, and the takes, or why there are none."""

from __future__ import annotations

from engine import BadSetting, Message, RushesError
from ui.page.actions import form_actions
from ui.page.actions.job_actions import not_here
from ui.page.components.error import problem
from ui.page.components.html import Button
from ui.page.layout import Click
from ui.page.model import attachments
from ui.page.screens.form.forecast_line import outlook
from ui.texts import FIX, PICTURE


def forecast(click: Click) -> str:
    """What it would take, or why it cannot be."""
    try:
        return outlook(click.engine, click.asked, int(click.values[click.page.form.count]))
    except RushesError as error:
        return problem(error)


def instead(click: Click) -> str:
    """What would fit, where it does not."""
    try:
        return form_actions.instead(click.engine, click.asked)
    except RushesError:  # the forecast says what is wrong
        return ""


def refusal(click: Click) -> str:
    """Queue the takes; or say why not, before anything is queued: a take without its weights can only fail."""
    engine, card, count = click.engine, click.card, int(click.values[click.page.form.count])
    try:
        request = click.asked
    except RushesError as error:
        return problem(error)
    start = click.given.extends
    if missing := attachments.missing(request, card, goes_on=start is not None):
        cause = f"{card.name}: {getattr(PICTURE, missing[0])}, {PICTURE.needed}."
        return problem(
            BadSetting(Message.of(cause), Message.of(PICTURE.choose + ".")), Button("pick", FIX.picture, missing[0])
        )
    try:
        engine.plan(attachments.filled_in(request, card))
        if absent := not_here(engine, card.id):
            return absent
        if start:
            engine.extend(start.id, request, count)
        else:
            engine.make_takes(request, count)
    except RushesError as error:
        return problem(error, Button("bare", FIX.bare) if attachments.is_to_blame(engine, request, card) else None)
    return ""
