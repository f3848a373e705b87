"""A clip that goes on from another: its last picture starts the next stretch, and the render joins both.

Joined are pictures of one size and frame rate: what it goes on from is brought to those of the new stretch, openly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from engine.media.videos import MAX_SECONDS, sampled
from engine.schema import Aspect, Beginning, FrozenModel, Recipe, Request, ShotPlan, Size
from engine.schema.card import ModelCard
from engine.schema.errors import BadFile, BadSetting
from engine.schema.message import Message

ENDLESS = 10**9
SAME_SHAPE = 0.02


class Source(FrozenModel):
    """A video that a clip goes on from. `fps` is what it was made at, as far as it says so."""

    path: str
    width: int
    height: int
    fps: float
    seconds: float

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"


def look(path: Path) -> Source:
    """Raises BadFile when it cannot be played."""
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            seconds = float((stream.duration or 0) * (stream.time_base or 0))
            fps = round(float(stream.guessed_rate or 0), 3)
            return Source(path=str(path), width=stream.width, height=stream.height, fps=fps, seconds=round(seconds, 3))
    except (av.FFmpegError, IndexError) as error:
        raise BadFile(
            Message("What this clip goes on from cannot be played."), Message("Choose another."), str(error)
        ) from error


def check(card: ModelCard, cards: Sequence[ModelCard]) -> None:
    """Raises BadSetting, with models that can, for one that starts from words alone."""
    if "image" in card.inputs and not card.not_yet:
        return
    able = [other.name for other in cards if "image" in other.inputs and "last_image" not in other.needs]
    raise BadSetting(
        Message("{model} draws from words alone; it cannot go on from a picture.", model=card.name),
        Message("Choose a model that can, such as {able}.", able=able[:3]),
    )


def pictures(path: Path, fps: int) -> Iterator[Any]:
    """What is joined: every frame as it was decoded, or at another frame rate the picture of each moment."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        seconds = float((stream.duration or 0) * (stream.time_base or 0))
        if stream.guessed_rate == fps and abs(stream.frames - seconds * fps) <= 1:  # and no picture is shown longer
            yield from container.decode(stream)
            return
    yield from sampled(path, fps, ENDLESS)


def overlap(source: Source, card: ModelCard) -> int:
    """How many pictures a stretch begins with: one, or one step more where the model goes on from a moving picture."""
    many = card.frames.step + 1
    moving = card.strength is not None and card.strength.continues
    return many if moving and round(source.seconds * card.frames.fps) >= many else 1


def last_pictures(source: Source, fps: int, count: int) -> list[Image.Image]:
    """The last pictures of what is joined."""
    from engine.media import colours  # brings PyAV

    last = deque(pictures(Path(source.path), fps), maxlen=count)
    return [shown if isinstance(shown, Image.Image) else colours.picture(shown) for shown in last]


def request(asked: Request, beginning: Beginning, source: Source, card: ModelCard) -> Request:
    """The request for the next stretch: in the shape of the source, and at its size where the model may."""
    ratio = source.width / source.height
    aspect: Aspect = "wide" if ratio > 1.15 else "tall" if ratio < 1 / 1.15 else "square"
    size, usual = Size(width=source.width, height=source.height), card.render.sizes[aspect]
    changes: dict[str, object] = {"extends": beginning, "aspect": aspect}
    may = card.size.allows(size) and size.width * size.height <= 1.1 * usual.width * usual.height
    if may and not asked.render.width:
        changes["render"] = asked.render.but(width=size.width, height=size.height)
    return asked.but(**changes)


def follow_up(recipe: Recipe) -> Request:
    """The same words, model and settings, without what was given for the stretch before."""
    kept = {"prompt", "negative_prompt", "look", "camera", "model", "dial", "precision", "offload", "loras"}
    return Request(**{name: value for name, value in recipe.plan.request if name in kept})


def reasons(source: Source, plan: ShotPlan) -> list[Message]:
    """How the two are joined, in sentences."""
    run = plan.render
    shared = plan.request.extends.overlap if plan.request.extends else 1
    before, new = round(source.seconds * run.fps), run.num_frames - shared
    if new < 1:
        raise BadSetting(
            Message(
                "{frames} frames are too short to go on: {shared} of them are shown already.",
                frames=run.num_frames,
                shared=shared,
            ),
            Message("Ask for a longer clip."),
        )
    said = [
        Message.joined(
            [
                Message(
                    "Goes on from a video of {before} frames; {new} new ones make it {frames}.",
                    before=before,
                    new=new,
                    frames=before + new,
                ),
                Message.plural(
                    "The picture that both share is shown once, and the new part is brought to its colours.",
                    "The {count} pictures that both share are shown once, and the new part is brought to its colours.",
                    count=shared,
                ),
            ]
        )
    ]
    if plan.request.extends and plan.request.extends.kind == "video" and source.seconds > MAX_SECONDS - 1:
        said.append(
            Message(
                "Of a file from elsewhere its last {seconds:.1f} seconds are kept, with their sound.",
                seconds=source.seconds,
            )
        )
    if abs(source.fps - run.fps) > 0.01:
        said.append(
            Message(
                "What it goes on from has {fps:g} frames a second and is brought to {rate}.",
                fps=source.fps,
                rate=run.fps,
            )
        )
    if (source.width, source.height) != (run.width, run.height):
        same = abs(source.width * run.height - source.height * run.width) <= source.width * run.height * SAME_SHAPE
        said.append(
            Message(
                "What it goes on from is {fitted} from {before} to {now}.",
                fitted=Message("scaled") if same else Message("cropped"),
                before=source.size,
                now=run.size,
            )
        )
    return said
