"""What to do when memory runs out: one rung at a time, the ones that leave the picture alone first. Pure.

Loading and drawing offload more; decoding goes through time in slices, through the picture in tiles, then to the CPU.
What alters the picture (smaller weights, fewer frames, a smaller size) is left for last and needs the person's consent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.planning.compatibility import obstacle
from engine.planning.cost import operations
from engine.schema import (
    Device,
    Offload,
    Overrides,
    Pass,
    Placement,
    Precision,
    Readers,
    Run,
    Shortage,
    ShotPlan,
    ShotStage,
    Work,
)
from engine.schema.card import ModelCard
from engine.schema.message import NOTHING, Message

NAMES: dict[Shortage, Message] = {
    "vram": Message("The graphics card's memory (VRAM)"),
    "fragmented": Message("The graphics card's memory (VRAM) was in pieces too small to use, so it"),
    "pinned": Message("The part of the computer's memory that the graphics card reads directly (pinned RAM)"),
    "ram": Message("The computer's memory (RAM)"),
    "page_file": Message("The page file of Windows (virtual memory)"),
}
DOING: dict[Work, Message] = {
    "loading": Message("while the model was being loaded"),
    "denoising": Message("while the shot was being drawn"),
    "decoding": Message("while the pictures were being decoded"),
}
ROOM = Message("Close other programs, or choose a shorter clip, a smaller size or a smaller model.")
FRESH = Message("The engine starts afresh, with its memory in one piece.")
OFFLOADS: tuple[Offload, ...] = ("resident", "model", "group")
READERS: tuple[Readers, ...] = ("resident", "streamed", "dropped")
PRECISIONS: tuple[Precision, ...] = ("full", "fp8", "nf4")
SHRINK = 0.75  # of the frames, or of each side, at a step
CHANGES: dict[str, Message] = {
    "model": Message("The model is moved to the graphics card one part at a time."),
    "group": Message("The model is streamed from the computer's memory block by block."),
    "text_encoder": Message("The text encoder is let go once the words are read."),
    "resident_gb": Message("Less of the model stays on the graphics card."),
    "streamed": Message("The text encoder waits in the computer's memory."),
    "pin_memory": Message("The model is streamed from ordinary memory, which is a little slower."),
    "layer_by_layer": Message("The model's weights are made smaller layer by layer, in the computer's memory."),
    "vae_slicing": Message("The pictures are decoded a few frames at a time."),
    "vae_tiling": Message("The pictures are decoded in tiles."),
    "vae_on_cpu": Message("The pictures are decoded by the processor, which is slower."),
    "fp8": Message("The model's weights are stored in 8 bits."),
    "nf4": Message("The model's weights are stored in 4 bits."),
}


@dataclass(frozen=True)
class FallbackStep:
    """One way to go on. `alters`: the picture will not be quite the one that was asked for."""

    plan: ShotPlan
    change: Message
    alters: bool = False


def reason(what: Shortage, doing: Work) -> Message:
    """What happened, in a sentence."""
    return Message("{names} ran out {doing}.", names=NAMES[what], doing=DOING[doing])


def next_step(
    plan: ShotPlan, stage: ShotStage, shortage: tuple[Shortage, Work], card: ModelCard
) -> FallbackStep | None:
    """The next thing to try after this shortage; None at the foot of the ladder."""
    what, doing = shortage
    if what == "fragmented" and FRESH not in plan.adjusted:
        return FallbackStep(plan.but(adjusted=(*plan.adjusted, FRESH)), FRESH)
    harmless = (
        _decoding(plan.placement, what, card) if doing == "decoding" else _offloading(plan.placement, what, doing)
    )
    for change, update in harmless:
        changed = _placed(plan, change, update)
        if works(changed.placement, card):
            return FallbackStep(changed, CHANGES[change])
    for rung in _altering(plan, stage, doing, card):
        return rung
    return None


def start_at(
    placement: Placement, pixels: int, runs: Sequence[Run], chosen: Mapping[str, str] | None = None
) -> tuple[Placement, Message]:
    """The placement that a plan of `pixels` starts with after these runs, oldest first, and why where it differs.

    Where memory ran out, clips as large and larger start as that one ended, until one finishes with less to help it.
    `chosen`: what the person set, which stays.
    """
    here = [run for run in runs if run.placement and run.placement.device == placement.device]
    learned = placement
    for number, run in enumerate(here):
        if run.adjusted and pixels >= run.pixels and not any(_disproves(later, run) for later in here[number + 1 :]):
            learned = _lower(learned, run.placement or placement)
    learned = learned.but(**(chosen or {}))
    if learned.offload != "group":
        learned = learned.but(resident_gb=0.0)
    if learned == placement:
        return placement, NOTHING
    now, then = learned.model_dump(), placement.model_dump()
    less = {name for name in now if now[name] != then[name] and not (name == "resident_gb" and now[name] > then[name])}
    changed = [CHANGES.get(str(now[name]), CHANGES.get(name, NOTHING)) for name in now if name in less]
    return learned, Message.joined([Message("Memory ran out here before with this model."), *changed])


def _disproves(later: Run, run: Run) -> bool:
    """Whether a clip as large was finished later without all of the help that this one needed."""
    assert later.placement and run.placement
    return later.pixels >= run.pixels and _lower(later.placement, run.placement) != later.placement


# ---- rungs that leave the picture alone ----

Step = tuple[str, dict[str, Any]]  # the name of a change, and the fields of the placement it sets


def _offloading(placement: Placement, what: Shortage, doing: Work) -> Iterator[Step]:
    if what in ("ram", "page_file") and placement.text_encoder != "dropped":
        yield "text_encoder", {"text_encoder": "dropped"}
    if what == "pinned" and placement.pin_memory:
        yield "pin_memory", {"pin_memory": False}
    elif what in ("vram", "fragmented") and placement.kind != "cpu":
        if doing == "loading" and placement.bits and placement.offload != "resident" and not placement.layer_by_layer:
            yield "layer_by_layer", {"layer_by_layer": True}
        if placement.resident_gb:
            yield "resident_gb", _half(placement)
        if doing != "loading" and placement.reader_may_wait:
            yield "streamed", {"text_encoder": "streamed"}
        for offload in OFFLOADS[OFFLOADS.index(placement.offload) + 1 :]:
            yield offload, {"offload": offload}


def _decoding(placement: Placement, what: Shortage, card: ModelCard) -> Iterator[Step]:
    if what == "pinned":
        yield from _offloading(placement, what, "decoding")
    if card.vae_slices and not placement.vae_slicing:
        yield "vae_slicing", {"vae_slicing": True}
    if not placement.vae_tiling:
        yield "vae_tiling", {"vae_tiling": True}
    if what in ("vram", "fragmented") and placement.resident_gb:
        yield "resident_gb", _half(placement)
    if what in ("vram", "fragmented") and placement.kind != "cpu" and not placement.vae_on_cpu:
        yield "vae_on_cpu", {"vae_on_cpu": True}


def _half(placement: Placement) -> dict[str, Any]:
    """Of what stays on the card; less than a GB saves no time."""
    half = round(placement.resident_gb / 2, 1)
    return {"resident_gb": half if half >= 1 else 0.0}


def _placed(plan: ShotPlan, change: str, fields: dict[str, Any]) -> ShotPlan:
    placement = plan.placement.but(**fields)
    return plan.but(placement=placement, adjusted=(*plan.adjusted, CHANGES[change]))


def _lower(one: Placement, other: Placement) -> Placement:
    """The one of both that needs less memory, field by field."""
    drawn = _smallest(one.precision, other.precision)
    read = _smallest(one.precision_of("text_encoder"), other.precision_of("text_encoder"))
    return one.but(
        precision=drawn,
        text_precision=None if read == drawn else read,
        offload=max(one.offload, other.offload, key=OFFLOADS.index),
        layer_by_layer=one.layer_by_layer or other.layer_by_layer,
        pin_memory=one.pin_memory and other.pin_memory,
        resident_gb=_least_resident(one, other),
        vae_slicing=one.vae_slicing or other.vae_slicing,
        vae_tiling=one.vae_tiling or other.vae_tiling,
        vae_on_cpu=one.vae_on_cpu or other.vae_on_cpu,
        text_encoder=max(one.text_encoder, other.text_encoder, key=READERS.index),
    )


def _least_resident(one: Placement, other: Placement) -> float:
    """Where nothing is streamed, none is counted, and it says nothing of how much could stay."""
    return min((way.resident_gb for way in (one, other) if way.offload == "group"), default=0.0)


def _smallest(*precisions: Precision) -> Precision:
    return max(precisions, key=lambda name: PRECISIONS.index(name) if name in PRECISIONS else 1)


# ---- rungs that need consent ----


def _altering(plan: ShotPlan, stage: ShotStage, doing: Work, card: ModelCard) -> Iterator[FallbackStep]:
    """Each also changes the plan's request, so that a repeat of the recipe asks for the same."""
    if doing != "decoding":  # the VAE's weights keep their format
        yield from _smaller_weights(plan, card, doing)
    if stage == "take":  # a render has the length that was approved
        yield from _fewer_frames(plan, card)
    yield from _smaller_size(plan, stage, card)


def works(placement: Placement, card: ModelCard) -> bool:
    device = Device(id=placement.device, kind=placement.kind, name="")
    return not obstacle(card, device, placement.precision, placement.offload)


def _smaller_weights(plan: ShotPlan, card: ModelCard, doing: Work) -> Iterator[FallbackStep]:
    now = plan.placement.precision
    words = plan.placement.precision_of("text_encoder")
    both = _smallest(now, words) == words  # else the text encoder's weights can still become as small
    for precision in PRECISIONS[PRECISIONS.index(now) + both :] if now in PRECISIONS else ("nf4",):
        kept = words if _smallest(precision, words) != precision else None  # they were smaller already
        fields: dict[str, Any] = {"precision": precision, "text_precision": kept}
        if doing == "loading" and plan.placement.offload != "resident":  # whole, they had no room
            fields |= {"layer_by_layer": precision == "nf4"}
        changed = _placed(plan, precision, fields)
        if not works(changed.placement, card):
            continue
        request = plan.request.but(precision=precision)
        yield FallbackStep(changed.but(request=request), CHANGES[precision], alters=True)


def _fewer_frames(plan: ShotPlan, card: ModelCard) -> Iterator[FallbackStep]:
    rule, now = card.frames, plan.take.num_frames
    frames = rule.below(int(now * SHRINK))
    if frames < rule.minimum:
        return
    change = Message(
        "The clip gets {frames} frames instead of {now} ({seconds:.1f} seconds).",
        frames=frames,
        now=now,
        seconds=frames / rule.fps,
    )
    request = plan.request.but(num_frames=frames, seconds=None)
    take, render = (_sized(run, card, num_frames=frames) for run in (plan.take, plan.render))
    yield _altered(plan, change, {"request": request, "take": take, "render": render})


def _smaller_size(plan: ShotPlan, stage: ShotStage, card: ModelCard) -> Iterator[FallbackStep]:
    if card.latent_upsampler or plan.take.part:
        return  # the sizes of take and render hang together
    rule, now = card.size, plan.run(stage)
    width, height = (rule.below(int(side * SHRINK)) for side in (now.width, now.height))
    if min(width, height) < rule.minimum:
        return
    change = Message(
        "The picture gets {width}x{height} pixels instead of {now}.", width=width, height=height, now=now.size
    )
    asked: Overrides = getattr(plan.request, stage)
    request = plan.request.but(**{stage: asked.but(width=width, height=height)})
    yield _altered(plan, change, {"request": request, stage: _sized(now, card, width=width, height=height)})


def _altered(plan: ShotPlan, change: Message, update: dict[str, Any]) -> FallbackStep:
    return FallbackStep(plan.but(**(update | {"adjusted": (*plan.adjusted, change)})), change, alters=True)


def _sized(run: Pass, card: ModelCard, **fields: int) -> Pass:
    smaller = run.but(**fields)
    return smaller.but(operations=operations(card, smaller))
