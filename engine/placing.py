"""Where a model's parts live and in which number format: pure arithmetic over the card and the machine.

Full precision comes first: streaming the weights from RAM costs a few percent where the clip is large, and changes no
pixel. Smaller formats alter the picture, so they are chosen only where nothing else fits, and said.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine import attention, compiling
from engine.card import ModelCard
from engine.combinations import WORDS, obstacle
from engine.errors import BadSetting
from engine.sizing import memory, part_gb
from engine.types import Device, Dtype, HardwareProfile, Offload, Pass, Placement, Precision, Readers, Request

SMALLER: tuple[Precision, ...] = ("full", "fp8", "nf4")
PINNED_SHARE = 0.5  # of the RAM: more page-locked memory than that leaves too little for everything else
WAITING_SHARE = 0.5  # of the RAM: what waits for new words must leave the rest to other programs

Placed = tuple[Placement, list[str]]  # and the reasons for it


def place(request: Request, card: ModelCard, hardware: HardwareProfile, runs: tuple[Pass, Pass]) -> Placed:
    """The placement of a plan and the reasons for it. `runs`: take and render. Raises BadSetting."""
    names = [device.id for device in hardware.devices]
    chosen = request.device or hardware.best.id
    if chosen not in names:
        raise BadSetting(f"This machine has no device called '{chosen[:20]}'.", f"Choose one of: {', '.join(names)}.")
    device = hardware.devices[names.index(chosen)]
    native: Precision = "gguf" if card.is_gguf else "full"
    precision, offload = request.precision or native, request.offload or "resident"
    if hindrance := obstacle(card, device, precision, offload):
        raise BadSetting(hindrance, "Leave the number format and the offloading to Rushes, or choose others.")
    if hindrance := attention.obstacle(request.attention, card, device):
        raise BadSetting(hindrance, "Leave the attention to Rushes, or choose another.")
    if hindrance := compiling.obstacle(request, card, device, hardware.system):
        raise BadSetting(hindrance, "Leave the model as it is.")
    on_cpu = Placement(device="cpu", dtype="float32", precision=precision)
    placed, told = (
        (on_cpu, _told_of_cpu(on_cpu, request)) if chosen == "cpu" else _on_card(request, card, hardware, runs)
    )
    placed, reader = _readers(card, placed, hardware, runs)
    way, why = attention.choose(request.attention, card, device)
    compiled = request.compiled and placed.whole
    reasons = [told, reader, why] + ([compiling.SAID if compiled else compiling.NOT_WHOLE] if request.compiled else [])
    return placed.model_copy(update={"attention": way, "compiled": compiled}), reasons


def _told_of_cpu(placement: Placement, request: Request) -> str:
    alone = "Runs on the CPU: no graphics card that models can use was found."
    reason = "Runs on the CPU." if request.device else alone
    smaller = f" With {WORDS[placement.precision]}." if placement.precision != "full" else ""
    return reason + smaller


def _on_card(
    request: Request, card: ModelCard, hardware: HardwareProfile, runs: tuple[Pass, Pass]
) -> tuple[Placement, str]:
    """The first way that fits, in the order of how little it costs; the last one when none does."""
    device = next(device for device in hardware.devices if device.id == (request.device or hardware.best.id))
    room_gb, ram_gb = 0.92 * device.vram_free_gb, 0.85 * hardware.ram_free_gb
    for tried in _tries(request, card, device):
        tried = tried.model_copy(update={"pin_memory": _may_pin(card, tried, hardware)})
        needs = [memory(card, run, tried) for run in runs]
        if max(vram for vram, _ in needs) <= room_gb and max(ram for _, ram in needs) <= ram_gb:
            return tried, _told(tried, device)
    return tried, f"{card.name} is larger than {device.name} and this computer's memory hold; it will probably not run."


def _tries(request: Request, card: ModelCard, device: Device) -> Iterator[Placement]:
    """Every placement that works here, in the order of how little it costs."""
    for precision, offload in _ways(request, card, device):
        leaves = offload == "resident" and device.id != "mps" and precision != "int8"  # 8 bits stay where they are
        readers: tuple[Readers, ...] = ("resident", "dropped") if leaves else ("resident",)
        for drawn, read in _formats(precision, request):
            for text_encoder in readers:
                for tiling in (False, True):
                    yield Placement(device=device.id, dtype=_dtype(device), precision=drawn, text_precision=read,
                                    offload=offload, vae_tiling=tiling, vae_slicing=tiling,
                                    text_encoder=text_encoder)  # fmt: skip


def _formats(precision: Precision, request: Request) -> list[tuple[Precision, Precision | None]]:
    """Formats of transformer and text encoder that a smaller one leads to. The words bear it best, both at last."""
    if request.precision or precision not in SMALLER[1:]:
        return [(precision, None)]
    return [("full", precision), (precision, "full"), (precision, None)]


def _readers(
    card: ModelCard, placed: Placement, hardware: HardwareProfile, runs: tuple[Pass, Pass]
) -> tuple[Placement, str]:
    """Whether the text encoder stays, where that is still open."""
    if placed.text_encoder == "dropped":
        return placed, "The text encoder leaves the graphics card once the words are read: there is no room for both."
    waits_in_ram = placed.offload != "resident" or placed.device in ("cpu", "mps")
    if waits_in_ram and max(memory(card, run, placed)[1] for run in runs) > WAITING_SHARE * hardware.ram_gb:
        dropped = placed.model_copy(update={"text_encoder": "dropped"})
        return (
            dropped,
            "The text encoder is let go once the words are read: kept, more than half of the memory is full.",
        )
    return placed, "The text encoder stays ready for new words: there is room for it."


def _ways(request: Request, card: ModelCard, device: Device) -> list[tuple[Precision, Offload]]:
    """The combinations that work here, in the order of how little they cost."""
    offloads: tuple[Offload, ...] = (request.offload,) if request.offload else ("resident", "model", "group")
    precisions = (request.precision,) if request.precision else (*SMALLER, *(("gguf",) if card.is_gguf else ()))
    return [(p, o) for p in precisions for o in offloads if not obstacle(card, device, p, o)]


def _may_pin(card: ModelCard, placement: Placement, hardware: HardwareProfile) -> bool:
    """Whether streaming may lock the weights in RAM, which hides the transfers; CUDA alone can."""
    weights_gb = sum(part_gb(name, part, placement) for name, part in card.components.items())
    streamed = placement.offload == "group" and placement.device.startswith("cuda")
    return streamed and weights_gb <= PINNED_SHARE * hardware.ram_gb


def _told(placement: Placement, device: Device) -> str:
    how = {
        "resident": f"Runs on {device.name}, whole.",
        "model": f"Runs on {device.name}, one part at a time: all of it at once does not fit.",
        "group": f"Runs on {device.name}, streamed from the computer's memory block by block: it does not fit whole.",
    }[placement.offload]
    tiled = " The pictures are decoded in tiles." if placement.vae_tiling else ""
    smaller = (
        f" With {WORDS[placement.precision]}, which changes the picture a little."
        if placement.precision != "full"
        else ""
    )
    words = {
        None: "",
        "full": " Your words are read in full precision.",
    }.get(placement.text_precision, f" Your words are read with {WORDS[placement.precision_of('text_encoder')]}.")
    slow = placement.offload == "group" and not placement.pin_memory
    pieces = " The weights are more than half of the memory, so they travel slower." if slow else ""
    return how + tiled + smaller + words + pieces


def _dtype(device: Device) -> Dtype:
    """bfloat16 needs Ampere; older cards compute it in software, slower than float16."""
    modern = device.id == "mps" or (device.compute_capability and float(device.compute_capability) >= 8)
    return "bfloat16" if modern else "float16"
