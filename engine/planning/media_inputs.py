"""What a request brings beside its words: which pictures and videos a model takes, and how each video is used. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from engine.schema import (
    MediaRole,
    Pass,
    Request,
    ShotPlan,
    VideoFacts,
    VideoRole,
)
from engine.schema.card import ModelCard
from engine.schema.errors import BadSetting
from engine.schema.message import Message

NAMES: dict[MediaRole, Message] = {
    "image": Message("a starting picture"),
    "last_image": Message("a last picture"),
    "keyframes": Message("pictures at chosen frames"),
    "references": Message("reference pictures"),
    "video": Message("a video"),
    "control_video": Message("a control video (depth, pose or edges)"),
    "face_video": Message("a video of the face"),
    "mask": Message("a mask"),
}
SHORT_NAMES: dict[MediaRole, Message] = {
    "image": Message("starting picture"),
    "last_image": Message("last picture"),
    "keyframes": Message("pictures at chosen frames"),
    "references": Message("reference pictures"),
    "video": Message("video"),
    "control_video": Message("control video"),
    "face_video": Message("video of the face"),
    "mask": Message("mask"),
}
MAX_PICTURES = 8  # references, or pictures at chosen frames
Footage = Mapping[VideoRole, VideoFacts]


def check(request: Request, card: ModelCard) -> None:
    """Raises BadSetting for what the model does not take, needs and was not given, or cannot tell apart."""
    for role in request.given:
        if role not in card.inputs:
            raise BadSetting(
                Message("{model} takes no {names}.", model=card.name, names=SHORT_NAMES[role]),
                Message("Leave it out, or choose a model that does."),
            )
    for need in card.needs:
        if need in NAMES and need not in request.given:
            raise BadSetting(
                Message("{model} needs {names}.", model=card.name, names=NAMES[need]),
                Message("Add one, or choose a model that works from text."),
            )
    if len(request.given) > len(set(request.given)):
        raise BadSetting(Message("There are two masks, a picture and a video."), Message("Leave one of them out."))
    if "mask" in card.inputs and ("mask" in request.given) != ("video" in request.given):
        raise BadSetting(
            Message("A video and the mask that says what to change in it belong together."),
            Message("Add the other one, or leave both out."),
        )
    if max(len(request.references), len(request.keyframes)) > MAX_PICTURES:
        raise BadSetting(
            Message("These are more pictures than a model can follow."),
            Message("Choose at most {max_pictures}.", max_pictures=MAX_PICTURES),
        )


def check_keyframes(request: Request, frames: int) -> None:
    """Raises BadSetting for a picture outside the clip, or two for one frame."""
    for frame in request.keyframes:
        if not 0 <= frame < frames:
            raise BadSetting(
                Message("The clip has no frame {frame}.", frame=frame),
                Message("Choose a frame from 0 to {frames}.", frames=frames - 1),
            )
    ends = {"image": 0, "last_image": frames - 1}
    if any(role in request.pictures and ends[role] in request.keyframes for role in ends):
        raise BadSetting(Message("Two pictures are given for the same frame."), Message("Leave one of them out."))


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
            raise BadSetting(
                Message("{model} has no video to stay close to.", model=card.name), Message("Leave the strength out.")
            )
        return None
    asked = rule.default if request.strength is None else request.strength
    if not rule.minimum <= asked <= 1:
        raise BadSetting(
            Message("A strength of {asked:g} is out of range.", asked=asked),
            Message("Use a number from {minimum:g} to 1.", minimum=rule.minimum),
        )
    if not rule.continues and take.num_inference_steps * asked < 1:
        raise BadSetting(
            Message("Of so few steps, none would be left for the video."),
            Message("Use a higher strength, or more steps."),
        )
    return asked


def reasons(footage: Footage, plan: ShotPlan, card: ModelCard) -> list[Message]:
    """How each video is used by a render."""
    run, fitted = plan.render, {"crop": Message("cropped"), "pad": Message("padded")}[plan.request.fit]
    said = []
    for role, facts in footage.items():
        same_shape = abs(facts.width * run.height - facts.height * run.width) <= facts.width * run.height * 0.02
        shape = Message("scaled") if same_shape else fitted
        words = [
            Message(
                "The {name} ({size}, {seconds:.1f} s) is read at {fps} frames a second and {shape}.",
                name=SHORT_NAMES[role],
                size=facts.size,
                seconds=facts.seconds,
                fps=run.fps,
                shape=shape,
            )
        ]
        if facts.seconds > run.seconds + 1 / run.fps:
            words.append(Message("Only its first {seconds:.1f} s are used.", seconds=run.seconds))
        elif facts.seconds < run.seconds - 1 / run.fps:
            goes_on = role == "video" and card.strength is not None and card.strength.continues
            words.append(
                Message("The model goes on from its end.")
                if goes_on
                else Message("Its last picture is held until the end.")
            )
        if facts.from_hdr:
            words.append(Message("Its HDR colours are brought to those of an ordinary screen."))
        if role == "video" and plan.strength:
            words.append(Message("The render starts on the take and does not look at it again."))
        said.append(Message.joined(words))
    return said
