"""Which number formats and offload modes go together, on which device, for which model, and which way it takes through
the attention there: a table of what cannot be.

The facts are those of the pinned diffusers, bitsandbytes and torch; docs/decisions/0006-number-formats.md names them.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.schema import Attention, Device, Offload, Precision
from engine.schema.card import ModelCard
from engine.schema.machine import PACKAGES

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


# ---- attention, by diffusers' names ----

WAYS: dict[Attention, str] = {
    "native": "torch's own choice for each call",
    "_native_cudnn": "the kernels of cuDNN",
    "_native_flash": "the flash kernels",
    "_native_efficient": "the memory-efficient kernels",
    "flash": "FlashAttention",
    "sage": "SageAttention",
}
CHOOSES = ("cuda", "rocm", "pretend")  # devices on which torch has several ways
FLASH_CAPABILITY = 8.0  # the oldest cards that flash and cuDNN compute attention on: Ampere
WITHOUT_MASK: tuple[Attention, ...] = ("_native_flash", "flash", "sage")
ROUNDS: tuple[Attention, ...] = ("sage",)  # to 8 bits, which the picture may show
PAYS = 1.05  # times as fast as torch's own choice


def choose(
    asked: Attention | None, card: ModelCard, device: Device, installed: Sequence[Attention], faster: bool = False
) -> tuple[Attention, str]:
    """The way and its reason; what was asked for has passed `attention_obstacle`. `faster`: less exact is fine."""
    if asked:
        return asked, f"Attention by {WAYS[asked]}, as asked.{_cost(asked)}"
    if device.kind not in CHOOSES:
        return "native", f"Attention by {WAYS['native']}: there is no other on this device."
    if card.attention == "fixed":
        return "native", f"Attention by {WAYS['native']}: {card.name} has it built in."
    if card.attention == "free" and device.measured and (fastest := _fastest(card, device, installed, faster)):
        times = device.measured.ways[fastest] / device.measured.ways["native"]
        said = f"Attention by {WAYS[fastest]}: {times:.1f} times as fast as torch's own choice, by this card's test."
        return fastest, said + _cost(fastest)
    if not device.capability:  # of AMD; forced kernels that it lacks would end the job, torch's choice never does
        return "native", f"Attention by {WAYS['native']}: {device.name} does not say which kernels it has."
    if device.capability < FLASH_CAPABILITY:
        way: Attention = "_native_efficient"
        return (
            way,
            f"Attention by {WAYS[way]}: {device.name} is too old for faster ones, and others need far more memory.",
        )
    tested = device.measured.ways if device.measured else {}
    usable = (way for way in installed if not attention_obstacle(way, card, device, installed))
    if untried := next((WAYS[way] for way in usable if way not in tested), ""):
        return (
            "native",
            f"Attention by {WAYS['native']}: {untried} is installed; test the card to have it used.",
        )
    if device.measured:
        return (
            "native",
            f"Attention by {WAYS['native']}: exact, and the fastest exact one by this card's test.",
        )
    return "native", f"Attention by {WAYS['native']}: exact, and no measurement says that another is faster."


def _fastest(card: ModelCard, device: Device, installed: Sequence[Attention], faster: bool) -> Attention | None:
    """What was clearly faster than torch's choice when the card was tested, of what may be taken."""
    assert device.measured
    ways, native = device.measured.ways, device.measured.attention
    may = [
        way for way in ways if (faster or way not in ROUNDS) and not attention_obstacle(way, card, device, installed)
    ]
    best = max(may, key=lambda way: ways[way], default=None)
    return best if best and native and ways[best] >= PAYS * native else None


def _cost(way: Attention) -> str:
    return " It rounds to 8 bits; what the picture loses was not measured." if way in ROUNDS else ""


def attention_obstacle(asked: Attention | None, card: ModelCard, device: Device, installed: Sequence[Attention]) -> str:
    """Why a way that was asked for cannot be taken, in a sentence; empty when it can."""
    if asked in (None, "native"):
        return ""
    words = WAYS[asked]
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
