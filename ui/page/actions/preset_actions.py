"""What a click does to what the person keeps under a name: settings, looks and camera moves."""

from __future__ import annotations

from textwrap import shorten

from engine import BadSetting, Camera, Look, Preset
from ui.page.actions.registry import Item, action
from ui.page.components.error import problem, said
from ui.page.components.html import Button
from ui.page.components.media_routes import find
from ui.page.layout import Click
from ui.page.screens.form import saved_settings as saved
from ui.page.screens.form import styles
from ui.page.screens.form.expert import Values
from ui.page.screens.machine import tiers
from ui.texts import FIX, SAVED, STYLES


def _shelved(click: Click, words: str) -> Values:
    """The saved settings as they are now, and what was done."""
    own = click.page.form.saved
    return {own.shelf: saved.shelf(click.engine), own.name: "", click.page.stage.notice: said(words)}


def save(click: Click) -> Values:
    """What the form asks for, under the name beside it."""
    name = click.values[click.page.form.saved.name] or ""
    return _shelved(click, SAVED.saved.format(name=click.engine.presets.keep(name.strip(), click.asked).name))


@action("keep-settings")
def keep_settings(click: Click, item: Item) -> Values:
    """What a take or clip was made with, under the first words of its prompt."""
    request = find(click.engine, item.kind, item.id).recipe.plan.request.but(variations=())  # of that take
    title = shorten(request.prompt, 48, placeholder="…")
    return _shelved(click, SAVED.saved.format(name=click.engine.presets.keep(title, request).name))


@action("preset-delete")
def delete_preset(click: Click, name: str) -> Values:
    """Saved settings go."""
    words = SAVED.deleted.format(name=click.engine.presets.get(Preset, name).name)
    click.engine.presets.delete(Preset, name)
    return _shelved(click, words)


@action("preset-came")
def preset_came(click: Click, name: str) -> Values:
    """A friend's file is here; it may be of any kind."""
    form, values = click.page.form, click.values
    return {
        **form.styles(click.engine, click.card, values[form.look], values[form.camera]),
        form.own.which: styles.chooser(click.engine),
        form.saved.shelf: saved.shelf(click.engine),
        click.page.machine.tiers: tiers(click.engine),
        click.page.stage.notice: said(SAVED.came.format(name=name)),
    }


# ---- looks and camera moves of one's own ----


def _chosen(click: Click) -> str:
    return click.values[click.page.form.own.which] or ""


def begin_style(click: Click) -> Values:
    """The words of the one to begin with."""
    return click.page.form.own_styles(click.engine, click.card, _chosen(click))


def keep_style(click: Click) -> Values:
    """It is kept under its own name, and chosen."""
    own, values = click.page.form.own, click.values
    try:
        style = styles.changed(click.engine, _chosen(click), values[own.words] or "")
        kept = click.engine.presets.keep((values[own.name] or "").strip(), style)
    except BadSetting as error:  # the form is not to blame, so nothing of it is taken back
        return {click.page.stage.notice: problem(error, Button("dismiss", FIX.again))}
    assert isinstance(kept, Look | Camera)
    return _with_style(click, f"{kept.kind}/{kept.id}", styles.kept(kept, click.card), {kept.kind: kept.id})


@action("style-delete")
def delete_style(click: Click, which: str) -> Values:
    """It goes."""
    gone = styles.find(click.engine, which)
    click.engine.presets.delete(type(gone), gone.id)
    return _with_style(click, "", STYLES.deleted.format(name=gone.name), {})


def _with_style(click: Click, which: str, words: str, chosen: dict[str, str]) -> Values:
    """The pickers and the drawer after a change. `which`: is in the drawer then; `chosen`: in a picker."""
    form, values = click.page.form, click.values
    now = {"look": values[form.look], "camera": values[form.camera], **chosen}
    drawn = {**form.styles(click.engine, click.card, **now), **form.own_styles(click.engine, click.card, which)}
    return {**drawn, form.own.name: "", click.page.stage.notice: said(words)}
