"""Which way through the attention a model takes on a device, by diffusers' names for it. Pure.

torch brings some ways itself, and the test of the card says how fast each is there. Without it the choice is left to
torch where that is safe: on cards that have no flash kernels it may fall back on a way whose memory grows with the
square of the clip. FlashAttention and SageAttention are taken where a person has installed them; nothing fetches code.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.schema import Attention, Device
from engine.schema.card import ModelCard

WORDS: dict[Attention, str] = {
    "native": "torch's own choice for each call",
    "_native_cudnn": "the kernels of cuDNN",
    "_native_flash": "the flash kernels",
    "_native_efficient": "the memory-efficient kernels",
    "flash": "FlashAttention",
    "sage": "SageAttention",
}
PACKAGES: dict[Attention, str] = {"flash": "flash_attn", "sage": "sageattention"}  # and their modules
CHOOSES = ("cuda", "rocm", "pretend")  # devices on which torch has several ways
FLASH_CAPABILITY = 8.0  # the oldest cards that flash and cuDNN compute attention on: Ampere
WITHOUT_MASK: tuple[Attention, ...] = ("_native_flash", "flash", "sage")
ROUNDS: tuple[Attention, ...] = ("sage",)  # to 8 bits, which the picture may show
PAYS = 1.05  # times as fast as torch's own choice


def choose(
    asked: Attention | None, card: ModelCard, device: Device, installed: Sequence[Attention], faster: bool = False
) -> tuple[Attention, str]:
    """The way and the reason for it; what was asked for has passed `obstacle`. `faster`: less exact is fine."""
    if asked:
        return asked, f"Attention by {WORDS[asked]}, as asked.{_cost(asked)}"
    if device.kind not in CHOOSES:
        return "native", f"Attention by {WORDS['native']}: there is no other on this device."
    if card.attention == "fixed":
        return "native", f"Attention by {WORDS['native']}: {card.name} has it built in."
    if card.attention == "free" and device.measured and (fastest := _fastest(card, device, installed, faster)):
        times = device.measured.ways[fastest] / device.measured.ways["native"]
        said = f"Attention by {WORDS[fastest]}: {times:.1f} times as fast as torch's own choice, by this card's test."
        return fastest, said + _cost(fastest)
    if not device.capability:  # of AMD; forced kernels that it lacks would end the job, torch's choice never does
        return "native", f"Attention by {WORDS['native']}: {device.name} does not say which kernels it has."
    if device.capability < FLASH_CAPABILITY:
        way: Attention = "_native_efficient"
        return (
            way,
            f"Attention by {WORDS[way]}: {device.name} is too old for faster ones, and others need far more memory.",
        )
    tested = device.measured.ways if device.measured else {}
    usable = (way for way in installed if not obstacle(way, card, device, installed))
    if untried := next((WORDS[way] for way in usable if way not in tested), ""):
        return "native", f"Attention by {WORDS['native']}: {untried} is installed; test the card to have it used."
    if device.measured:
        return (
            "native",
            f"Attention by {WORDS['native']}: exact, and the fastest exact one by this card's test.",
        )
    return "native", f"Attention by {WORDS['native']}: exact, and no measurement says that another is faster."


def _fastest(card: ModelCard, device: Device, installed: Sequence[Attention], faster: bool) -> Attention | None:
    """What was clearly faster than torch's choice when the card was tested, of what may be taken."""
    assert device.measured
    ways, native = device.measured.ways, device.measured.attention
    may = [way for way in ways if (faster or way not in ROUNDS) and not obstacle(way, card, device, installed)]
    best = max(may, key=lambda way: ways[way], default=None)
    return best if best and native and ways[best] >= PAYS * native else None


def _cost(way: Attention) -> str:
    return " It rounds to 8 bits; what the picture loses was not measured." if way in ROUNDS else ""


def obstacle(asked: Attention | None, card: ModelCard, device: Device, installed: Sequence[Attention]) -> str:
    """Why a way that was asked for cannot be taken, in a sentence; empty when it can."""
    if asked in (None, "native"):
        return ""
    words = WORDS[asked]
    if device.kind not in CHOOSES:
        return f"Attention by {words} needs an NVIDIA card."
    if card.attention == "fixed":
        return f"{card.name} has its attention built in; another one cannot be chosen."
    if asked in WITHOUT_MASK and card.attention == "masked":
        return f"{card.name} leaves out empty words by a mask, which {words} cannot take."
    if asked != "_native_efficient" and device.capability < FLASH_CAPABILITY:
        return f"{device.name} is too old for attention by {words}."
    if asked in PACKAGES and asked not in installed:
        return f"{words} is not installed."
    return ""
