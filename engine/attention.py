"""Which way through the attention a model takes on a device, by diffusers' names for it. Pure.

Only ways that torch itself brings: the others need a package of their own, or fetch their code while a clip is made.
Nothing was measured yet that says one is faster than what torch chooses, so that is left to torch where it is safe: on
cards that have no flash kernels it may fall back on a way whose memory grows with the square of the clip.
"""

from __future__ import annotations

from engine.card import ModelCard
from engine.types import Attention, Device

WORDS: dict[Attention, str] = {
    "native": "torch's own choice for each call",
    "_native_cudnn": "the kernels of cuDNN",
    "_native_flash": "the flash kernels",
    "_native_efficient": "the memory-efficient kernels",
}
CHOOSES = ("cuda", "rocm", "pretend")  # devices on which torch has several ways
FLASH_CAPABILITY = 8.0  # the oldest cards that flash and cuDNN compute attention on: Ampere


def choose(asked: Attention | None, card: ModelCard, device: Device) -> tuple[Attention, str]:
    """The way and the reason for it; what was asked for has passed `obstacle`."""
    if asked:
        return asked, f"Attention by {WORDS[asked]}, as asked."
    if device.kind not in CHOOSES:
        return "native", f"Attention by {WORDS['native']}: there is no other on this device."
    if card.attention == "fixed":
        return "native", f"Attention by {WORDS['native']}: {card.name} has it built in."
    if not device.capability:  # of AMD; forced kernels that it lacks would end the job, torch's choice never does
        return "native", f"Attention by {WORDS['native']}: {device.name} does not say which kernels it has."
    if device.capability < FLASH_CAPABILITY:
        way: Attention = "_native_efficient"
        return (
            way,
            f"Attention by {WORDS[way]}: {device.name} is too old for faster ones, and others need far more memory.",
        )
    return "native", f"Attention by {WORDS['native']}: exact, and no measurement says that another is faster."


def obstacle(asked: Attention | None, card: ModelCard, device: Device) -> str:
    """Why a way that was asked for cannot be taken, in a sentence; empty when it can."""
    if asked in (None, "native"):
        return ""
    words = WORDS[asked]
    if device.kind not in CHOOSES:
        return f"Attention by {words} needs an NVIDIA card."
    if card.attention == "fixed":
        return f"{card.name} has its attention built in; another one cannot be chosen."
    if asked == "_native_flash" and card.attention == "masked":
        return f"{card.name} leaves out empty words by a mask, which the flash kernels do not know."
    if asked != "_native_efficient" and device.capability < FLASH_CAPABILITY:
        return f"{device.name} is too old for attention by {words}."
    return ""
