"""Options that several commands share, and how their text is read."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel

from engine import Aspect, BadFile, BadSetting, Clip, Engine, LoraUse, Mode, Offload, Outcome, Precision, Recipe, Take

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
    raise BadSetting(f"There is no shape called '{text[:20]}'.", "Choose square, wide or tall.")


def outcome_of_text(text: str | None) -> Outcome | None:
    match text:
        case None | "draft" | "standard" | "best":
            return text
    raise BadSetting(f"There is no outcome called '{text[:20]}'.", "Choose draft, standard or best.")


def offload_of_text(text: str | None) -> Offload | None:
    match text:
        case None | "model" | "group":
            return text
        case "none" | "resident":
            return "resident"
    raise BadSetting(f"There is no offloading called '{text[:20]}'.", "Choose none, model or group.")


def precision_of_text(text: str | None) -> Precision | None:
    match text:
        case None | "full" | "fp8" | "int8" | "nf4" | "gguf":
            return text
    raise BadSetting(f"There is no number format called '{text[:20]}'.", "Choose full, fp8, int8 or nf4.")


def mode_of_text(text: str | None) -> Mode | None:
    match text:
        case None | "refine" | "continue":
            return text
    raise BadSetting(f"There is no mode called '{text[:20]}'.", "Choose refine or continue.")


def size_of_text(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        width, height = (int(side) for side in text.casefold().split("x"))
    except ValueError as error:
        raise BadSetting(f"'{text[:20]}' is not a size.", "Write width x height in pixels, such as 256x160.") from error
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
        raise BadFile(f"{out.name} does not end in .mp4.", "Name the file something.mp4.")
    if not out.parent.is_dir():
        raise BadFile(f"The folder {out.parent} does not exist.", "Make it first, or choose another.")
    try:  # asking the system for permission is not enough: it may say yes and then refuse
        if out.is_dir() or (out.exists() and not os.access(out, os.W_OK)):
            raise PermissionError
        probe = out.with_name(out.name + ".part")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BadFile(f"{out} cannot be written.", "Choose another name or folder.") from error


def row(item: Take | Clip) -> dict[str, Any]:
    recipe: Recipe = item.recipe
    return {"id": item.id, "file": item.video, "created": recipe.created, "model": recipe.plan.model,
            "prompt": recipe.plan.request.prompt, "seed": recipe.plan.seed, "take_id": recipe.take_id,
            "seconds": recipe.seconds,
            "forecast_seconds": recipe.plan.seconds(recipe.kind), "licence": recipe.rights}  # fmt: skip
