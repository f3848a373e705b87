"""What the request would take, said before it starts; or, in one sentence, why it cannot be done."""

from __future__ import annotations

from engine import Engine, Plan, Request, RushesError
from ui.page.roster import SOME_PICTURE, needs, starters
from ui.page.trouble import problem
from ui.page.wording import duration, gigabytes, listed, shown, span
from ui.texts import OUTLOOK

MANY_WORDS = 8


def outlook(engine: Engine, request: Request, count: int) -> str:
    """The forecast as HTML. An empty prompt or a missing picture gets the forecast too: it hardly depends on them."""
    card = next(card for card in engine.cards() if card.id == request.model)
    prompt = request.prompt if request.prompt.strip() else starters(card)[0][1]
    pictures = {**dict.fromkeys(needs(card), SOME_PICTURE), **request.pictures}
    try:
        plan = engine.plan(request.model_copy(update={"prompt": prompt, "pictures": pictures}))
    except RushesError as error:
        return problem(error)
    return _times(plan, count) + _notes(engine, plan) + _details(plan)


def before_render(plan: Plan) -> str:
    """What rendering one of the takes would need, as the dial stands."""
    words = OUTLOOK.render.format(render=span(*plan.forecast.render_seconds))
    return f'<p class="times">{shown(words)} {shown(getattr(OUTLOOK, plan.forecast.verdict))}</p>'


def _times(plan: Plan, count: int) -> str:
    forecast = plan.forecast
    render = span(*forecast.render_seconds)
    if count == 1:
        sentence = OUTLOOK.one_take.format(take=span(*forecast.take_seconds), render=render)
    else:
        low, high = (seconds * count for seconds in forecast.take_seconds)
        sentence = OUTLOOK.takes.format(count=count, takes=span(low, high), render=render)
    verdict = str(getattr(OUTLOOK, forecast.verdict))
    return f'<p class="times" data-verdict="{shown(forecast.verdict)}">{shown(sentence)} {shown(verdict)}</p>'


def _notes(engine: Engine, plan: Plan) -> str:
    notes = []
    unknown = engine.unknown_words(plan.request)
    if unknown:
        name = next(card.name for card in engine.cards() if card.id == plan.model)
        notes.append(OUTLOOK.unknown_words.format(model=name, words=listed(unknown[:MANY_WORDS])))
    if plan.forecast.download_gb:
        notes.append(OUTLOOK.download.format(gigabytes=gigabytes(plan.forecast.download_gb)))
    return "".join(f'<p class="note">{shown(note)}</p>' for note in notes)


def _details(plan: Plan) -> str:
    forecast = plan.forecast
    sizes = OUTLOOK.sizes.format(
        take=plan.take.size.replace("x", " × "),
        render=plan.render.size.replace("x", " × "),
        frames=plan.render.num_frames,
        fps=plan.render.fps,
        seconds=f"{plan.render.seconds:.1f} s" if plan.render.seconds < 10 else duration(plan.render.seconds),
    )
    memory = OUTLOOK.memory_and_vram if forecast.vram_gb else OUTLOOK.memory
    lines = [
        sizes,
        memory.format(vram=gigabytes(forecast.vram_gb), ram=gigabytes(forecast.ram_gb)),
        OUTLOOK.basis.format(basis=forecast.basis),
        *plan.reasons,
    ]
    items = "".join(f"<li>{shown(line)}</li>" for line in lines)
    return f"<details><summary>{shown(OUTLOOK.why)}</summary><ul>{items}</ul></details>"
