"""Where a model's parts live and in which number format: pure arithmetic over the card and the machine.

Full precision comes first: streaming the weights from RAM costs a few percent where the clip is large, and changes no
pixel. Smaller formats alter the picture, so they are chosen only where nothing else fits, and said.
"""

from __future__ import annotations

from engine.card import ModelCard
from engine.errors import BadSetting
from engine.types import Device, Dtype, HardwareProfile, Offload, Pass, Placement, Precision, Request

BYTES: dict[str, float] = {"float32": 4, "bfloat16": 2, "float16": 2, "fp8": 1.05, "int8": 1.05, "nf4": 0.56}
CONTEXT_GB = 0.8  # what CUDA takes before the first tensor
TORCH_RAM_GB = 0.7  # the worker with torch and diffusers loaded and no model, measured on Linux
# Traced on Wan 1.3B and 14B at 480p and 720p: 22 to 24 bytes for each token and channel in a 2-byte format.
ACTIVATION_BYTES = 24
# Traced on Wan's VAE at 480p and 720p: about 120 bytes for each pixel decoded in a 2-byte format, a fifth when tiled.
DECODE_BYTES, TILED_SHARE = 120, 0.22
BLOCKS_IN_FLIGHT = 2  # group offload holds the block that computes and the one that comes next
SMALLER: tuple[Precision, ...] = ("full", "fp8", "nf4")
WORDS = {"fp8": "8-bit weights", "int8": "8-bit weights", "nf4": "4-bit weights"}


Placed = tuple[Placement, str]  # and the reason for it


def place(request: Request, card: ModelCard, hardware: HardwareProfile, runs: tuple[Pass, Pass]) -> Placed:
    """The placement of a plan and the reason for it. `runs`: take and render. Raises BadSetting."""
    names = [device.id for device in hardware.devices]
    chosen = request.device or hardware.best.id
    if chosen not in names:
        raise BadSetting(f"This machine has no device called '{chosen[:20]}'.", f"Choose one of: {', '.join(names)}.")
    device = hardware.devices[names.index(chosen)]
    _check(request, device)
    precision: Precision = request.precision or "full"
    if chosen == "cpu":
        reason = "Runs on the CPU" + ("." if request.device else ": no graphics card that models can use was found.")
        return Placement(
            device="cpu", dtype="float32", precision=precision, offload=request.offload or "resident"
        ), reason
    return _on_card(request, card, device, hardware, runs)


def tokens(card: ModelCard, run: Pass) -> int:
    """Positions the transformer attends over."""
    stride = card.latent.stride_pixels * card.latent.patch_pixels
    latent_frames = (run.num_frames - 1) // card.latent.stride_frames + 1
    return latent_frames * (run.width // stride) * (run.height // stride)


def memory(card: ModelCard, run: Pass, placement: Placement) -> tuple[float, float]:
    """Peak (VRAM, RAM) in GB of a run under a placement. On the CPU there is no VRAM."""
    parts = {name: _size(name, part.params_b, placement) for name, part in card.components.items()}
    working = _working(card, run, placement)
    total = sum(parts.values())
    if placement.device == "cpu":
        return 0.0, TORCH_RAM_GB + total + working
    match placement.offload:
        case "resident":
            return CONTEXT_GB + total + working, TORCH_RAM_GB + max(parts.values())
        case "model":
            return CONTEXT_GB + max(parts.values()) + working, TORCH_RAM_GB + total
        case "group":
            block = parts["transformer"] / max(card.latent.layers, 1) * BLOCKS_IN_FLIGHT
            return CONTEXT_GB + block + parts.get("vae", 0.0) + working, TORCH_RAM_GB + total


def _on_card(
    request: Request, card: ModelCard, device: Device, hardware: HardwareProfile, runs: tuple[Pass, Pass]
) -> Placed:
    """The first way that fits, in the order of how little it costs; the last one when none does."""
    offloads: tuple[Offload, ...] = (request.offload,) if request.offload else ("resident", "model", "group")
    precisions = (request.precision,) if request.precision else SMALLER
    room_gb, ram_gb = 0.92 * device.vram_free_gb, 0.85 * hardware.ram_free_gb
    for precision in precisions:
        for offload in offloads:
            for tiling in (False, True):
                tried = Placement(device=device.id, dtype=_dtype(device), precision=precision, offload=offload,
                                  vae_tiling=tiling)  # fmt: skip
                needs = [memory(card, run, tried) for run in runs]
                if max(vram for vram, _ in needs) <= room_gb and max(ram for _, ram in needs) <= ram_gb:
                    return tried, _told(tried, device)
    return tried, f"{card.name} is larger than {device.name} and this computer's memory hold; it will probably not run."


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
    return how + tiled + smaller


def _check(request: Request, device: Device) -> None:
    """Combinations that are known not to work are refused here and not by a traceback."""
    if request.precision in ("int8", "nf4") and not device.id.startswith("cuda"):
        raise BadSetting(
            f"{WORDS[request.precision]} of this kind need an NVIDIA card.", "Choose full precision or fp8."
        )
    if request.offload in ("model", "group") and device.id == "cpu":
        raise BadSetting(
            "There is nothing to offload to on the CPU.", "Leave offloading alone, or choose a graphics card."
        )


def _dtype(device: Device) -> Dtype:
    """bfloat16 needs Ampere; older cards compute it in software, slower than float16."""
    modern = device.id == "mps" or (device.compute_capability and float(device.compute_capability) >= 8)
    return "bfloat16" if modern else "float16"


def _size(name: str, params_b: float, placement: Placement) -> float:
    """GB of one part: the large ones take the smaller format, the VAE never does."""
    small = placement.precision != "full" and ("transformer" in name or "text_encoder" in name)
    return params_b * BYTES[placement.precision if small else placement.dtype]


def _working(card: ModelCard, run: Pass, placement: Placement) -> float:
    """GB of the larger of denoising and decoding, which never happen together."""
    scale = BYTES[placement.dtype] / 2
    denoising = tokens(card, run) * card.latent.width * ACTIVATION_BYTES * scale
    share = TILED_SHARE if placement.vae_tiling else 1.0
    decoding = run.num_frames * run.width * run.height * DECODE_BYTES * scale * share
    return max(denoising, decoding) / 1e9
