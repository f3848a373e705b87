"""What the form means as it stands: its forecast, what would fit instead, and the takes, or why there are none."""

from __future__ import annotations

from engine import BadSetting, Engine, RushesError
from ui.page.actions.dispatch import not_here
from ui.page.actions.form_actions import instead as suggestions
from ui.page.components.error import Fix, problem
from ui.page.layout import Page, card_of
from ui.page.model import attachments
from ui.page.screens.form.expert import Values
from ui.page.screens.form.forecast_line import outlook
from ui.texts import FIX, PICTURE


def forecast(engine: Engine, page: Page, values: Values) -> str:
    form = page.form
    try:
        card = card_of(engine, values[form.model])
        return outlook(engine, form.request(values, values[page.stage.dial], card), int(values[form.count]))
    except RushesError as error:
        return problem(error)


def instead(engine: Engine, page: Page, values: Values) -> str:
    try:
        card = card_of(engine, values[page.form.model])
        return suggestions(engine, page.form.request(values, values[page.stage.dial], card))
    except RushesError:  # the forecast says what is wrong
        return ""


def refusal(engine: Engine, page: Page, values: Values) -> str:
    """Queue the takes; or say why not, before anything is queued: a take without its weights can only fail."""
    form = page.form
    card = card_of(engine, values[form.model])
    try:
        request = form.request(values, values[page.stage.dial], card)
    except RushesError as error:
        return problem(error)
    start = attachments.read(values[form.given]).extends
    if missing := attachments.missing(request, card, goes_on=start is not None):
        cause = f"{card.name}: {getattr(PICTURE, missing[0])}, {PICTURE.needed}."
        return problem(BadSetting(cause, PICTURE.choose + "."), Fix("pick", FIX.picture, missing[0]))
    try:
        engine.plan(attachments.filled_in(request, card))
        if absent := not_here(engine, card.id):
            return absent
        if start:
            engine.extend(start.id, request, int(values[form.count]))
        else:
            engine.make_takes(request, int(values[form.count]))
    except RushesError as error:
        return problem(error, Fix("bare", FIX.bare) if attachments.is_to_blame(engine, request, card) else None)
    return ""
