"""How many frames, what size, and which pictures and videos: what is asked for, brought to what a model
can do, openly."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping

from engine.planning.cost import sections
from engine.schema import (
    MediaRole,
    Overrides,
    Pass,
    Request,
    ShotPlan,
    ShotStage,
    Size,
    StepCache,
    VideoFacts,
    VideoRole,
)
from engine.schema.card import ModelCard, PassRule
from engine.schema.errors import BadSetting
from engine.schema.legal_sizes import SizeRule
from engine.schema.shot import RECORDED

MOST_SECONDS = 1e6


def frames_of(request: Request, card: ModelCard, reasons: list[str]) -> int:
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
            f"{card.name} cannot make a clip of {words}.",
            f"Choose {rule.minimum} to {rule.maximum} frames ({low:.1f} to {high:.1f} seconds at {rule.fps} a second).",
        )
    snapped = rule.nearest(asked)
    if snapped != asked:
        reasons.append(
            f"{snapped} frames instead of {asked}: {card.name} works in steps of {rule.step} plus {rule.offset}."
        )
    return snapped


def sizes_of(request: Request, card: ModelCard, reasons: list[str]) -> tuple[Size, Size]:
    """The take's and the render's, by the model's rules; each change adds its reason. Raises BadSetting."""
    return (_halved_sizes if card.latent_upsampler else _sizes)(request, card, reasons)


def _sizes(request: Request, card: ModelCard, reasons: list[str]) -> tuple[Size, Size]:
    """The take's and the render's: as asked, or as the card says."""
    if card.size.only:
        reasons.append(f"{card.name} knows one size only, {card.size.only}, so its take is as large as its render.")
        return card.size.only, card.size.only
    default = card.render.sizes[request.aspect]
    asked = _asked_size(request.render, default)
    render = _snapped(asked, card.size, card.name, reasons) if _has_size(request.render) else default
    return _take_size(request, card, render), render


def _halved_sizes(request: Request, card: ModelCard, reasons: list[str]) -> tuple[Size, Size]:
    """The take's and the render's of a model whose upsampler doubles a take, neither more nor less."""
    wanted = _asked_size(request.render, card.render.sizes[request.aspect])
    smaller = _asked_size(request.take, card.take.sizes[request.aspect])
    if _has_size(request.take) and not _has_size(request.render):
        wanted = Size(width=2 * smaller.width, height=2 * smaller.height)
    render = _snapped(wanted, card.render_size, card.name, reasons)
    take = Size(width=render.width // 2, height=render.height // 2)
    if _has_size(request.take) and take != smaller:
        reasons.append(f"A take of {take} instead of {smaller}: {card.name} doubles its takes.")
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


def _snapped(size: Size, rule: SizeRule, name: str, reasons: list[str]) -> Size:
    if not rule.spans(size.width, size.height):
        raise BadSetting(
            f"{name} cannot make a picture of {size}.",
            f"Each side must be from {rule.minimum} to {rule.maximum} pixels.",
        )
    snapped = Size(width=rule.snapped(size.width), height=rule.snapped(size.height))
    if snapped != size:
        reasons.append(f"{snapped} instead of {size}: {name} needs multiples of {rule.multiple} pixels.")
    return snapped


# ---- what a request brings beside its words ----

NAMES: dict[MediaRole, str] = {
    "image": "a starting picture",
    "last_image": "a last picture",
    "keyframes": "pictures at chosen frames",
    "references": "reference pictures",
    "video": "a video",
    "control_video": "a control video (depth, pose or edges)",
    "face_video": "a video of the face",
    "mask": "a mask",
}
MAX_PICTURES = 8  # references, or pictures at chosen frames
Footage = Mapping[VideoRole, VideoFacts]


def check(request: Request, card: ModelCard) -> None:
    """Raises BadSetting for what the model does not take, needs and was not given, or cannot tell apart."""
    for role in request.given:
        if role not in card.inputs:
            raise BadSetting(
                f"{card.name} takes no {NAMES[role].removeprefix('a ')}.", "Leave it out, or choose a model that does."
            )
    for need in card.needs:
        if need in NAMES and need not in request.given:
            raise BadSetting(f"{card.name} needs {NAMES[need]}.", "Add one, or choose a model that works from text.")
    if len(request.given) > len(set(request.given)):
        raise BadSetting("There are two masks, a picture and a video.", "Leave one of them out.")
    if "mask" in card.inputs and ("mask" in request.given) != ("video" in request.given):
        raise BadSetting(
            "A video and the mask that says what to change in it belong together.",
            "Add the other one, or leave both out.",
        )
    if max(len(request.references), len(request.keyframes)) > MAX_PICTURES:
        raise BadSetting("These are more pictures than a model can follow.", f"Choose at most {MAX_PICTURES}.")


def check_keyframes(request: Request, frames: int) -> None:
    """Raises BadSetting for a picture outside the clip, or two for one frame."""
    for frame in request.keyframes:
        if not 0 <= frame < frames:
            raise BadSetting(f"The clip has no frame {frame}.", f"Choose a frame from 0 to {frames - 1}.")
    ends = {"image": 0, "last_image": frames - 1}
    if any(role in request.pictures and ends[role] in request.keyframes for role in ends):
        raise BadSetting("Two pictures are given for the same frame.", "Leave one of them out.")


def as_long_as(footage: Footage, request: Request, card: ModelCard) -> Request:
    """A request of no chosen length gets that of the video that its clip follows, as far as the model can."""
    chosen = request.num_frames is not None or request.seconds is not None
    if chosen or not footage or (card.strength and card.strength.continues):
        return request
    rule, seconds = card.frames, min(facts.seconds for facts in footage.values())
    asked = min(max(round(seconds * rule.fps), rule.minimum), rule.maximum)
    return request.but(num_frames=rule.below(asked))


def strength(request: Request, card: ModelCard, take: Pass) -> float | None:
    """How far the clip may leave its video. Raises BadSetting when this model cannot be told that, or so little."""
    rule = card.strength if "video" in request.given else None
    if rule is None:
        if request.strength is not None:
            raise BadSetting(f"{card.name} has no video to stay close to.", "Leave the strength out.")
        return None
    asked = rule.default if request.strength is None else request.strength
    if not rule.minimum <= asked <= 1:
        raise BadSetting(f"A strength of {asked:g} is out of range.", f"Use a number from {rule.minimum:g} to 1.")
    if not rule.continues and take.num_inference_steps * asked < 1:
        raise BadSetting("Of so few steps, none would be left for the video.", "Use a higher strength, or more steps.")
    return asked


def reasons(footage: Footage, plan: ShotPlan, card: ModelCard) -> list[str]:
    """How each video is used by a render."""
    run, fitted = plan.render, {"crop": "cropped", "pad": "padded"}[plan.request.fit]
    said = []
    for role, facts in footage.items():
        name = NAMES[role].split(" (")[0].removeprefix("a ")
        same_shape = abs(facts.width * run.height - facts.height * run.width) <= facts.width * run.height * 0.02
        shape = "scaled" if same_shape else fitted
        words = f"The {name} ({facts.size}, {facts.seconds:.1f} s) is read at {run.fps} frames a second and {shape}."
        if facts.seconds > run.seconds + 1 / run.fps:
            words += f" Only its first {run.seconds:.1f} s are used."
        elif facts.seconds < run.seconds - 1 / run.fps:
            goes_on = role == "video" and card.strength is not None and card.strength.continues
            words += " The model goes on from its end." if goes_on else " Its last picture is held until the end."
        if facts.from_hdr:
            words += " Its HDR colours are brought to those of an ordinary screen."
        if role == "video" and plan.strength:
            words += " The render starts on the take and does not look at it again."
        said.append(words)
    return said


# ---- the passes of the sampler ----

MAX_SEED = 2**63 - 1
FIRST_PART = 0.3  # of the steps; the scene settles within the first 10 to 30 %


def sampler_pass(card: ModelCard, rule: PassRule, asked: Overrides, size: Size, frames: int) -> Pass:
    steps = rule.num_inference_steps if asked.num_inference_steps is None else asked.num_inference_steps
    guidance = rule.guidance_scale if asked.guidance_scale is None else asked.guidance_scale
    shift = rule.flow_shift if asked.flow_shift is None else asked.flow_shift
    for name, value, low, high in (("steps", steps, 1, 200), ("guidance", guidance, 0, 30), ("shift", shift, 0.01, 30)):
        if not low <= value <= high:
            told = f"{value:g}" if abs(value) < sys.maxsize else "That"
            raise BadSetting(f"{told} is out of range for {name}.", f"Use a number from {low} to {high}.")
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


def check_levels(card: ModelCard, passes: dict[ShotStage, Pass], reasons: list[str]) -> None:
    rules: dict[ShotStage, PassRule] = {"take": card.take, "render": card.render}
    for stage, rule in rules.items():
        if rule.sigmas and not passes[stage].sigmas:
            reasons.append(
                f"{card.name} was trained for exactly {len(rule.sigmas)} steps of its own in a {stage}; with other "
                "settings the picture may be worse."
            )


def start_level(request: Request, card: ModelCard) -> float:
    """The render's start level: as asked, or where the dial stands between the card's close and detail ends."""
    if request.sigma is not None:
        if not 0 < request.sigma <= 1:
            raise BadSetting(f"The start level {request.sigma:g} is out of range.", "Use a number above 0, up to 1.")
        return request.sigma
    if not 0 <= request.dial <= 1:
        raise BadSetting(f"The dial cannot stand at {request.dial:g}.", "Use 0 (stay close) to 1 (add detail).")
    rule, way = card.sigma, request.dial * 2 - 1  # -1 close, 0 default, 1 detail
    return round(rule.default + way * (rule.detail - rule.default if way > 0 else rule.default - rule.close), 6)


def on_its_take(run: Pass, sigma: float, reasons: list[str]) -> Pass:
    """The render of an approved take: of the steps from noise, those that lie below the level where it starts.

    Flow shift s takes u, which the steps divide evenly, to s u / (1 + (s - 1) u).
    """
    if sigma == 1 or run.sigmas:  # levels of the model's own are all meant
        return run
    u = sigma / (run.flow_shift - (run.flow_shift - 1) * sigma)
    taken = max(1, math.ceil(round(u * run.num_inference_steps, 6)))
    if taken == run.num_inference_steps:
        return run
    reasons.append(f"The render takes the last {taken} of {run.num_inference_steps} steps: its take is past the rest.")
    return run.but(taken=taken)


def in_two_parts(run: Pass, reasons: list[str]) -> dict[ShotStage, Pass]:
    """The render in two parts: the take is the first one. What is where in a shot is settled early."""
    whole = run.num_inference_steps
    if whole < 2:
        raise BadSetting("A render of one step has no first part.", "Use more steps, or let the render refine a take.")
    first = max(1, round(FIRST_PART * whole))
    reasons.append(f"The take is the first {first} of the render's {whole} steps, and the render goes on from there.")
    return {
        "take": run.but(part=(0, first)),
        "render": run.but(part=(first, whole)),
    }


def step_cache(request: Request, card: ModelCard, reasons: list[str]) -> StepCache | None:
    """What "faster, a little less exact" means here."""
    if not request.faster:
        return None
    if card.faster is None:
        raise BadSetting(
            f"{card.name} cannot be made faster by foretelling steps: it has too few, or cannot do without them.",
            "Leave that choice out.",
        )
    reasons.append(f"Faster, a little less exact, as asked: {card.faster.measured or 'not measured for this model'}.")
    return StepCache(interval=card.faster.interval, whole_steps=card.faster.whole_steps)


def can_continue(request: Request, card: ModelCard) -> bool:
    """Whether a run of what is asked for can be cut in two."""
    return pipeline(request, card) in RECORDED


def check_continues(request: Request, card: ModelCard) -> None:
    """Raises BadSetting where a run cannot be cut in two."""
    if not can_continue(request, card):
        raise BadSetting(f"{card.name} cannot stop in the middle of this.", "Let the render refine its take.")
    if request.faster:
        raise BadSetting("A render that continues its take cannot be made faster.", "Leave one of the two out.")


def pipeline(request: Request, card: ModelCard) -> str:
    """The diffusers class for what is given."""
    if request.given in ((), ("image",)):
        return (request.given and card.image_pipeline) or card.pipeline
    return card.guided_pipeline or card.image_pipeline or card.pipeline
