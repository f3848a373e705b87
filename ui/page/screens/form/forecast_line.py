"""Draft, Standard, Best, and what the request would take, said before it starts; or why it cannot be done."""

from __future__ import annotations

import gradio as gr

from engine import Engine, ModelCard, Request, RushesError, ShotPlan
from ui.amounts import duration, figure, gigabytes, span
from ui.locale import known, say
from ui.page.components.error import problem
from ui.page.components.formatting import listed
from ui.page.components.html import Button, render
from ui.page.model.attachments import filled_in, is_to_blame
from ui.page.model.model_entries import starters
from ui.texts import FIX, MODELS, OUTCOME, OUTLOOK

NAMES = ("draft", "standard", "best")


def build() -> gr.Radio:
    choices = [(OUTCOME.by_hand, ""), *((str(getattr(OUTCOME, name)), name) for name in NAMES)]
    return gr.Radio(choices, value="", label=OUTCOME.label, elem_id="outcome", elem_classes="shapes")


def _meaning(engine: Engine, plan: ShotPlan, outcome: str) -> str:
    """What the chosen outcome is here; empty where none is."""
    run = plan.render
    return outcome and OUTCOME.means.format(
        outcome=outcome, tier=known(engine.machine.tier().name), size=run.size.replace("x", " × "),
        seconds=duration(run.seconds), steps=run.num_inference_steps,
    )  # fmt: skip


# ---- the forecast ----

MANY_WORDS = 8


def outlook(engine: Engine, request: Request, count: int) -> str:
    """The forecast as HTML. An empty prompt or a missing picture gets the forecast too: it hardly depends on them."""
    card = next(card for card in engine.models.cards() if card.id == request.model)
    asked = plannable(request, card)
    try:
        plan = engine.plan(asked, takes=count)
    except RushesError as error:
        return problem(error, Button("bare", FIX.bare) if is_to_blame(engine, asked, card) else None)
    outcome = str(getattr(OUTCOME, plan.request.outcome)) if plan.request.outcome else ""
    return render(
        "screens/form/forecast.html", forecast=plan.forecast, times=_times(plan, count), outcome=outcome,
        means=_meaning(engine, plan, outcome), notes=_notes(engine, plan), lines=_details(plan),
    )  # fmt: skip


def plannable(request: Request, card: ModelCard) -> Request:
    """The same with stand-ins for a prompt and pictures that are still missing: a forecast hardly depends on them."""
    prompt = request.prompt if request.prompt.strip() else starters(card)[0][1]
    return filled_in(request.but(prompt=prompt), card)


def before_render(plan: ShotPlan) -> str:
    """What rendering one of the takes would need, as the dial stands."""
    return render("screens/form/render_forecast.html", plan=plan)


def _times(plan: ShotPlan, count: int) -> str:
    forecast = plan.forecast
    seconds = span(*forecast.render_seconds)
    if count == 1:
        return OUTLOOK.one_take.format(take=span(*plan.seconds("take")), render=seconds)
    together = zip(plan.seconds("take"), forecast.take_seconds, strict=True)  # loading is for the first one
    low, high = (first + (count - 1) * later for first, later in together)
    return OUTLOOK.takes.format(count=count, takes=span(low, high), render=seconds)


def _notes(engine: Engine, plan: ShotPlan) -> list[str]:
    notes = []
    unknown = engine.models.unknown_words(plan.request)
    if unknown:
        name = next(card.name for card in engine.models.cards() if card.id == plan.model)
        notes.append(OUTLOOK.unknown_words.format(model=name, words=listed(unknown[:MANY_WORDS])))
    if plan.forecast.download_gb:
        words = OUTLOOK.download.format(gigabytes=gigabytes(plan.forecast.download_gb))
        fits = plan.forecast.download_gb <= engine.machine.hardware().room_for_models_gb
        notes.append(words if fits else f"{words} {MODELS.no_room}")
    return notes


def _details(plan: ShotPlan) -> list[str]:
    forecast = plan.forecast
    sizes = OUTLOOK.sizes.format(
        take=plan.take.size.replace("x", " × "),
        render=plan.render.size.replace("x", " × "),
        frames=plan.render.num_frames,
        fps=plan.render.fps,
        seconds=f"{figure(plan.render.seconds, 1)} s" if plan.render.seconds < 10 else duration(plan.render.seconds),
    )
    memory = OUTLOOK.memory_and_vram if forecast.vram_gb else OUTLOOK.memory
    return [
        sizes,
        memory.format(vram=gigabytes(forecast.vram_gb), ram=gigabytes(forecast.ram_gb)),
        OUTLOOK.basis.format(basis=say(forecast.basis)),
        *map(say, plan.reasons),
    ]
