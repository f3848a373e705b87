"""How many frames, what size, and which passes of the sampler: what is asked for, brought to what a model can do."""

from __future__ import annotations

import math
import sys

from engine.planning.cost import sections
from engine.schema import (
    Overrides,
    Pass,
    Request,
    ShotStage,
    Size,
    StepCache,
)
from engine.schema.card import ModelCard, PassRule
from engine.schema.errors import BadSetting
from engine.schema.legal_sizes import SizeRule
from engine.schema.message import Message
from engine.schema.shot import RECORDED

MOST_SECONDS = 1e6


def frames_of(request: Request, card: ModelCard, reasons: list[Message]) -> int:
    rule = card.frames
    if request.num_frames is not None:
        asked, words = request.num_frames, f"{request.num_frames} frames"
    elif request.seconds is not None:
        bounded = min(max(request.seconds, -MOST_SECONDS), MOST_SECONDS)  # the largest number times fps is none
        asked, words = round(bounded * rule.fps), f"{request.seconds:g} seconds"
    else:
        return rule.default
    if not rule.minimum <= asked <= rule.most_asked:
        low, high = rule.minimum / rule.fps, rule.maximum / rule.fps
        raise BadSetting(
            Message("{model} cannot make a clip of {words}.", model=card.name, words=words),
            Message(
                "Choose {minimum} to {maximum} frames ({low:.1f} to {high:.1f} seconds at {fps} a second).",
                minimum=rule.minimum,
                maximum=rule.maximum,
                low=low,
                high=high,
                fps=rule.fps,
            ),
        )
    snapped = rule.nearest(asked)
    if snapped != asked:
        reasons.append(
            Message(
                "{snapped} frames instead of {asked}: {model} works in steps of {step} plus {offset}.",
                snapped=snapped,
                asked=asked,
                model=card.name,
                step=rule.step,
                offset=rule.offset,
            )
        )
    return snapped


def sizes_of(request: Request, card: ModelCard, reasons: list[Message]) -> tuple[Size, Size]:
    """The take's and the render's, by the model's rules; each change adds its reason. Raises BadSetting."""
    return (_halved_sizes if card.latent_upsampler else _sizes)(request, card, reasons)


def _sizes(request: Request, card: ModelCard, reasons: list[Message]) -> tuple[Size, Size]:
    """The take's and the render's: as asked, or as the card says."""
    if card.size.only:
        reasons.append(
            Message(
                "{model} knows one size only, {only}, so its take is as large as its render.",
                model=card.name,
                only=card.size.only,
            )
        )
        return card.size.only, card.size.only
    default = card.render.sizes[request.aspect]
    asked = _asked_size(request.render, default)
    render = _snapped(asked, card.size, card.name, reasons) if _has_size(request.render) else default
    return _take_size(request, card, render), render


def _halved_sizes(request: Request, card: ModelCard, reasons: list[Message]) -> tuple[Size, Size]:
    """The take's and the render's of a model whose upsampler doubles a take, neither more nor less."""
    wanted = _asked_size(request.render, card.render.sizes[request.aspect])
    smaller = _asked_size(request.take, card.take.sizes[request.aspect])
    if _has_size(request.take) and not _has_size(request.render):
        wanted = Size(width=2 * smaller.width, height=2 * smaller.height)
    render = _snapped(wanted, card.render_size, card.name, reasons)
    take = Size(width=render.width // 2, height=render.height // 2)
    if _has_size(request.take) and take != smaller:
        reasons.append(
            Message(
                "A take of {take} instead of {smaller}: {model} doubles its takes.",
                take=take,
                smaller=smaller,
                model=card.name,
            )
        )
    return take, render


def _take_size(request: Request, card: ModelCard, render: Size) -> Size:
    """The take's size: as asked, as the card says, or the render's shape at the card's take-to-render scale."""
    asked, default = request.take, card.take.sizes[request.aspect]
    if _has_size(asked):
        return _snapped(_asked_size(asked, default), card.size, card.name, [])
    full = card.render.sizes[request.aspect]
    if render == full:
        return default
    rule, scale = card.size, default.width / full.width
    width, height = (max(rule.minimum, rule.nearest(side * scale)) for side in (render.width, render.height))
    return Size(width=width, height=height)


def _asked_size(asked: Overrides, default: Size) -> Size:
    """What was asked for; a side that was not takes the card's."""
    return Size(
        width=default.width if asked.width is None else asked.width,
        height=default.height if asked.height is None else asked.height,
    )


def _has_size(asked: Overrides) -> bool:
    return asked.width is not None or asked.height is not None


def _snapped(size: Size, rule: SizeRule, name: str, reasons: list[Message]) -> Size:
    if not rule.spans(size.width, size.height):
        raise BadSetting(
            Message("{name} cannot make a picture of {size}.", name=name, size=size),
            Message(
                "Each side must be from {minimum} to {maximum} pixels.", minimum=rule.minimum, maximum=rule.maximum
            ),
        )
    snapped = Size(width=rule.snapped(size.width), height=rule.snapped(size.height))
    if snapped != size:
        reasons.append(
            Message(
                "{snapped} instead of {size}: {name} needs multiples of {multiple} pixels.",
                snapped=snapped,
                size=size,
                name=name,
                multiple=rule.multiple,
            )
        )
    return snapped


# ---- the passes of the sampler ----

MAX_SEED = 2**63 - 1
FIRST_PART = 0.3  # of the steps; the scene settles within the first 10 to 30 %


def sampler_pass(card: ModelCard, rule: PassRule, asked: Overrides, size: Size, frames: int) -> Pass:
    steps = rule.num_inference_steps if asked.num_inference_steps is None else asked.num_inference_steps
    guidance = rule.guidance_scale if asked.guidance_scale is None else asked.guidance_scale
    shift = rule.flow_shift if asked.flow_shift is None else asked.flow_shift
    for name, value, low, high in (("steps", steps, 1, 200), ("guidance", guidance, 0, 30), ("shift", shift, 0.01, 30)):
        if not low <= value <= high:
            told = f"{value:g}" if abs(value) < sys.maxsize else Message("That")
            raise BadSetting(
                Message("{told} is out of range for {name}.", told=told, name=name),
                Message("Use a number from {low} to {high}.", low=low, high=high),
            )
    return Pass(
        operations=0,
        width=size.width,
        height=size.height,
        num_frames=frames,
        fps=card.frames.fps,
        num_inference_steps=steps,
        guidance_scale=guidance,
        flow_shift=shift,
        sigmas=rule.sigmas if steps == len(rule.sigmas) and asked.flow_shift is None else (),
        arguments=rule.arguments,
        forwards=(rule.forwards or (2 if guidance > 1 else 1)) * sections(card, frames),
    )


def check_levels(card: ModelCard, passes: dict[ShotStage, Pass], reasons: list[Message]) -> None:
    rules: dict[ShotStage, PassRule] = {"take": card.take, "render": card.render}
    for stage, rule in rules.items():
        if rule.sigmas and not passes[stage].sigmas:
            reasons.append(
                Message(
                    "{model} was trained for exactly {count} steps of its own in a {stage}; with other settings the "
                    "picture may be worse.",
                    model=card.name,
                    count=len(rule.sigmas),
                    stage=stage,
                )
            )


def start_level(request: Request, card: ModelCard) -> float:
    """The render's start level: as asked, or where the dial stands between the card's close and detail ends."""
    if request.sigma is not None:
        if not 0 < request.sigma <= 1:
            raise BadSetting(
                Message("The start level {sigma:g} is out of range.", sigma=request.sigma),
                Message("Use a number above 0, up to 1."),
            )
        return request.sigma
    if not 0 <= request.dial <= 1:
        raise BadSetting(
            Message("The dial cannot stand at {dial:g}.", dial=request.dial),
            Message("Use 0 (stay close) to 1 (add detail)."),
        )
    rule, way = card.sigma, request.dial * 2 - 1  # -1 close, 0 default, 1 detail
    return round(rule.default + way * (rule.detail - rule.default if way > 0 else rule.default - rule.close), 6)


def on_its_take(run: Pass, sigma: float, reasons: list[Message]) -> Pass:
    """The render of an approved take: of the steps from noise, those that lie below the level where it starts.

    Flow shift s takes u, which the steps divide evenly, to s u / (1 + (s - 1) u).
    """
    if sigma == 1 or run.sigmas:  # levels of the model's own are all meant
        return run
    u = sigma / (run.flow_shift - (run.flow_shift - 1) * sigma)
    taken = max(1, math.ceil(round(u * run.num_inference_steps, 6)))
    if taken == run.num_inference_steps:
        return run
    reasons.append(
        Message(
            "The render takes the last {taken} of {num_inference_steps} steps: its take is past the rest.",
            taken=taken,
            num_inference_steps=run.num_inference_steps,
        )
    )
    return run.but(taken=taken)


def in_two_parts(run: Pass, reasons: list[Message]) -> dict[ShotStage, Pass]:
    """The render in two parts: the take is the first one. What is where in a shot is settled early."""
    whole = run.num_inference_steps
    if whole < 2:
        raise BadSetting(
            Message("A render of one step has no first part."),
            Message("Use more steps, or let the render refine a take."),
        )
    first = max(1, round(FIRST_PART * whole))
    reasons.append(
        Message(
            "The take is the first {first} of the render's {whole} steps, and the render goes on from there.",
            first=first,
            whole=whole,
        )
    )
    return {
        "take": run.but(part=(0, first)),
        "render": run.but(part=(first, whole)),
    }


def step_cache(request: Request, card: ModelCard, reasons: list[Message]) -> StepCache | None:
    """What "faster, a little less exact" means here."""
    if not request.faster:
        return None
    if card.faster is None:
        raise BadSetting(
            Message(
                "{model} cannot be made faster by foretelling steps: it has too few, or cannot do without them.",
                model=card.name,
            ),
            Message("Leave that choice out."),
        )
    reasons.append(
        Message(
            "Faster, a little less exact, as asked: {measured}.",
            measured=Message.known(card.faster.measured)
            if card.faster.measured
            else Message("not measured for this model"),
        )
    )
    return StepCache(interval=card.faster.interval, whole_steps=card.faster.whole_steps)


def can_continue(request: Request, card: ModelCard) -> bool:
    """Whether a run of what is asked for can be cut in two."""
    return pipeline(request, card) in RECORDED


def check_continues(request: Request, card: ModelCard) -> None:
    """Raises BadSetting where a run cannot be cut in two."""
    if not can_continue(request, card):
        raise BadSetting(
            Message("{model} cannot stop in the middle of this.", model=card.name),
            Message("Let the render refine its take."),
        )
    if request.faster:
        raise BadSetting(
            Message("A render that continues its take cannot be made faster."), Message("Leave one of the two out.")
        )


def pipeline(request: Request, card: ModelCard) -> str:
    """The diffusers class for what is given."""
    if request.given in ((), ("image",)):
        return (request.given and card.image_pipeline) or card.pipeline
    return card.guided_pipeline or card.image_pipeline or card.pipeline
