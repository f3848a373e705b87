"""What the form brings beside its words: pictures, videos, LoRAs, a clip to go on from.

The form holds it as one text, a piece of a request as JSON, which the browser remembers like any other field.
"""

from __future__ import annotations

from typing import Any, get_args

from engine import BadInput, Engine, MediaRole, ModelCard, PictureRole, Request, VideoRole

FIELDS = {"pictures", "videos", "references", "keyframes", "loras", "extends", "strength", "fit"}
NOTHING = Request(prompt="")
ROLES: tuple[MediaRole, ...] = get_args(MediaRole)
PICTURES: tuple[PictureRole, ...] = get_args(PictureRole)
VIDEOS: tuple[VideoRole, ...] = get_args(VideoRole)
SOMETHING = "0" * 32  # a plan does not look at a picture, only at whether there is one


def read(text: str | None) -> Request:
    """What a form holds; nothing where that is not ours."""
    try:
        return kept(Request.model_validate_json(text or ""))
    except ValueError:
        return NOTHING


def kept(request: Request) -> Request:
    """What a request brings, without its words and numbers."""
    return NOTHING.but(**({name: getattr(request, name) for name in FIELDS}))


def written(request: Request) -> str:
    """What a request brings, as the form holds it."""
    return kept(request).model_dump_json(include=FIELDS | {"prompt"})


def takes(card: ModelCard) -> list[MediaRole]:
    """What of pictures and videos a model takes, the first picture first."""
    return [role for role in ROLES if role in card.inputs]


def fields(given: Request, card: ModelCard) -> dict[str, Any]:
    """What of it this model takes, as fields of a request."""
    able = takes(card)
    moving = {role: name for role, name in given.videos.items() if role in able}
    return {
        "pictures": {role: name for role, name in given.pictures.items() if role in able},
        "videos": moving,
        "references": given.references if "references" in able else (),
        "keyframes": given.keyframes if "keyframes" in able else {},
        "loras": given.loras,
        "fit": given.fit,
        "strength": given.strength if card.strength and "video" in moving else None,
    }


def missing(request: Request, card: ModelCard, goes_on: bool = False) -> list[MediaRole]:
    """What the model cannot do without and was not given. `goes_on`: the first picture comes from another clip."""
    given = {*request.given, *(("image",) if goes_on else ())}
    return [role for role in takes(card) if role in card.needs and role not in given]


def filled_in(request: Request, card: ModelCard) -> Request:
    """The same with a stand-in for whatever is missing, for a forecast, which hardly depends on it."""
    absent = missing(request, card)
    pictures = {role: SOMETHING for role in PICTURES if role in absent}
    videos = {role: SOMETHING for role in VIDEOS if role in absent}
    return request.but(pictures=pictures | request.pictures, videos=videos | request.videos)


def is_to_blame(engine: Engine, request: Request, card: ModelCard) -> bool:
    """Whether a request that was refused would do without what it brings."""
    if not (request.given or request.loras):
        return False
    bare = request.but(**({name: getattr(NOTHING, name) for name in FIELDS}))
    try:
        engine.plan(filled_in(bare, card))
    except BadInput:
        return False
    return True


def present(engine: Engine, given: Request) -> Request:
    """What of it is still on this computer: what was brought and never used goes after a day."""
    here = engine.media.ids()
    worn = {file.id for file in engine.loras.kept()} if given.loras else set()
    return given.but(
        pictures={role: name for role, name in given.pictures.items() if name in here},
        videos={role: name for role, name in given.videos.items() if name in here},
        references=tuple(name for name in given.references if name in here),
        keyframes={frame: name for frame, name in given.keyframes.items() if name in here},
        loras=tuple(use for use in given.loras if use.id in worn),
    )


def changed(given: Request, **changes: Any) -> Request:
    """With other fields; as it was where they make no sense."""
    try:
        return NOTHING.model_validate(given.model_dump() | changes)
    except ValueError:
        return given


def with_media(given: Request, role: str, name: str, is_video: bool, frame: int = 0) -> Request:
    """Something was brought for a role. `frame`: where a picture in between is seen."""
    if role == "references":
        return changed(given, references=[*given.references, name])
    if role == "keyframes":
        return changed(given, keyframes=given.keyframes | {frame: name})
    given = without(given, role)
    return changed(given, videos=given.videos | {role: name}) if is_video else \
        changed(given, pictures=given.pictures | {role: name})  # fmt: skip


def without(given: Request, role: str, which: str = "") -> Request:
    """Something was taken away; `which`, where a role has several: the picture, or the frame it is seen at."""
    frames = given.keyframes if role == "keyframes" else {}
    return changed(
        given,
        pictures={key: name for key, name in given.pictures.items() if key != role},
        videos={key: name for key, name in given.videos.items() if key != role},
        references=[name for name in given.references if (role, which) != ("references", name)],
        keyframes={at: name for at, name in given.keyframes.items() if at not in frames or str(at) != which},
    )


def moved(given: Request, frame: str, second: str, fps: int) -> Request:
    """A picture in between is seen at another time."""
    name = given.keyframes.get(int(frame)) if frame.isdecimal() else None
    try:
        to = round(float(second) * fps)
    except (ValueError, OverflowError):
        return given
    others = {at: other for at, other in given.keyframes.items() if str(at) != frame}
    return changed(given, keyframes={**others, to: name}) if name else given
