"""How many frames, what size, and which pictures and videos: what is asked for, brought to what a model
can do, openly."""

from __future__ import annotations

from collections.abc import Mapping

from engine.schema import MediaRole, Overrides, Pass, Request, ShotPlan, Size, VideoFacts, VideoRole
from engine.schema.card import ModelCard, SizeRule
from engine.schema.errors import BadSetting

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
    if not rule.minimum <= asked <= rule.maximum + rule.step - 1:
        low, high = rule.minimum / rule.fps, rule.maximum / rule.fps
        raise BadSetting(
            f"{card.name} cannot make a clip of {words}.",
            f"Choose {rule.minimum} to {rule.maximum} frames ({low:.1f} to {high:.1f} seconds at {rule.fps} a second).",
        )
    snapped = (asked - rule.offset) // rule.step * rule.step + rule.offset
    if asked - snapped > rule.step // 2 and snapped + rule.step <= rule.maximum:
        snapped += rule.step
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
    rule = card.size.but(multiple=2 * card.size.multiple, minimum=2 * card.size.minimum)
    render = _snapped(wanted, rule, card.name, reasons)
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
    multiple, scale = card.size.multiple, default.width / full.width
    width, height = (
        max(card.size.minimum, round(side * scale / multiple) * multiple) for side in (render.width, render.height)
    )
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
    for side in (size.width, size.height):
        if not rule.minimum <= side <= rule.maximum:
            raise BadSetting(
                f"{name} cannot make a picture of {size}.",
                f"Each side must be from {rule.minimum} to {rule.maximum} pixels.",
            )
    width, height = (
        max(rule.minimum, round(side / rule.multiple) * rule.multiple) for side in (size.width, size.height)
    )
    largest = rule.maximum // rule.multiple * rule.multiple
    snapped = Size(width=min(width, largest), height=min(height, largest))
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
    frames = (asked - rule.offset) // rule.step * rule.step + rule.offset
    return request.but(num_frames=frames)


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
