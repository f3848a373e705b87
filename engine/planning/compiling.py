"""Whether the blocks of a transformer are compiled before they run (regional compilation). Pure.

Where somebody asks for it; and where the test of this card says that what it saves in all that is to be drawn is more
than the first call of each size costs. Where it is known to go wrong it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.planning.forecast import denoising
from engine.schema import Device, HardwareProfile, Pass, Request, ShotPlan
from engine.schema.card import ModelCard
from engine.schema.message import NOTHING, Message

CAPABILITY = 8.0  # Ampere; older cards lack the number formats that the generated code is good for
PAYS = 1.05  # times as fast; what saves less is within what the same run varies by
SAID = Message(
    "Its blocks are compiled, as asked: the first steps of each size take longer. What it saves was not measured."
)
NOT_WHOLE = Message(
    "Its blocks are not compiled: that needs all weights on the card in full precision, and they do not fit."
)


def compile_obstacle(request: Request, card: ModelCard, device: Device, system: str) -> Message:
    """Why it cannot be done, in a sentence; empty when it can."""
    if not card.compiles:
        return Message("{model} cannot be compiled block by block.", model=card.name)
    if device.kind != "cuda" or not system.startswith("Linux"):
        return Message("Compiling needs an NVIDIA card under Linux.")
    if device.capability < CAPABILITY:
        return Message("{device} is too old for compiled blocks.", device=device.name)
    if any(lora.strength for lora in request.loras):
        return Message("Compiled blocks and LoRAs do not go together: each change would compile anew.")
    return NOTHING


def where_it_pays(
    plan: ShotPlan, card: ModelCard, hardware: HardwareProfile, queued: Sequence[tuple[str, ShotPlan]] = ()
) -> ShotPlan:
    """The plan with compiled blocks, saying so, where they save time in it and in those that wait (`queued`)."""
    device = next((device for device in hardware.devices if device.id == plan.placement.device), hardware.best)
    measured = device.measured
    if plan.placement.compiled or not (measured and measured.compiled >= PAYS and plan.placement.whole):
        return plan
    if compile_obstacle(plan.request, card, device, hardware.system):
        return plan
    alike = [(stage, other) for stage, other in queued if other.model == plan.model
             and _shape(other.run(stage)) == _shape(plan.run(stage))]  # fmt: skip
    stages = [stage.name for stage in plan.stages]
    waiting = [*stages, *(stage for stage, _ in alike)]
    seconds = sum(sum(denoising(card, plan.run(stage), plan.placement, device, hardware.cpu_count)) / 2
                  for stage in waiting)  # fmt: skip
    saved = (1 - 1 / measured.compiled) * seconds
    cost = measured.compile_seconds * len({_shape(plan.run(stage)) for stage in stages})
    if saved <= cost:
        return plan
    why = Message(
        "Its blocks are compiled: {compiled:.2f} times as fast by this card's test, which saves more "
        "than the {cost:.0f} s that it takes at first.",
        compiled=measured.compiled,
        cost=cost,
    )
    placement = plan.placement.but(compiled=True)
    return plan.but(placement=placement, reasons=(*plan.reasons, why))


def _shape(run: Pass) -> tuple[int, int, int]:
    """Code is made for each."""
    return run.width, run.height, run.num_frames
