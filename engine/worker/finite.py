"""Whether what was computed is still numbers. A clip that is not would be black, and is never kept."""

from __future__ import annotations

import torch

from engine.schema import ShotPlan
from engine.schema.errors import Overflowed
from engine.schema.message import Message

CAUSE = Message("The numbers of this clip overflowed, so its pictures would have been black.")


def check(computed: torch.Tensor, plan: ShotPlan) -> None:
    """Raises Overflowed, with the likeliest cause first in its remedy. Waits for the device."""
    if not bool(torch.isfinite(computed).all()):
        raise Overflowed(CAUSE, _remedy(plan), f"{plan.placement.model_dump_json()}")


def _remedy(plan: ShotPlan) -> Message:
    placement = plan.placement
    if any(lora.strength for lora in plan.loras):
        return Message("Leave the LoRAs out, or lower their strength: one may be damaged or made for another model.")
    if placement.dtype == "float16":
        return Message(
            "This card's 16-bit numbers are too small for this model: choose another model, or the device cpu."
        )
    if placement.precision != "full":
        return Message("Choose full precision under the expert settings: its weights were made too small.")
    if placement.attention != "native":
        return Message("Leave the attention to Rushes under the expert settings.")
    return Message("Try another seed; if it happens again, run `app.py doctor --card`, which tests your card.")
