"""What can this machine do: every model on every machine, what would fit instead, what to install first.

Built on plans alone: `plan` is the engine's, or the planner's with a machine in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_args

from engine.schema import (
    FrozenModel,
    HardwareProfile,
    Outcome,
    Overrides,
    PictureRole,
    Request,
    ShotPlan,
    Verdict,
    VideoRole,
)
from engine.schema.card import ModelCard
from engine.schema.errors import BadInput
from engine.schema.message import NOTHING, Message

PROMPT = "a red ball"  # a forecast hardly depends on the words, and every model knows these
VERDICTS: dict[Verdict, Message] = {
    "comfortable": Message("comfortable"),
    "tight": Message("tight"),
    "offloads": Message("offloads"),
    "unlikely": Message("unlikely"),
    "unknown": Message("unknown"),
}
RUNS: tuple[Verdict, ...] = ("comfortable", "offloads", "tight")
STAND_IN = "0" * 32  # the name of a picture or video that nobody gave
PATIENCE_SECONDS = 3600.0  # of a render that a person still waits for
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
Planner = Callable[[Request, HardwareProfile | None], ShotPlan]


class Row(FrozenModel):
    """One model on one machine for one outcome. `refused`: why it cannot be planned at all."""

    model: str
    hardware: str
    outcome: Outcome
    verdict: Verdict
    size: str = ""
    clip_seconds: float = 0.0
    vram_gb: float = 0.0
    ram_gb: float = 0.0
    download_gb: float = 0.0
    take_seconds: tuple[float, float] = (0.0, 0.0)
    render_seconds: tuple[float, float] = (0.0, 0.0)
    basis: Message = NOTHING
    measured: bool = False
    reasons: tuple[Message, ...] = ()


class Suggestion(FrozenModel):
    """Something else that would run here: in words, and as a request."""

    text: Message
    request: Request


class Recommendation(FrozenModel):
    """A model to install first. `seconds`: of one clip, from take to render."""

    model: str
    what_for: Message
    why: Message
    download_gb: float
    seconds: tuple[float, float]
    licence: Message


def table(plan: Planner, cards: Iterable[ModelCard], machines: Mapping[str, HardwareProfile | None]) -> Iterator[Row]:
    """Every model that this version runs, on every machine, for every outcome. None is this machine."""
    for card in cards:
        if card.not_yet:
            continue
        for name, machine in machines.items():
            for outcome in OUTCOMES:
                try:
                    yield _row(plan(example(card, outcome), machine), name, outcome)
                except BadInput as refusal:
                    reasons = (Message.joined([refusal.cause, refusal.remedy]),)
                    yield Row(model=card.id, hardware=name, outcome=outcome, verdict="unknown", reasons=reasons)


def _row(made: ShotPlan, machine: str, outcome: Outcome) -> Row:
    promised = made.forecast.model_dump(include=set(Row.model_fields))
    return Row(model=made.model, hardware=machine, outcome=outcome, size=made.render.size,
               clip_seconds=round(made.render.seconds, 1), measured=made.forecast.measured, reasons=made.reasons,
               **promised | {"take_seconds": made.seconds("take")})  # fmt: skip


def example(card: ModelCard, outcome: Outcome | None = None) -> Request:
    """A request of the usual kind for a model, with stand-ins for the pictures and videos it cannot do without."""
    pictures: dict[PictureRole, str] = {role: STAND_IN for role in get_args(PictureRole) if role in card.needs}
    videos: dict[VideoRole, str] = {role: STAND_IN for role in get_args(VideoRole) if role in card.needs}
    return Request(prompt=PROMPT, model=card.id, aspect="wide", outcome=outcome, seed=0, pictures=pictures,
                   videos=videos)  # fmt: skip


def instead(plan: Planner, request: Request, cards: Iterable[ModelCard]) -> list[Suggestion]:
    """What would run on this machine where `request` would not: shorter, smaller, both, or another model."""
    made = plan(request, None)
    if made.forecast.verdict in RUNS:
        return []
    names = {card.id: card.name for card in cards}
    card = next(card for card in cards if card.id == request.model)
    free = request.but(precision=None, offload=None, outcome=None)
    shorter, smaller = _shorter(card, made), _smaller(card, made)
    found = [*_first(plan, free, made, [{}]), *_first(plan, free, made, shorter), *_first(plan, free, made, smaller)]
    if not found:
        found = list(_first(plan, free, made, [shorter[-1] | size for size in smaller]))
    able = [other for other in cards if set(other.needs) <= {"text"} | set(request.pictures)]
    picks = {pick.model: pick for pick in reversed(recommend(plan, able)) if pick.model != request.model}
    fresh = {"take": Overrides(), "render": Overrides(), "num_frames": None, "seconds": None, "aspect": "wide"}
    return found + [
        Suggestion(
            text=Message("Another model: {model}. {why}", model=names[pick.model], why=pick.why),
            request=free.but(**fresh, model=name),
        )
        for name, pick in picks.items()
    ]


Changes = dict[str, Any]  # of a request's fields


def _first(plan: Planner, request: Request, made: ShotPlan, changes: Iterable[Changes]) -> Iterator[Suggestion]:
    """The first of some changes, mildest first, that makes it run."""
    for change in changes:
        tried = request.but(**change)
        try:
            better = plan(tried, None)
        except BadInput:
            continue
        if better.forecast.verdict in RUNS:
            yield Suggestion(text=_difference(made, better), request=tried)
            return


def _shorter(card: ModelCard, made: ShotPlan) -> list[Changes]:
    rule, frames = card.frames, made.render.num_frames
    fewer = (rule.below(int(frames * share)) for share in (0.75, 0.5, 0.3))
    return [{"num_frames": max(rule.minimum, count), "seconds": None} for count in fewer]


def _smaller(card: ModelCard, made: ShotPlan) -> list[Changes]:
    rule, sides = card.render_size, (made.render.width, made.render.height)
    smaller = ([rule.nearest(side * share) for side in sides] for share in (0.8, 0.65, 0.5, 0.35))
    return [{"render": Overrides(width=width, height=height)} for width, height in smaller]


def _difference(made: ShotPlan, better: ShotPlan) -> Message:
    parts = []
    if better.render.num_frames != made.render.num_frames:
        parts.append(
            Message("{now:.1f} seconds instead of {before:.1f}", now=better.render.seconds, before=made.render.seconds)
        )
    if better.render.size != made.render.size:
        parts.append(Message("{now} instead of {before}", now=better.render.size, before=made.render.size))
    if better.placement.precision != made.placement.precision or not parts:
        parts.append(Message("the number format and offloading left to Rushes"))
    *more, last = parts
    if not more:
        return Message("It would run with {change}.", change=last)
    return Message("It would run with {changes} and {last}.", changes=more, last=last)


def recommend(plan: Planner, cards: Iterable[ModelCard]) -> list[Recommendation]:
    """The real model to install first for quick tries, and the one for best results; none where none runs.

    Quick is the least time for a second of the clip. Best is the largest transformer whose render is still waited for:
    no measure of beauty, only the best single predictor there is.
    """
    plans = {}
    for card in cards:
        if card.repo and not card.not_yet and card.needs == ("text",):
            made = plan(example(card), None)
            if made.forecast.verdict in RUNS:
                plans[card.id] = (card, made)
    if not plans:
        return []
    quick = min(plans.values(), key=lambda found: _waiting(found[1]) / found[1].render.seconds)
    patient = [found for found in plans.values() if found[1].forecast.render_seconds[1] <= PATIENCE_SECONDS]
    best = max(patient or [quick], key=lambda found: (_size_b(found[0]), -_waiting(found[1])))
    return [
        _recommendation(*quick, Message("quick tries"), Message("The fastest here for a second of video")),
        _recommendation(
            *best, Message("best results"), Message("The largest model whose render takes less than an hour here")
        ),
    ]


def _size_b(card: ModelCard) -> float:
    return sum(part.params_b for name, part in card.components.items() if name.startswith("transformer"))


def _waiting(made: ShotPlan) -> float:
    return sum(made.forecast.render_seconds) / 2


def _recommendation(card: ModelCard, made: ShotPlan, what_for: Message, why: Message) -> Recommendation:
    promised = made.forecast
    low, high = (take + render for take, render in zip(made.seconds("take"), promised.render_seconds, strict=True))
    return Recommendation(
        model=card.id,
        what_for=what_for,
        download_gb=promised.download_gb,
        seconds=(low, high),
        why=Message(
            "{why}: {seconds:.0f} s at {size}, {verdict}.",
            why=why,
            seconds=made.render.seconds,
            size=made.render.size,
            verdict=VERDICTS[promised.verdict],
        ),
        licence=card.licence.line,
    )
