"""Draft, Standard, Best, and what the request would take, said before it starts; or why it cannot be done."""

from __future__ import annotations

import gradio as gr

from engine import Engine, ModelCard, Request, RushesError, ShotPlan
from ui.page.components.error import Fix, problem
from ui.page.components.formatting import duration, figure, gigabytes, listed, shown, span, verdict
from ui.page.components.html import button
from ui.page.model.attachments import filled_in, is_to_blame
from ui.page.model.model_entries import starters
from ui.texts import FIX, MODELS, OUTCOME, OUTLOOK
from ui.texts.sentences import told

NAMES = ("draft", "standard", "best")


def build() -> gr.Radio:
    choices = [(OUTCOME.by_hand, ""), *((str(getattr(OUTCOME, name)), name) for name in NAMES)]
    return gr.Radio(choices, value="", label=OUTCOME.label, elem_id="outcome", elem_classes="shapes")


def meaning(engine: Engine, plan: ShotPlan) -> str:
    """What the chosen outcome is here, and the button that keeps it as the person has changed it."""
    chosen = plan.request.outcome
    if not chosen:
        return ""
    run, name = plan.render, str(getattr(OUTCOME, chosen))
    words = OUTCOME.means.format(outcome=name, tier=told(engine.tier().name), size=run.size.replace("x", " × "),
                                 seconds=duration(run.seconds), steps=run.num_inference_steps)  # fmt: skip
    return f'<p class="note">{shown(words)} {button("tier-keep", OUTCOME.keep.format(outcome=name))}</p>'


# ---- the forecast ----

MANY_WORDS = 8


def outlook(engine: Engine, request: Request, count: int) -> str:
    """The forecast as HTML. An empty prompt or a missing picture gets the forecast too: it hardly depends on them."""
    card = next(card for card in engine.cards() if card.id == request.model)
    asked = plannable(request, card)
    try:
        plan = engine.plan(asked, takes=count)
    except RushesError as error:
        return problem(error, Fix("bare", FIX.bare) if is_to_blame(engine, asked, card) else None)
    return _times(plan, count) + meaning(engine, plan) + _notes(engine, plan) + _details(plan)


def plannable(request: Request, card: ModelCard) -> Request:
    """The same with stand-ins for a prompt and pictures that are still missing: a forecast hardly depends on them."""
    prompt = request.prompt if request.prompt.strip() else starters(card)[0][1]
    return filled_in(request.but(prompt=prompt), card)


def before_render(plan: ShotPlan) -> str:
    """What rendering one of the takes would need, as the dial stands."""
    words = OUTLOOK.render.format(render=span(*plan.seconds("render")))
    return f'<p class="times">{shown(words)} {shown(verdict(plan.forecast))}</p>'


def _times(plan: ShotPlan, count: int) -> str:
    forecast = plan.forecast
    render = span(*forecast.render_seconds)
    if count == 1:
        sentence = OUTLOOK.one_take.format(take=span(*plan.seconds("take")), render=render)
    else:
        together = zip(plan.seconds("take"), forecast.take_seconds, strict=True)  # loading is for the first one
        low, high = (first + (count - 1) * later for first, later in together)
        sentence = OUTLOOK.takes.format(count=count, takes=span(low, high), render=render)
    said = shown(verdict(forecast))
    return f'<p class="times" data-verdict="{shown(forecast.verdict)}">{shown(sentence)} {said}</p>'


def _notes(engine: Engine, plan: ShotPlan) -> str:
    notes = []
    unknown = engine.unknown_words(plan.request)
    if unknown:
        name = next(card.name for card in engine.cards() if card.id == plan.model)
        notes.append(OUTLOOK.unknown_words.format(model=name, words=listed(unknown[:MANY_WORDS])))
    if plan.forecast.download_gb:
        words = OUTLOOK.download.format(gigabytes=gigabytes(plan.forecast.download_gb))
        fits = plan.forecast.download_gb <= engine.hardware().room_for_models_gb
        notes.append(words if fits else f"{words} {MODELS.no_room}")
    return "".join(f'<p class="note">{shown(note)}</p>' for note in notes)


def _details(plan: ShotPlan) -> str:
    forecast = plan.forecast
    sizes = OUTLOOK.sizes.format(
        take=plan.take.size.replace("x", " × "),
        render=plan.render.size.replace("x", " × "),
        frames=plan.render.num_frames,
        fps=plan.render.fps,
        seconds=f"{figure(plan.render.seconds, 1)} s" if plan.render.seconds < 10 else duration(plan.render.seconds),
    )
    memory = OUTLOOK.memory_and_vram if forecast.vram_gb else OUTLOOK.memory
    lines = [
        sizes,
        memory.format(vram=gigabytes(forecast.vram_gb), ram=gigabytes(forecast.ram_gb)),
        OUTLOOK.basis.format(basis=told(forecast.basis)),
        *map(told, plan.reasons),
    ]
    items = "".join(f"<li>{shown(line)}</li>" for line in lines)
    return f"<details><summary>{shown(OUTLOOK.why)}</summary><ul>{items}</ul></details>"
