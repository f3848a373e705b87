"""What a click does to jobs: stop them, order them, and make more of what there is."""

from __future__ import annotations

from engine import BadSetting, Engine, Message, UnknownName, as_request
from ui.page.actions.registry import Item, action
from ui.page.components.error import problem, said
from ui.page.components.html import Button
from ui.page.components.media_routes import find
from ui.page.layout import CREATE, Click, card_of
from ui.page.screens.form.expert import Values
from ui.texts import CLIP, FIX, MODEL


def not_here(engine: Engine, model: str) -> str:
    """Why nothing can be made with this model yet; empty when it is installed."""
    card = card_of(engine, model)
    if engine.models.installed(card):
        return ""
    error = BadSetting(Message.of(MODEL.refused.format(name=card.name)), Message.of(MODEL.refused_remedy))
    return problem(error, Button("install", FIX.install, card.id))


@action("dismiss")
@action("pick")  # the browser opens the field for files by itself
def dismiss(click: Click, name: str) -> None:
    """Only the notice goes, as it does with every click."""


@action("stop")
def stop(click: Click, job: str) -> None:
    """A job ends within a step, or leaves the queue."""
    click.engine.stop(job)


@action("agree", yes=True)
@action("refuse", yes=False)
def answer(click: Click, job: str, yes: bool) -> None:
    """What a job asked before it changes the picture."""
    click.engine.answer(job, yes=yes)


@action("clear")
def clear(click: Click) -> None:
    """Nothing waits any more; what runs goes on."""
    for job in click.engine.queue.jobs("queued"):
        click.engine.stop(job.id)


@action("earlier", earlier=True)
@action("later", earlier=False)
def move(click: Click, job: str, earlier: bool) -> None:
    """One place up or down in the queue."""
    click.engine.queue.move(job, earlier=earlier)


@action("pause", paused=True)
@action("go-on", paused=False)
def pause(click: Click, paused: bool) -> None:
    """What waits stays where it is, or goes on."""
    click.engine.queue.pause(paused)


@action("retry", once=True)
def retry(click: Click, job: str) -> None:
    """The same job once more."""
    click.engine.retry(job)


@action("render", once=True)
def render(click: Click, take: str) -> Values:
    """A take at full quality, as far from it as the dial says."""
    click.engine.render(take, click.values[click.page.stage.dial])
    return click.page.opened(CREATE)


@action("vary", once=True)
def vary(click: Click, item: Item) -> Values:
    """Takes of the same shot, each a little different."""
    made = find(click.engine, item.kind, item.id)
    if missing := not_here(click.engine, made.recipe.plan.model):
        return {click.page.stage.notice: missing}
    click.engine.vary(made.id, count=int(click.values[click.page.form.count]))
    return click.page.opened(CREATE)


@action("again", once=True)
def again(click: Click, item: Item) -> Values:
    """The same once more, frame for frame; of a clip whose take is gone, that take."""
    engine, notice, told = click.engine, click.page.stage.notice, ""
    recipe = find(engine, item.kind, item.id).recipe
    if missing := not_here(engine, recipe.plan.model):
        return {notice: missing}
    try:
        if recipe.kind == "take":
            engine.make_takes(as_request(recipe))
        else:
            engine.render(recipe.take_id or "", sigma=recipe.plan.sigma)
    except UnknownName:
        engine.make_takes(as_request(recipe))
        told = said(CLIP.take_first)
    return {notice: told, **click.page.opened(CREATE)}
