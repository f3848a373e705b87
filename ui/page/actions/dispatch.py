"""The way of a click to its action, and of a task to its function. The modules imported here hold them all."""

from __future__ import annotations

from collections.abc import Callable

from engine import Engine, RushesError, not_written
from ui.page.actions import (  # noqa: F401
    form_actions,
    job_actions,
    library_actions,
    model_actions,
    preset_actions,
    uploads,
)
from ui.page.actions.registry import UnknownAction, action, task
from ui.page.components.error import problem
from ui.page.layout import Click, Page
from ui.page.screens.form.expert import Values


def act(click: Click, what: str, text: str) -> Values:
    """What a click in our own HTML changes. Raises UnknownAction."""

    def done() -> Values:
        return answered(click, lambda _: action.run(click, what, text))

    if what not in action or not action[what].once:
        return done()
    with click.page.once.first((what, text)) as first:
        return done() if first else click.page.stage.refresh(click.engine)  # the first one says what it did


def answered(click: Click, do: Callable[[Click], Values]) -> Values:
    """What was done, with all that changes by itself. A refusal becomes a notice with one button."""
    notice = click.page.stage.notice
    try:
        changed = do(click)
    except UnknownAction:  # no refusal but a mistake, which nobody may miss
        raise
    except RushesError as error:
        changed = {notice: problem(error)}
    except OSError as error:
        changed = {notice: problem(not_written(error))}
    return {notice: "", **click.page.stage.refresh(click.engine), **changed}


def work_off(engine: Engine, page: Page, begun: str) -> Values:
    """Do the task that a click left behind. Raises UnknownAction."""
    name, _, text = begun.partition("/")
    if not begun:
        return {page.task: ""}
    return {**task.run(Click(engine, page, {}), name, text), page.task: ""}
