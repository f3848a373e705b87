"""Which number formats and offload modes go together, on which device, for which model: a table of what cannot be.

The facts are those of the pinned diffusers, bitsandbytes and torch; docs/decisions/0006-number-formats.md names them.
"""

from __future__ import annotations

from engine.schema import Device, Offload, Precision
from engine.schema.card import ModelCard

WORDS: dict[Precision, str] = {
    "full": "Full precision",
    "fp8": "8-bit storage (fp8)",
    "int8": "8-bit weights (int8)",
    "nf4": "4-bit weights (nf4)",
    "gguf": "GGUF weights",
}
INT8_CAPABILITY = 7.5  # the oldest cards on which bitsandbytes multiplies 8-bit integers


def obstacle(card: ModelCard, device: Device, precision: Precision, offload: Offload) -> str:
    """Why a combination cannot run, in a sentence; empty when it can."""
    return _of_model(card, precision) or obstacle_here(device, precision, offload)


def obstacle_here(device: Device, precision: Precision, offload: Offload) -> str:
    """The same whatever the model is."""
    return _of_device(device, precision, offload) or _of_both(precision, offload)


def _of_model(card: ModelCard, precision: Precision) -> str:
    if card.is_gguf and precision != "gguf":
        return f"{card.name} comes with its weights made smaller already; {WORDS[precision]} cannot be had of it."
    if precision == "gguf" and not card.is_gguf:
        return f"{card.name} does not come as a GGUF file."
    if card.is_gguf and "transformer" not in card.single_files:
        return f"{card.name} cannot be read from a GGUF file."
    return ""


def _of_device(device: Device, precision: Precision, offload: Offload) -> str:
    if precision in ("int8", "nf4") and (device.kind == "cpu" or not device.capabilities.bitsandbytes):
        return f"{WORDS[precision]} need a graphics card of NVIDIA, AMD or Intel."
    if precision == "fp8" and not device.capabilities.fp8:
        return "Apple GPUs do not know the number format fp8."
    if precision == "int8" and device.compute_capability and device.capability < INT8_CAPABILITY:
        return f"{device.name} is too old for {WORDS[precision]}."
    if offload != "resident" and device.kind == "cpu":
        return "There is nothing to offload to on the CPU."
    if offload != "resident" and device.shares_ram:
        return f"{device.name} uses the computer's own memory, so there is nothing to offload to."
    return ""


def _of_both(precision: Precision, offload: Offload) -> str:
    if precision == "int8" and offload == "group":
        return f"{WORDS[precision]} cannot be streamed: bitsandbytes keeps a copy of them on the card."
    return ""
