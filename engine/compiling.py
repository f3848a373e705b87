"""Whether the blocks of a transformer are compiled before they run (regional compilation). Pure.

Only where somebody asks for it: no card has been measured yet, and the first steps of a size pay for it.
Where it is known to go wrong it is refused.
"""

from __future__ import annotations

from engine.card import ModelCard
from engine.types import Device, Request

CAPABILITY = 8.0  # Ampere; older cards lack the number formats that the generated code is good for
SAID = "Its blocks are compiled, as asked: the first steps of each size take longer. What it saves was not measured."
NOT_WHOLE = "Its blocks are not compiled: that needs all weights on the card in full precision, and they do not fit."


def obstacle(request: Request, card: ModelCard, device: Device, system: str) -> str:
    """Why it cannot be done, in a sentence; empty when it can or nobody asked."""
    if not request.compiled:
        return ""
    if not card.compiles:
        return f"{card.name} cannot be compiled block by block."
    if device.kind != "cuda" or system != "Linux":
        return "Compiling needs an NVIDIA card under Linux."
    if device.capability < CAPABILITY:
        return f"{device.name} is too old for compiled blocks."
    if any(lora.strength for lora in request.loras):
        return "Compiled blocks and LoRAs do not go together: each change would compile anew."
    return ""
