"""The contact sheet (the takes of the current shot) and the finished clip, as HTML.

Cards keep their place while takes arrive, so a clip that plays is not touched: Gradio changes only what differs.
"""

from __future__ import annotations

from engine import Cancelled, Clip, Engine, Failed, Finished, Job, Recipe, RushesError
from ui.page import rights
from ui.page.media import address
from ui.page.view import Seen, View
from ui.page.wording import duration, moment, shown
from ui.texts import CLIP, SHEET


def sheet(view: View) -> str:
    """All takes of the current shot; before the first one, what this place is for."""
    if not view.sheet:
        steps = "".join(f"<li>{shown(step)}</li>" for step in SHEET.empty_steps)
        return f'<section class="empty"><h2>{shown(SHEET.empty_title)}</h2><ol>{steps}</ol></section>'
    prompt = view.sheet[-1].job.plan.request.prompt
    cards = "".join(_card(number, seen, view) for number, seen in enumerate(view.sheet, 1))
    return (
        f'<section class="sheet" aria-label="{shown(SHEET.heading)}"><header><h2>{shown(SHEET.heading)}</h2>'
        f'<p class="about">{shown(prompt)}</p></header><div class="cards">{cards}</div></section>'
    )


def _card(number: int, seen: Seen, view: View) -> str:
    size = seen.job.plan.take
    shape = f"aspect-ratio: {size.width} / {size.height}"
    match seen.event:
        case Finished():
            inside = _picture(number, seen.job, shape) + _facts(seen) + _render_button(seen.job, view)
        case Failed(cause=cause, remedy=remedy, detail=detail):
            inside = _blank(shape, f"<strong>{shown(cause)}</strong> {shown(remedy)}{details(detail)}", "bad")
            inside += _facts(seen) + _retry(seen.job, SHEET.retry)
        case Cancelled():
            inside = _blank(shape, shown(SHEET.stopped)) + _facts(seen) + _retry(seen.job, SHEET.retry)
        case _:
            words = SHEET.making if seen.job.state == "running" else SHEET.waiting
            inside = _blank(shape, shown(words), seen.job.state) + _facts(seen)
    return (
        f'<article class="take" data-state="{shown(seen.job.state)}" data-id="{shown(seen.job.id)}">{inside}</article>'
    )


def _picture(number: int, job: Job, shape: str) -> str:
    label = SHEET.video.format(number=number, prompt=job.plan.request.prompt)
    return (
        f'<video src="{shown(address("take", job.id))}" poster="{shown(address("take", job.id, poster=True))}"'
        f' style="{shape}" class="loop" autoplay loop muted playsinline aria-label="{shown(label)}"></video>'
    )


def _blank(shape: str, inside: str, kind: str = "") -> str:
    return f'<div class="blank {shown(kind)}" style="{shape}"><p>{inside}</p></div>'


def _facts(seen: Seen) -> str:
    took = seen.event.seconds if isinstance(seen.event, Finished) else 0  # 0: found after a crash, not timed
    time = f"<span>{shown(SHEET.took.format(time=duration(took)))}</span>" if took else ""
    return f'<p class="facts"><span>{shown(SHEET.seed.format(seed=seen.job.plan.seed))}</span>{time}</p>'


def _render_button(take: Job, view: View) -> str:
    render = view.renders.get(take.id)
    words, state = SHEET.render, ""
    if render and render.job.state in ("queued", "running"):
        words, state = SHEET.rendering if render.job.state == "running" else SHEET.queued, " disabled"
    elif render and render.job.state == "finished":
        words = SHEET.again
    return f'<button class="main" data-act="render" data-id="{shown(take.id)}"{state}>{shown(words)}</button>'


def _retry(job: Job, words: str) -> str:
    return f'<button data-act="retry" data-id="{shown(job.id)}">{shown(words)}</button>'


def details(text: str) -> str:
    """The expert's part of an error, folded away."""
    if not text:
        return ""
    return f"<details><summary>{shown(SHEET.expert)}</summary><code>{shown(text)}</code></details>"


# ---- the finished clip ----


def result(engine: Engine, view: View) -> str:
    """The newest render of the current shot, large; or why it failed; or nothing."""
    match view.newest:
        case Seen(job=job, event=Failed(cause=cause, remedy=remedy, detail=detail)):
            return (
                f'<div class="problem" role="alert"><strong>{shown(SHEET.render_failed)} {shown(cause)}</strong>'
                f" {shown(remedy)}{details(detail)}{_retry(job, SHEET.retry_render)}</div>"
            )
        case Seen(event=Finished(result_id=name)):
            try:
                made = clip(engine, engine.library.clip(name))
                return f'<section class="result"><h2>{shown(CLIP.heading)}</h2>{made}</section>'
            except RushesError:
                return ""
    return ""


def clip(engine: Engine, found: Clip) -> str:
    """A clip that loops, with its download, its recipe and what one may do with it."""
    recipe = found.recipe
    label = CLIP.video.format(prompt=recipe.plan.request.prompt)
    source = shown(address("clip", found.id))
    size = recipe.plan.render
    return (
        f'<figure class="clip"><video src="{source}" poster="{shown(address("clip", found.id, poster=True))}"'
        f' class="loop" style="aspect-ratio: {size.width} / {size.height}" autoplay loop muted playsinline controls'
        f' aria-label="{shown(label)}"></video><figcaption><p class="about">{shown(recipe.plan.request.prompt)}</p>'
        f"{rights.of_clip(engine, recipe)}"
        f'<a class="button" href="{source}" download="{shown(found.id)}.mp4">{shown(CLIP.download)}</a>'
        f"{how(recipe)}</figcaption></figure>"
    )


def how(recipe: Recipe) -> str:
    """The recipe, as a person reads it."""
    run = recipe.plan.stage(recipe.kind)
    rows = {
        CLIP.prompt: recipe.plan.request.prompt,
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
