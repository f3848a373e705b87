"""Pictures and videos of a request, brought to the size, length and frame rate of what is made from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageOps

from engine.media.images import picture_path, video_path
from engine.media.videos import sampled
from engine.schema import Fit, MediaRole, Pass, PictureRole, Request, VideoRole
from engine.schema.errors import BadFile
from engine.schema.message import Message

FACE_SIDE = 512  # what Wan Animate's face reader looks at
FILLS: dict[MediaRole, str] = {"mask": "white", "references": "white"}  # the border of a mask is to be made too


@dataclass(frozen=True)
class Given:
    """What a person brought, as the model will see it. A mask is always a list of pictures, in `videos`."""

    pictures: dict[PictureRole, Image.Image] = field(default_factory=dict)
    references: list[Image.Image] = field(default_factory=list)
    keyframes: dict[int, Image.Image] = field(default_factory=dict)
    videos: dict[VideoRole, list[Image.Image]] = field(default_factory=dict)

    def of(self, role: MediaRole) -> list[Image.Image]:
        """All that is given for one thing."""
        match role:
            case "references":
                return self.references
            case "keyframes":
                return list(self.keyframes.values())
            case "image" | "last_image":
                return [self.pictures[role]] if role in self.pictures else []
        return self.videos.get(role, [])

    def pinned(self, num_frames: int) -> dict[int, Image.Image]:
        """Pictures that are to be seen at a frame, the first and the last one among them."""
        ends: dict[PictureRole, int] = {"image": 0, "last_image": num_frames - 1}
        return {ends[role]: picture for role, picture in self.pictures.items()} | self.keyframes


def held(images: list[Image.Image], count: int) -> list[Image.Image]:
    """`count` pictures: what there is, then the last one until the end."""
    return (images + images[-1:] * count)[:count]


def read(folder: Path, request: Request, run: Pass) -> Given:
    """All of a request's pictures and videos, kept in `folder`, for one pass. Raises BadFile when one is gone."""
    sizes: dict[MediaRole, tuple[int, int]] = {"face_video": (FACE_SIDE, FACE_SIDE)}

    def fit(image: Image.Image, role: MediaRole) -> Image.Image:
        how: Fit = "pad" if role == "references" else request.fit  # a reference is shown whole
        return fitted(image, sizes.get(role, (run.width, run.height)), how, FILLS.get(role, "black"))

    def still(name: str, role: MediaRole) -> Image.Image:
        with Image.open(picture_path(folder, name)) as image:
            return fit(image.convert("RGB"), role)

    try:
        moving: dict[VideoRole, list[Image.Image]] = {
            role: [fit(image, role) for image in sampled(video_path(folder, name), run.fps, run.num_frames)]
            for role, name in request.videos.items()
        }
        if "mask" in request.pictures:
            moving["mask"] = [still(request.pictures["mask"], "mask")] * run.num_frames
        return Given(
            pictures={role: still(name, role) for role, name in request.pictures.items() if role != "mask"},
            references=[still(name, "references") for name in request.references],
            keyframes={frame: still(name, "keyframes") for frame, name in sorted(request.keyframes.items())},
            videos=moving,
        )
    except OSError as error:
        raise BadFile(
            Message("A picture or video of this shot is no longer there."), Message("Choose it again.")
        ) from error


def fitted(image: Image.Image, size: tuple[int, int], fit: Fit, fill: str = "black") -> Image.Image:
    """As much of the middle as has the right shape, or all of it between bars."""
    if fit == "crop":
        return ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    return ImageOps.pad(image, size, Image.Resampling.LANCZOS, color=fill)


def strip(images: Iterable[Image.Image]) -> Image.Image:
    """Pictures side by side: all of a few; of many the first, the middle and the last."""
    shown = list(images)
    shown = shown if len(shown) <= 3 else [shown[0], shown[len(shown) // 2], shown[-1]]
    sheet = Image.new("RGB", (sum(image.width for image in shown), shown[0].height))
    for number, image in enumerate(shown):
        sheet.paste(image, (sum(before.width for before in shown[:number]), 0))
    return sheet
