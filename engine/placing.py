"""Where a model's parts live and in which number format: pure arithmetic over the card and the machine.

Full precision comes first: streaming the weights from RAM costs a few percent where the clip is large, and changes no
pixel. Smaller formats alter the picture, so they are chosen only where nothing else fits, and said.
"""

from __future__ import annotations

from engine.card import ModelCard
from engine.combinations import WORDS, obstacle
from engine.errors import BadSetting
from engine.sizing import memory, part_gb
from engine.types import Device, Dtype, HardwareProfile, Offload, Pass, Placement, Precision, Request

SMALLER: tuple[Precision, ...] = ("full", "fp8", "nf4")
PINNED_SHARE = 0.5  # of the RAM: more page-locked memory than that leaves too little for everything else

Placed = tuple[Placement, str]  # and the reason for it


def place(request: Request, card: ModelCard, hardware: HardwareProfile, runs: tuple[Pass, Pass]) -> Placed:
    """The placement of a plan and the reason for it. `runs`: take and render. Raises BadSetting."""
    names = [device.id for device in hardware.devices]
    chosen = request.device or hardware.best.id
    if chosen not in names:
        raise BadSetting(f"This machine has no device called '{chosen[:20]}'.", f"Choose one of: {', '.join(names)}.")
    device = hardware.devices[names.index(chosen)]
    native: Precision = "gguf" if card.is_gguf else "full"
    precision, offload = request.precision or native, request.offload or "resident"
    if hindrance := obstacle(card, device, precision, offload):
        raise BadSetting(hindrance, "Leave the number format and the offloading to Rushes, or choose others.")
    if chosen == "cpu":
        reason = "Runs on the CPU" + ("." if request.device else ": no graphics card that models can use was found.")
        smaller = f" With {WORDS[precision]}." if precision != "full" else ""
        return Placement(device="cpu", dtype="float32", precision=precision), reason + smaller
    return _on_card(request, card, device, hardware, runs)


def _on_card(
    request: Request, card: ModelCard, device: Device, hardware: HardwareProfile, runs: tuple[Pass, Pass]
) -> Placed:
    """The first way that fits, in the order of how little it costs; the last one when none does."""
    room_gb, ram_gb = 0.92 * device.vram_free_gb, 0.85 * hardware.ram_free_gb
    for precision, offload in _ways(request, card, device):
        for tiling in (False, True):
            tried = Placement(device=device.id, dtype=_dtype(device), precision=precision, offload=offload,
                              vae_tiling=tiling, vae_slicing=tiling)  # fmt: skip
            tried = tried.model_copy(update={"pin_memory": _may_pin(card, tried, hardware)})
            needs = [memory(card, run, tried) for run in runs]
            if max(vram for vram, _ in needs) <= room_gb and max(ram for _, ram in needs) <= ram_gb:
                return tried, _told(tried, device)
    return tried, f"{card.name} is larger than {device.name} and this computer's memory hold; it will probably not run."


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
    slow = placement.offload == "group" and not placement.pin_memory
    pieces = " The weights are more than half of the memory, so they travel slower." if slow else ""
    return how + tiled + smaller + pieces


def _dtype(device: Device) -> Dtype:
    """bfloat16 needs Ampere; older cards compute it in software, slower than float16."""
    modern = device.id == "mps" or (device.compute_capability and float(device.compute_capability) >= 8)
    return "bfloat16" if modern else "float16"
