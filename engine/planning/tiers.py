"""Hardware tiers: what Draft, Standard and Best mean on a kind of machine, as data in presets/tiers/.

A tier fills in what a request leaves open and names an outcome for; what a person asked for by number stays. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Annotated, Literal

from pydantic import Field

from engine.schema import Device, FrozenModel, HardwareProfile, Outcome, Overrides, Pass, Request, ShotPlan, ShotStage
from engine.schema.card import ModelCard
from engine.schema.message import Message
from engine.schema.preset import Named

OUTCOMES: dict[Outcome, Message] = {
    "draft": Message("Draft"),
    "standard": Message("Standard"),
    "best": Message("Best"),
}
CHOOSABLE_STEPS = 16  # models with fewer were distilled to exactly those


class Level(FrozenModel):
    """How far an outcome goes. What is left out is as the model's card says.

    `megapixels`: the area of the render; `seconds`: the length; `steps`: the share of the card's steps.
    """

    megapixels: Annotated[float, Field(gt=0, le=16)] | None = None
    seconds: Annotated[float, Field(gt=0, le=60)] | None = None
    steps: Annotated[float, Field(gt=0, le=1)] = 1.0


class Machine(FrozenModel):
    """Whom a tier is for: the kind of the best device, how much memory it has, how many there are of its kind."""

    device: Literal["cpu", "mps", "cuda"]  # cuda: every card with memory of its own
    vram_gb: Annotated[float, Field(ge=0)] = 0.0
    cards: Annotated[int, Field(ge=1)] = 1


class Tier(Named):
    """`outcomes` hold for every model and never go beyond a card's own size and length; `models` may, for one model."""

    kind: Literal["tier"] = "tier"
    machine: Machine
    outcomes: dict[Outcome, Level]
    models: Annotated[dict[str, dict[Outcome, Level]], Field(max_length=128)] = {}


def choose(tiers: Iterable[Tier], hardware: HardwareProfile) -> Tier:
    """The tier that asks most of what this machine has; where a person replaced all that fit, of what there is."""
    known = list(tiers)
    fitting = [tier for tier in known if _fits(tier.machine, hardware)] or known
    return max(fitting, key=lambda tier: (tier.machine.vram_gb, tier.machine.cards))


def _fits(machine: Machine, hardware: HardwareProfile) -> bool:
    alike = [device for device in hardware.devices if _kind(device) == machine.device]
    best = hardware.best
    enough = machine.device == "cpu" or best.vram_gb >= machine.vram_gb
    return _kind(best) == machine.device and len(alike) >= machine.cards and enough


def _kind(device: Device) -> str:
    return device.kind if device.kind in ("cpu", "mps") else "cuda"


def apply(tier: Tier, request: Request, card: ModelCard) -> tuple[Request, Message]:
    """The request with its outcome's numbers where it has none of its own, and a sentence about it."""
    assert request.outcome
    special = tier.models.get(card.id, {}).get(request.outcome)
    level = special or tier.outcomes.get(request.outcome, Level())
    render = request.render
    if render.width is None and render.height is None:
        render = render.but(**_size(level, request, card, beyond=special is not None))
    if render.num_inference_steps is None and card.render.num_inference_steps > CHOOSABLE_STEPS:
        render = render.but(num_inference_steps=round(card.render.num_inference_steps * level.steps))
    take = request.take
    if take.num_inference_steps is None and card.take.num_inference_steps > CHOOSABLE_STEPS:
        take = take.but(num_inference_steps=round(card.take.num_inference_steps * level.steps))
    changes: dict[str, int | Overrides] = {"take": take, "render": render}
    if request.num_frames is None and request.seconds is None:
        changes["num_frames"] = _frames(level, card, beyond=special is not None)
    return request.but(**changes), Message(
        "{outcome} for this kind of machine: {tier}.", outcome=OUTCOMES[request.outcome], tier=Message.known(tier.name)
    )


def in_one_pass(asked: Request, card: ModelCard, passes: Mapping[ShotStage, Pass]) -> Request | None:
    """What to ask for instead where a draft's take computes more than the render that it is to save: its take is then
    the first part of its render. None where it does not, or where the model cannot be stopped in the middle."""
    plain = asked.mode == "refine" and not (asked.takes_by or asked.faster or asked.sigma)
    if (
        asked.outcome == "draft"
        and plain
        and card.continues
        and passes["take"].operations > passes["render"].operations
    ):
        return asked.but(mode="continue")
    return None


def with_level(tier: Tier, plan: ShotPlan, card: ModelCard) -> Tier:
    """The tier with what a plan renders as the meaning of its outcome for this model."""
    assert plan.request.outcome
    run = plan.render
    steps = min(run.num_inference_steps / card.render.num_inference_steps, 1.0)
    level = Level(megapixels=run.width * run.height / 1e6, seconds=run.seconds, steps=steps)
    of_model = tier.models.get(card.id, {}) | {plan.request.outcome: level}
    return tier.but(models=tier.models | {card.id: of_model})


def _size(level: Level, request: Request, card: ModelCard, beyond: bool) -> dict[str, int]:
    """Width and height of about the level's area in the shape of the card's own size."""
    own = card.render.sizes[request.aspect]
    scale = sqrt(level.megapixels * 1e6 / (own.width * own.height)) if level.megapixels else 1.0
    if card.size.only or scale == 1 or (scale > 1 and not beyond):
        return {}
    rule = card.render_size
    scale = max(min(scale, rule.maximum / max(own.width, own.height)), rule.minimum / min(own.width, own.height))
    width, height = (max(rule.least, rule.below(side * scale, almost=0.25)) for side in (own.width, own.height))
    return {"width": width, "height": height}


def _frames(level: Level, card: ModelCard, beyond: bool) -> int:
    """The legal number of frames next below the level's length."""
    rule = card.frames
    most = rule.maximum if beyond else rule.default
    if level.seconds is None:
        return rule.default
    wanted = max(rule.minimum, min(round(level.seconds * rule.fps), most))
    return max(rule.minimum, rule.below(wanted))
