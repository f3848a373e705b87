"""Which number formats and offload modes go together, on which device, for which model, and which way it takes through
the attention there: a table of what cannot be.

The facts are those of the pinned diffusers, bitsandbytes and torch; docs/decisions/0006-number-formats.md names them.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.schema import Attention, Device, Offload, Precision
from engine.schema.card import ModelCard
from engine.schema.machine import PACKAGES
from engine.schema.message import NOTHING, Message

WORDS: dict[Precision, Message] = {
    "full": Message("Full precision"),
    "fp8": Message("8-bit storage (fp8)"),
    "int8": Message("8-bit weights (int8)"),
    "nf4": Message("4-bit weights (nf4)"),
    "gguf": Message("GGUF weights"),
}
INT8_CAPABILITY = 7.5  # the oldest cards on which bitsandbytes multiplies 8-bit integers


def obstacle(card: ModelCard, device: Device, precision: Precision, offload: Offload) -> Message:
    """Why a combination cannot run, in a sentence; empty when it can."""
    return _of_model(card, precision) or obstacle_here(device, precision, offload)


def obstacle_here(device: Device, precision: Precision, offload: Offload) -> Message:
    """The same whatever the model is."""
    return _of_device(device, precision, offload) or _of_both(precision, offload)


def _of_model(card: ModelCard, precision: Precision) -> Message:
    if card.is_gguf and precision != "gguf":
        return Message(
            "{model} comes with its weights made smaller already; {words} cannot be had of it.",
            model=card.name,
            words=WORDS[precision],
        )
    if precision == "gguf" and not card.is_gguf:
        return Message("{model} does not come as a GGUF file.", model=card.name)
    if card.is_gguf and "transformer" not in card.single_files:
        return Message("{model} cannot be read from a GGUF file.", model=card.name)
    return NOTHING


def _of_device(device: Device, precision: Precision, offload: Offload) -> Message:
    if precision in ("int8", "nf4") and (device.kind == "cpu" or not device.capabilities.bitsandbytes):
        return Message("{words} need a graphics card of NVIDIA, AMD or Intel.", words=WORDS[precision])
    if precision == "fp8" and not device.capabilities.fp8:
        return Message("Apple GPUs do not know the number format fp8.")
    if precision == "int8" and device.compute_capability and device.capability < INT8_CAPABILITY:
        return Message("{device} is too old for {words}.", device=device.name, words=WORDS[precision])
    if offload != "resident" and device.kind == "cpu":
        return Message("There is nothing to offload to on the CPU.")
    if offload != "resident" and device.shares_ram:
        return Message(
            "{device} uses the computer's own memory, so there is nothing to offload to.", device=device.name
        )
    return NOTHING


def _of_both(precision: Precision, offload: Offload) -> Message:
    if precision == "int8" and offload == "group":
        return Message(
            "{words} cannot be streamed: bitsandbytes keeps a copy of them on the card.", words=WORDS[precision]
        )
    return NOTHING


# ---- attention, by diffusers' names ----

WAYS: dict[Attention, Message] = {
    "native": Message("torch's own choice for each call"),
    "_native_cudnn": Message("the kernels of cuDNN"),
    "_native_flash": Message("the flash kernels"),
    "_native_efficient": Message("the memory-efficient kernels"),
    "flash": Message.of("FlashAttention"),
    "sage": Message.of("SageAttention"),
}
CHOOSES = ("cuda", "rocm", "pretend")  # devices on which torch has several ways
FLASH_CAPABILITY = 8.0  # the oldest cards that flash and cuDNN compute attention on: Ampere
WITHOUT_MASK: tuple[Attention, ...] = ("_native_flash", "flash", "sage")
ROUNDS: tuple[Attention, ...] = ("sage",)  # to 8 bits, which the picture may show
PAYS = 1.05  # times as fast as torch's own choice


def choose(
    asked: Attention | None, card: ModelCard, device: Device, installed: Sequence[Attention], faster: bool = False
) -> tuple[Attention, Message]:
    """The way and its reason; what was asked for has passed `attention_obstacle`. `faster`: less exact is fine."""
    if asked:
        return asked, Message.joined([Message("Attention by {way}, as asked.", way=WAYS[asked]), _cost(asked)])
    if device.kind not in CHOOSES:
        return "native", Message("Attention by {way}: there is no other on this device.", way=WAYS["native"])
    if card.attention == "fixed":
        return "native", Message("Attention by {way}: {model} has it built in.", way=WAYS["native"], model=card.name)
    if card.attention == "free" and device.measured and (fastest := _fastest(card, device, installed, faster)):
        times = device.measured.ways[fastest] / device.measured.ways["native"]
        said = Message(
            "Attention by {way}: {times:.1f} times as fast as torch's own choice, by this card's test.",
            way=WAYS[fastest],
            times=times,
        )
        return fastest, Message.joined([said, _cost(fastest)])
    if not device.capability:  # of AMD; forced kernels that it lacks would end the job, torch's choice never does
        return "native", Message(
            "Attention by {way}: {device} does not say which kernels it has.", way=WAYS["native"], device=device.name
        )
    if device.capability < FLASH_CAPABILITY:
        way: Attention = "_native_efficient"
        return (
            way,
            Message(
                "Attention by {way}: {device} is too old for faster ones, and others need far more memory.",
                way=WAYS[way],
                device=device.name,
            ),
        )
    tested = device.measured.ways if device.measured else {}
    usable = (way for way in installed if not attention_obstacle(way, card, device, installed))
    if untried := next((WAYS[way] for way in usable if way not in tested), NOTHING):
        return (
            "native",
            Message(
                "Attention by {way}: {untried} is installed; test the card to have it used.",
                way=WAYS["native"],
                untried=untried,
            ),
        )
    if device.measured:
        return (
            "native",
            Message("Attention by {way}: exact, and the fastest exact one by this card's test.", way=WAYS["native"]),
        )
    return "native", Message(
        "Attention by {way}: exact, and no measurement says that another is faster.", way=WAYS["native"]
    )


def _fastest(card: ModelCard, device: Device, installed: Sequence[Attention], faster: bool) -> Attention | None:
    """What was clearly faster than torch's choice when the card was tested, of what may be taken."""
    assert device.measured
    ways, native = device.measured.ways, device.measured.attention
    may = [
        way for way in ways if (faster or way not in ROUNDS) and not attention_obstacle(way, card, device, installed)
    ]
    best = max(may, key=lambda way: ways[way], default=None)
    return best if best and native and ways[best] >= PAYS * native else None


def _cost(way: Attention) -> Message:
    return Message("It rounds to 8 bits; what the picture loses was not measured.") if way in ROUNDS else NOTHING


def attention_obstacle(
    asked: Attention | None, card: ModelCard, device: Device, installed: Sequence[Attention]
) -> Message:
    """Why a way that was asked for cannot be taken, in a sentence; empty when it can."""
    if asked in (None, "native"):
        return NOTHING
    words = WAYS[asked]
    if device.kind not in CHOOSES:
        return Message("Attention by {words} needs an NVIDIA card.", words=words)
    if card.attention == "fixed":
        return Message("{model} has its attention built in; another one cannot be chosen.", model=card.name)
    if asked in WITHOUT_MASK and card.attention == "masked":
        return Message(
            "{model} leaves out empty words by a mask, which {words} cannot take.", model=card.name, words=words
        )
    if asked != "_native_efficient" and device.capability < FLASH_CAPABILITY:
        return Message("{device} is too old for attention by {words}.", device=device.name, words=words)
    if asked in PACKAGES and asked not in installed:
        return Message("{words} is not installed.", words=words)
    return NOTHING
