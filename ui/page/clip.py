"""A finished clip with what can be done with it, and the recipe of a take or a clip as a person reads it."""

from __future__ import annotations

from engine import Clip, Engine, Failed, Finished, Recipe, RushesError, Take
from ui.page import rights
from ui.page.media import address
from ui.page.panel import button
from ui.page.sheet import retry, slow
from ui.page.trouble import details
from ui.page.view import Seen, View
from ui.page.wording import duration, moment, shown
from ui.texts import CLIP, SHEET


def result(engine: Engine, view: View) -> str:
    """The newest render of the current shot, large; or why it failed; or nothing."""
    match view.newest:
        case Seen(job=job, event=Failed(cause=cause, remedy=remedy, detail=detail)):
            return (
                f'<div class="problem" role="alert"><p><strong>{shown(SHEET.render_failed)} {shown(cause)}</strong>'
                f" {shown(remedy)}</p>{details(detail)}{retry(job, SHEET.retry_render)}</div>"
            )
        case Seen(event=Finished(result_id=name)) as seen:
            try:
                made = clip(engine, engine.library.clip(name))
                return f'<section class="result"><h2>{shown(CLIP.heading)}</h2>{made}{slow(seen)}</section>'
            except RushesError:
                return ""
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
        f'{rights.of_clip(engine, recipe)}<div class="row">{download("clip", found.id)}'
        f"{button('vary', CLIP.vary, f'clip/{found.id}', label=CLIP.vary_hint)}"
        f"{button('start', CLIP.start, f'clip/{found.id}', label=CLIP.start_hint)}</div>"
        f"{deeds('clip', found.id)}{how(recipe)}</figcaption></figure>"
    )


def download(kind: str, name: str) -> str:
    source = shown(address(kind, name))
    return f'<a class="button" href="{source}" download="{shown(name)}.mp4">{shown(CLIP.download)}</a>'


def deeds(kind: str, name: str) -> str:
    """What else can be done with a take or a clip, folded away."""
    item = f"{kind}/{name}"
    recipe = shown(address(kind, name, "recipe"))
    copy = f'<button type="button" data-copy="{recipe}" data-copied="{shown(CLIP.copied)}">{shown(CLIP.copy)}</button>'
    buttons = [
        button("settings", CLIP.settings, item),
        button("vary", CLIP.vary, item, label=CLIP.vary_hint) if kind == "take" else "",
        button("keep-settings", CLIP.keep, item),
        copy,
        button("reveal", CLIP.reveal, item),
        button("delete", CLIP.delete, item, "delete"),
    ]
    row = f'<div class="row">{"".join(buttons)}</div>'
    return f'<details class="deeds"><summary>{shown(CLIP.more)}</summary>{row}</details>'


def how(recipe: Recipe) -> str:
    """The recipe, as a person reads it."""
    run = recipe.plan.stage(recipe.kind)
    rows = {
        CLIP.prompt: recipe.plan.request.prompt,
        CLIP.told: recipe.plan.told if recipe.plan.told != recipe.plan.request.prompt else "",
        CLIP.model: recipe.plan.model,
        CLIP.size: run.size.replace("x", " × "),
        CLIP.length: f"{run.seconds:.1f} s",
        CLIP.seed: recipe.plan.seed,
        CLIP.steps: run.num_inference_steps,
        CLIP.guidance: f"{run.guidance_scale:g}",
        CLIP.sigma: f"{recipe.plan.sigma:g}" if recipe.kind == "render" else "",
        CLIP.time: duration(recipe.seconds),
        CLIP.made: moment(recipe.created),
        CLIP.name: recipe.id,
        CLIP.versions: ", ".join(f"{name} {number[:16]}" for name, number in recipe.versions.items()),
    }
    items = "".join(f"<dt>{shown(name)}</dt><dd>{shown(value)}</dd>" for name, value in rows.items() if value != "")
    return f'<details class="recipe"><summary>{shown(CLIP.details)}</summary><dl>{items}</dl></details>'


def kind_of(item: Take | Clip) -> str:
    return "take" if isinstance(item, Take) else "clip"
