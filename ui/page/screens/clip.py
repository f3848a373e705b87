"""A finished clip with what can be done with it, beside its take; and its recipe as a person reads it."""

from __future__ import annotations

from engine import Clip, Engine, Failed, Finished, Recipe, RushesError, Take
from ui.page.components import licence
from ui.page.components.error import details
from ui.page.components.formatting import aloud, figure, moment, promised, shown
from ui.page.components.html import button
from ui.page.components.media_routes import address
from ui.page.model.snapshot import Seen, View
from ui.page.screens.takes import retry, slow
from ui.texts import CLIP, SHEET


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


# ---- one clip ----


def result(engine: Engine, view: View) -> str:
    """The newest render of the current shot, large; or why it failed; else the last clip of another shot, folded."""
    match view.newest:
        case Seen(job=job, event=Failed(cause=cause, remedy=remedy, detail=detail)):
            return (
                f'<div class="problem" role="alert"><p><strong>{shown(SHEET.render_failed)} {aloud(cause)}</strong>'
                f" {aloud(remedy)}</p>{details(detail)}{retry(job, SHEET.retry_render)}</div>"
            )
        case Seen(event=Finished(result_id=name)) as seen:
            try:
                made = clip(engine, engine.library.clip(name))
                return f'<section class="result"><h2>{shown(CLIP.heading)}</h2>{made}{slow(seen)}</section>'
            except RushesError:
                return ""
    return _earlier(engine, view)


def _earlier(engine: Engine, view: View) -> str:
    """The clip before the shot that is being made: varied or left behind, it stays in reach."""
    match view.earlier:
        case Seen(event=Finished(result_id=name)):
            try:
                made = clip(engine, engine.library.clip(name))
            except RushesError:
                return ""
            return f'<details class="result earlier"><summary>{shown(CLIP.earlier)}</summary>{made}</details>'
    return ""


def clip(engine: Engine, found: Clip) -> str:
    """A clip that loops, with its recipe and what one may do with it."""
    recipe = found.recipe
    label = CLIP.video.format(prompt=recipe.plan.request.prompt)
    size = recipe.plan.render
    return (
        f'<figure class="clip"><video src="{shown(address("clip", found.id))}"'
        f' poster="{shown(address("clip", found.id, "poster"))}"'
        f' class="loop" style="aspect-ratio: {size.width} / {size.height}" autoplay loop muted playsinline controls'
        f' aria-label="{shown(label)}"></video><figcaption><p class="about">{shown(recipe.plan.request.prompt)}</p>'
        f'{licence.of_clip(engine, recipe)}<div class="row">{download("clip", found.id)}'
        f"{ways_on(engine, found)}</div>"
        f"{deeds('clip', found.id)}{how(recipe)}</figcaption>{compare(engine, found)}</figure>"
    )


def ways_on(engine: Engine, item: Take | Clip) -> str:
    """What can be made from it: more of the same, what happens next, another shot that begins where it ends."""
    name = f"{kind_of(item)}/{item.id}"
    able = any(card.id == item.recipe.plan.model and "image" in card.inputs for card in engine.cards())
    return (
        button("vary", CLIP.vary, name, label=CLIP.vary_hint)
        + (button("extend", CLIP.extend, name, label=CLIP.extend_hint) if able else "")
        + (button("start", CLIP.start, name, label=CLIP.start_hint) if isinstance(item, Clip) else "")
    )


def download(kind: str, name: str) -> str:
    source = shown(address(kind, name))
    return f'<a class="button" href="{source}" download="{shown(name)}.mp4">{shown(CLIP.download)}</a>'


def deeds(kind: str, name: str, first: str = "") -> str:
    """What else can be done with a take or a clip, folded away. `first`: buttons that come before the others."""
    item = f"{kind}/{name}"
    recipe = shown(address(kind, name, "recipe"))
    copy = f'<button type="button" data-copy="{recipe}" data-copied="{shown(CLIP.copied)}">{shown(CLIP.copy)}</button>'
    buttons = [
        first,
        button("again", CLIP.again, item, label=CLIP.again_hint),
        button("settings", CLIP.settings, item),
        button("keep-settings", CLIP.keep, item),
        copy,
        button("reveal", CLIP.reveal, item),
        button("delete", CLIP.delete, item, "delete"),
    ]
    row = f'<div class="row">{"".join(buttons)}</div>'
    return f'<details class="deeds"><summary>{shown(CLIP.more)}</summary>{row}</details>'


def how(recipe: Recipe) -> str:
    """The recipe, as a person reads it."""
    run = recipe.plan.run(recipe.kind)
    rows = {
        CLIP.prompt: recipe.plan.request.prompt,
        CLIP.told: recipe.plan.told if recipe.plan.told != recipe.plan.request.prompt else "",
        CLIP.model: recipe.plan.model,
        CLIP.size: run.size.replace("x", " × "),
        CLIP.length: f"{figure(run.seconds, 1)} s",
        CLIP.seed: recipe.plan.seed,
        CLIP.steps: run.steps,
        CLIP.guidance: f"{run.guidance_scale:g}",
        CLIP.sigma: f"{recipe.plan.sigma:g}" if recipe.kind == "render" else "",
        CLIP.time: promised(recipe.plan, recipe.kind, recipe.seconds),
        CLIP.adjusted: " ".join(recipe.plan.adjusted),
        CLIP.made: moment(recipe.created),
        CLIP.name: recipe.id,
        CLIP.versions: ", ".join(f"{name} {number[:16]}" for name, number in recipe.versions.items()),
    }
    items = "".join(f"<dt>{shown(name)}</dt><dd>{shown(value)}</dd>" for name, value in rows.items() if value != "")
    return f'<details class="recipe"><summary>{shown(CLIP.details)}</summary><dl>{items}</dl></details>'


def kind_of(item: Take | Clip) -> str:
    return "take" if isinstance(item, Take) else "clip"
