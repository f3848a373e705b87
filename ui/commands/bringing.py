"""Pictures and videos on the command line: what each is for, and when they are opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from engine import BadSetting, Engine, Fit, PictureRole, VideoRole

Picture = Path | None
Image = Annotated[Picture, typer.Option("--image", help="A picture to start from.")]
LastImage = Annotated[Picture, typer.Option("--last-image", help="A picture to end on.")]
Video = Annotated[Picture, typer.Option("--video", help="A video to start from, or to repaint where --mask is white.")]
Control = Annotated[Picture, typer.Option("--control", help="A video of depth, poses or edges to follow.")]
Face = Annotated[Picture, typer.Option("--face", help="A video of the face that a character is to make.")]
Mask = Annotated[Picture, typer.Option("--mask", help="A picture or video, white where --video is to be repainted.")]
References = Annotated[
    list[Path] | None, typer.Option("--reference", help="A person or thing to show; may be repeated.")
]
Keyframes = Annotated[
    list[str] | None, typer.Option("--at", help="FRAME=PICTURE, seen at that frame; may be repeated.")
]
Background = Annotated[
    str | None, typer.Option("--background", help="The colour behind transparent parts, as #rrggbb.")
]
FitText = Annotated[str | None, typer.Option("--fit", help="How they get the clip's shape: crop or pad.")]
Strength = Annotated[float | None, typer.Option("--strength", help="How far a clip may leave its --video, 0 to 1.")]
MOVING = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif", ".ts"}
UNSEEN = "0" * 32  # stands for a file that was not opened yet


@dataclass(frozen=True)
class Brought:
    """The files of a command, by what they are for."""

    pictures: dict[PictureRole, Path] = field(default_factory=dict)
    references: list[Path] = field(default_factory=list)
    keyframes: dict[int, Path] = field(default_factory=dict)
    videos: dict[VideoRole, Path] = field(default_factory=dict)
    background: str | None = None

    def __bool__(self) -> bool:
        return any((self.pictures, self.references, self.keyframes, self.videos))

    def unseen(self) -> dict[str, Any]:
        """The fields of a request as a plan needs them, before any file is opened."""
        return {
            "pictures": dict.fromkeys(self.pictures, UNSEEN),
            "references": (UNSEEN,) * len(self.references),
            "keyframes": dict.fromkeys(self.keyframes, UNSEEN),
            "videos": dict.fromkeys(self.videos, UNSEEN),
        }

    def kept(self, studio: Engine) -> dict[str, Any]:
        """The same fields, every file taken in. Raises BadFile."""
        under = self.background
        return {
            "pictures": {role: studio.keep_picture(path, under) for role, path in self.pictures.items()},
            "references": tuple(studio.keep_picture(path, under) for path in self.references),
            "keyframes": {frame: studio.keep_picture(path, under) for frame, path in self.keyframes.items()},
            "videos": {role: studio.keep_video(path, under) for role, path in self.videos.items()},
        }


def brought(
    pictures: dict[PictureRole, Picture], videos: dict[VideoRole, Picture], references: References, at: Keyframes
) -> Brought:
    """What was given of all that could be; a mask is a picture or a video by its name. Raises BadSetting."""
    still = {role: path for role, path in pictures.items() if path is not None}
    moving = {role: path for role, path in videos.items() if path is not None}
    mask = still.get("mask")
    if mask is not None and mask.suffix.casefold() in MOVING:
        moving["mask"] = still.pop("mask")
    return Brought(still, references or [], dict(_keyframe(text) for text in at or []), moving)


def fit_of_text(text: str | None) -> Fit | None:
    match text:
        case None | "crop" | "pad":
            return text
    raise BadSetting(f"There is no way to fit called '{text[:20]}'.", "Choose crop or pad.")


MOST_DIGITS = 9  # Python refuses to read a number without end


def _keyframe(text: str) -> tuple[int, Path]:
    frame, _, path = text.partition("=")
    if not frame.isdecimal() or len(frame) > MOST_DIGITS or not path:
        raise BadSetting(f"'{text[:40]}' is no picture at a frame.", "Write FRAME=PICTURE, such as 24=middle.png.")
    return int(frame), Path(path)
