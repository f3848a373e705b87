"""Options that several commands share, and how their text is read."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel

from engine import (
    Aspect,
    BadFile,
    BadSetting,
    Clip,
    Engine,
    Fit,
    LoraUse,
    Message,
    Mode,
    Offload,
    Outcome,
    PictureRole,
    Precision,
    Recipe,
    Take,
    VideoRole,
)

Fields = TypeVar("Fields", bound=BaseModel)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Model = Annotated[str, typer.Option("--model", help="A model's id; see `models`.")]
Shape = Annotated[str, typer.Option("--aspect", help="square, wide or tall.")]
OutcomeName = Annotated[str | None, typer.Option("--outcome", help="draft, standard or best, for this machine.")]
Frames = Annotated[int | None, typer.Option("--frames", help="Number of frames.")]
Length = Annotated[float | None, typer.Option("--seconds", help="Length of the clip.")]
SizeText = Annotated[str | None, typer.Option("--size", help="Size of the render, as 256x160.")]
LookName = Annotated[str | None, typer.Option("--look", help="A look's name; see `presets`.")]
CameraName = Annotated[str | None, typer.Option("--camera", help="A camera move's name; see `presets`.")]
Seed = Annotated[int | None, typer.Option("--seed", help="The number that picks the take; drawn when left out.")]
Steps = Annotated[int | None, typer.Option("--steps", help="Steps of the render.")]
DeviceName = Annotated[str | None, typer.Option("--device", help="cpu, cuda:0, ...; the best one when left out.")]
FewSteps = Annotated[
    str | None, typer.Option("--few-steps-by", help="A LoRA that draws take and render in few steps: see the model.")
]
VramBudget = Annotated[
    float | None, typer.Option("--vram-gb", help="How much of the graphics card's memory the plan may take.")
]
AttentionName = Annotated[
    str | None, typer.Option("--attention", help="diffusers' name of a way through the attention; for experts.")
]
LoraTexts = Annotated[
    list[str] | None, typer.Option("--lora", help="A LoRA's file or name, perhaps with :strength. May be repeated.")
]
Dial = Annotated[float | None, typer.Option("--dial", help="0 = stay close to the take ... 1 = add detail.")]


def aspect_of_text(text: str) -> Aspect:
    match text:
        case "square" | "wide" | "tall":
            return text
    raise BadSetting(
        Message("There is no shape called '{text}'.", text=text[:20]), Message("Choose square, wide or tall.")
    )


def outcome_of_text(text: str | None) -> Outcome | None:
    match text:
        case None | "draft" | "standard" | "best":
            return text
    raise BadSetting(
        Message("There is no outcome called '{text}'.", text=text[:20]), Message("Choose draft, standard or best.")
    )


def offload_of_text(text: str | None) -> Offload | None:
    match text:
        case None | "model" | "group":
            return text
        case "none" | "resident":
            return "resident"
    raise BadSetting(
        Message("There is no offloading called '{text}'.", text=text[:20]), Message("Choose none, model or group.")
    )


def precision_of_text(text: str | None) -> Precision | None:
    match text:
        case None | "full" | "fp8" | "int8" | "nf4" | "gguf":
            return text
    raise BadSetting(
        Message("There is no number format called '{text}'.", text=text[:20]), Message("Choose full, fp8, int8 or nf4.")
    )


def mode_of_text(text: str | None) -> Mode | None:
    match text:
        case None | "refine" | "continue":
            return text
    raise BadSetting(
        Message("There is no mode called '{text}'.", text=text[:20]), Message("Choose refine or continue.")
    )


def size_of_text(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        width, height = (int(side) for side in text.casefold().split("x"))
    except ValueError as error:
        raise BadSetting(
            Message("'{text}' is not a size.", text=text[:20]),
            Message("Write width x height in pixels, such as 256x160."),
        ) from error
    return {"width": width, "height": height}


def changed(saved: Fields, given: dict[str, Any]) -> Fields:
    """What was saved, with what was given instead."""
    return type(saved).model_validate(
        saved.model_dump() | {name: new for name, new in given.items() if new is not None}
    )


def chosen_loras(studio: Engine, model: str, texts: list[str] | None) -> tuple[LoraUse, ...] | None:
    """Each FILE[:strength] or NAME[:strength]; a file that fits the model is taken in. Raises BadInput."""
    if texts is None:
        return None
    uses = []
    for text in texts:
        name, _, tail = text.rpartition(":")
        if not (name and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", tail)):  # else the colon is part of a path
            name, tail = text, "1"
        path = Path(name)
        file = studio.keep_lora(path, model) if path.suffix.casefold() == ".safetensors" else studio.loras.find(name)
        uses.append(LoraUse(id=file.id, strength=float(tail)))
    return tuple(uses)


def check_out(out: Path | None) -> None:
    """Before anything starts: a render of an hour must not end at a wrong path."""
    if out is None:
        return
    if out.suffix.casefold() != ".mp4":
        raise BadFile(Message("{out} does not end in .mp4.", out=out.name), Message("Name the file something.mp4."))
    if not out.parent.is_dir():
        raise BadFile(
            Message("The folder {parent} does not exist.", parent=out.parent),
            Message("Make it first, or choose another."),
        )
    try:  # asking the system for permission is not enough: it may say yes and then refuse
        if out.is_dir() or (out.exists() and not os.access(out, os.W_OK)):
            raise PermissionError
        probe = out.with_name(out.name + ".part")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BadFile(
            Message("{out} cannot be written.", out=out), Message("Choose another name or folder.")
        ) from error


def row(item: Take | Clip) -> dict[str, Any]:
    recipe: Recipe = item.recipe
    return {"id": item.id, "file": item.video, "created": recipe.created, "model": recipe.plan.model,
            "prompt": recipe.plan.request.prompt, "seed": recipe.plan.seed, "take_id": recipe.take_id,
            "seconds": recipe.seconds, "favourite": item.favourite,
            "forecast_seconds": recipe.plan.seconds(recipe.kind), "licence": recipe.rights}  # fmt: skip


# ---- pictures and videos ----

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
            "pictures": {role: studio.media.keep_picture(path, under) for role, path in self.pictures.items()},
            "references": tuple(studio.media.keep_picture(path, under) for path in self.references),
            "keyframes": {frame: studio.media.keep_picture(path, under) for frame, path in self.keyframes.items()},
            "videos": {role: studio.media.keep_video(path, under) for role, path in self.videos.items()},
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
    raise BadSetting(Message("There is no way to fit called '{text}'.", text=text[:20]), Message("Choose crop or pad."))


MOST_DIGITS = 9  # Python refuses to read a number without end


def _keyframe(text: str) -> tuple[int, Path]:
    frame, _, path = text.partition("=")
    if not frame.isdecimal() or len(frame) > MOST_DIGITS or not path:
        raise BadSetting(
            Message("'{text}' is no picture at a frame.", text=text[:40]),
            Message("Write FRAME=PICTURE, such as 24=middle.png."),
        )
    return int(frame), Path(path)
