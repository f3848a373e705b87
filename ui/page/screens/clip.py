"""A finished clip with what can be done with it, beside its take; and its recipe as a person reads it."""

from __future__ import annotations

from typing import Any

from engine import Clip, Engine, Failed, Finished, Recipe, RushesError, Take
from ui.amounts import figure, moment
from ui.page.components import licence
from ui.page.components.formatting import promised
from ui.page.components.html import render
from ui.page.model.snapshot import Seen, View
from ui.texts import CLIP


def result(engine: Engine, view: View) -> str:
    """The newest render of the current shot, large; or why it failed; else the last clip of another shot, folded:
    varied or left behind, it stays in reach."""
    match view.newest:
        case Seen(event=Failed()) as failed:
            return render("screens/result.html", failed=failed)
        case Seen(event=Finished(result_id=name)) as seen:
            return _result(engine, name, seen=seen)
    match view.earlier:
        case Seen(event=Finished(result_id=name)):
            return _result(engine, name, earlier=True)
    return ""


def _result(engine: Engine, name: str, seen: Seen | None = None, earlier: bool = False) -> str:
    try:
        made = clip(engine, engine.library.clip(name))
    except RushesError:
        return ""
    return render("screens/result.html", failed=None, made=made, seen=seen, earlier=earlier)


def clip(engine: Engine, found: Clip) -> str:
    """A clip that loops, with its recipe and what one may do with it."""
    return render("screens/clip.html", found=found, take=_take(engine, found), **about(engine, found))


def _take(engine: Engine, clip: Clip) -> Take | None:
    """What to show beside it: none where it is gone, or the clip is longer because it goes on from another."""
    name = clip.recipe.take_id
    if not name or clip.recipe.plan.request.extends:
        return None
    try:
        return engine.library.take(name)
    except RushesError:
        return None


def about(engine: Engine, item: Take | Clip) -> dict[str, Any]:
    """What a take or a clip is shown with wherever it is shown."""
    recipe = item.recipe
    able = any(card.id == recipe.plan.model and "image" in card.inputs for card in engine.models.cards())
    return {"rights": licence.of_clip(engine, recipe), "recipe": how(recipe), "takes_pictures": able}


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
    return render("screens/recipe.html", rows=rows)


def kind_of(item: Take | Clip) -> str:
    return "take" if isinstance(item, Take) else "clip"
