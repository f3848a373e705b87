"""How much memory and work a run is: pure arithmetic over a card and what was traced of its architecture."""

from __future__ import annotations

from typing import NamedTuple

from engine.schema import Pass, Placement, StepCache
from engine.schema.card import Component, ModelCard
from engine.schema.placement import BYTES

# fp8 leaves the embeddings of a text encoder alone, and the layer of T5 that asks what format its weights have.
FP8_TEXT_BYTES = 1.45
CONTEXT_GB = 0.8  # what CUDA takes before the first tensor
# torch's allocator holds this times what a clip decoded whole needs: its pieces are too many sizes to fit into each
# other's places. Simulated on the traces where there is room: 1.23 (Wan in float32) to 1.58 (CogVideoX).
KEPT = 1.23
# The worker with torch, diffusers and no model takes 0.5 on Linux; its allocator keeps 0.1 to 0.3 that a run gave back
# (runs of the starter took 0.71 to 0.80 on two machines, in the middle 0.77).
TORCH_RAM_GB = 0.68
BLOCKS_IN_FLIGHT = 2  # group offload holds the block that computes and the one that comes next
SCALES_SHARE = 0.11  # of 4-bit weights: a float32 for each 64 of them, which streaming leaves on the card
STREAMED_READER_SHARE = 0.2  # of a text encoder: its table of words comes whole, at most 2.1 of 11.4 GB (UMT5-XXL)
# For a card that was never traced. Denoising: what the traced transformers without masks take at most for each token
# and channel. Decoding: a VAE that holds the whole clip takes this for each pixel of it, a third of that in tiles.
ACTIVATION_BYTES = 32
DECODE_BYTES, TILED_SHARE = 120, 0.33
# Times slower through a mask: the kernels that know one are of FlashAttention's first generation, which its second is
# 1.7 to 3.0 times faster than, by its authors; 2.3 is the middle of that.
MASKED = 2.3


class Work(NamedTuple):
    """Operations of products and of attention; GB that everything else reads and writes; kernels."""

    products: float
    attention: float = 0.0
    moved_gb: float = 0.0
    kernels: int = 0


def sections(card: ModelCard, num_frames: int) -> int:
    """How many a clip is drawn in, each by calls of its own."""
    latent = card.latent
    return max((num_frames - 1) // (latent.stride_frames * latent.section), 1) if latent.section else 1


def tokens(card: ModelCard, run: Pass) -> int:
    """Positions that a call of the transformer draws."""
    stride = card.latent.stride_pixels * card.latent.patch_pixels
    latent_frames = card.latent.section or (run.num_frames - 1) // card.latent.stride_frames + 1
    return latent_frames * (run.width // stride) * (run.height // stride)


def call_operations(card: ModelCard, run: Pass) -> float:
    """Floating-point operations of one call of the transformer for one prompt."""
    count = tokens(card, run)
    if card.traced:
        return 1e12 * card.traced.call_tflop.at(count / 1000)
    return (
        2 * card.components["transformer"].params_b * 1e9 * count
        + 4 * card.latent.layers * count**2 * card.latent.width
    )


def call_work(card: ModelCard, run: Pass) -> Work:
    """What a call of the transformer for one prompt computes and moves."""
    whole, traced = call_operations(card, run), card.traced
    if not traced:
        return Work(products=whole)
    kilotokens = tokens(card, run) / 1000
    attention = 1e12 * traced.call_tflop.square * kilotokens**2
    slower = MASKED if card.latent.masked else 1.0
    return Work(whole - attention, attention * slower, traced.call_gb.at(kilotokens), traced.kernels)


def calls(card: ModelCard, run: Pass) -> float:
    """How many calls of the transformer a run takes; those that a step cache spares are not in its operations."""
    return min(run.steps * run.forwards, run.operations / call_operations(card, run))


def other_work(card: ModelCard, run: Pass) -> Work:
    """What a run takes beside the transformer: reading the prompt, and the VAE."""
    spent = max(run.operations - calls(card, run) * call_operations(card, run), 0.0)
    pixels = max(spent - _read_operations(card), 0.0) / card.latent.vae_flops_per_pixel
    return Work(spent, moved_gb=pixels * (card.traced.vae_bytes_per_pixel if card.traced else 0.0) / 1e9)


def _read_operations(card: ModelCard) -> float:
    """To read both prompts."""
    readers = sum(part.params_b for name, part in card.components.items() if name.startswith("text_encoder"))
    return 2 * 2 * readers * 1e9 * card.prompt.max_tokens


def operations(card: ModelCard, run: Pass, start: Pass | None = None, cache: StepCache | None = None) -> float:
    """Operations of one pass: reading the prompt, denoising, decoding; a render from `start` first goes through the
    pixels of its take. Steps that `cache` foretells take none."""
    called = (cache.computed(run.steps) if cache else run.steps) * run.forwards
    pixels = _decoded(card, run) + (_decoded(card, start) + _pixels(run) if start else 0)
    return _read_operations(card) + called * call_operations(card, run) + pixels * card.latent.vae_flops_per_pixel


def _pixels(run: Pass) -> int:
    return run.pixels // (4 if run.stops_after else 1)  # a glimpse is decoded at half its sides


def _decoded(card: ModelCard, run: Pass) -> float:
    """Each section but the last is decoded together with the one after it."""
    return _pixels(run) * (2 - 1 / sections(card, run.num_frames))


def working(card: ModelCard, run: Pass, placement: Placement) -> tuple[float, float]:
    """GB at the peak beside the weights, of denoising and of what the VAE does."""
    scale = BYTES[placement.dtype] / 2  # traced in a 2-byte format
    kilotokens, frame_mp = tokens(card, run) / 1000, run.width * run.height / 1e6
    num_frames, traced = _at_once(card, run.num_frames), card.traced
    clip_mp = num_frames * frame_mp
    if traced:
        surface = traced.tiled_gb if placement.vae_tiling else traced.decode_gb
        decoded = surface.at(frame_mp, num_frames) * scale
        if run.taken and not card.latent_upsampler:  # its take comes enlarged through the pixels, which lie beside
            decoded = max(decoded, decoded * traced.encode_share + 3 * BYTES[placement.dtype] * clip_mp / 1e3)
        return traced.denoise_gb.at(kilotokens) * scale, decoded
    denoising = kilotokens * card.latent.width * ACTIVATION_BYTES * scale / 1e6
    share = TILED_SHARE if placement.vae_tiling else 1.0
    return denoising, clip_mp * DECODE_BYTES * scale * share / 1e3


def _at_once(card: ModelCard, num_frames: int) -> int:
    """The frames that are decoded together: all, or two sections and the picture before them."""
    latent = card.latent
    return min(num_frames, 2 * latent.section * latent.stride_frames + 1) if latent.section else num_frames


def memory(card: ModelCard, run: Pass, placement: Placement) -> tuple[float, float]:
    """Peak (VRAM, RAM) in GB of a run under a placement. On the CPU there is no VRAM.

    The stages follow each other: the prompt is read, the latents are denoised, then they are decoded.
    """
    parts = {name: part_gb(name, part, placement) for name, part in card.components.items()}
    if placement.kind == "cpu":
        stays = sum(parts.values()) - (_reading(parts) if placement.text_encoder == "dropped" else 0.0)
        return 0.0, TORCH_RAM_GB + max(sum(parts.values()), stays + max(working(card, run, placement)))
    return CONTEXT_GB + allocated_gb(card, run, placement, KEPT), _ram(card, placement, parts)


def allocated_gb(card: ModelCard, run: Pass, placement: Placement, kept: float = 1.0) -> float:
    """Peak of the device without its context: as torch counts what is allocated, or with what its allocator keeps."""
    parts = {name: part_gb(name, part, placement) for name, part in card.components.items()}
    denoising, decoding = working(card, run, placement)
    at_work = denoising, decoding * (1.0 if placement.vae_tiling else kept)
    return max(_on_card(card, placement, parts, at_work), _loading(parts, placement))


def _on_card(card: ModelCard, placement: Placement, parts: dict[str, float], at_work: tuple[float, float]) -> float:
    """GB of the device that computing takes. Under model offload only the part at work is there; under group offload
    two blocks of it and the VAE, and what is read past its layers comes whole. Encoders that wait in RAM or are dropped
    are streamed beside what draws. `at_work`: of denoising and decoding."""
    denoising, decoding = at_work
    if placement.vae_on_cpu:
        parts, decoding = parts | {"vae": 0.0}, 0.0
    vae, reading, total = parts.get("vae", 0.0), _reading(parts), sum(parts.values())
    match placement.offload:
        case "resident" if placement.text_encoder != "resident":
            waits = placement.text_encoder == "streamed" and placement.precision_of("text_encoder") == "nf4"
            scales = SCALES_SHARE * reading if waits else 0.0
            return scales + total - reading + max(denoising, decoding, _streamed_reader(placement, reading))
        case "resident":
            return total + max(denoising, decoding)
        case "model":
            denoiser = max(size for name, size in parts.items() if name.startswith("transformer"))
            return max(*parts.values(), denoiser + denoising, vae + decoding)
        case "group":
            blocks = parts["transformer"] / max(card.latent.layers, 1) * BLOCKS_IN_FLIGHT
            whole = parts.get("image_encoder", 0.0)
            scales = SCALES_SHARE * sum(size for name, size in parts.items() if placement.precision_of(name) == "nf4")
            stays = scales + vae + placement.resident_gb * transformers(card)
            return stays + max(blocks + denoising, decoding, _streamed_reader(placement, reading), whole)


def _streamed_reader(placement: Placement, reading: float) -> float:
    """GB of a text encoder that is streamed; bitsandbytes makes it smaller on the card, whole."""
    if placement.precision_of("text_encoder") in ("int8", "nf4") and not placement.layer_by_layer:
        return reading
    return reading * STREAMED_READER_SHARE


def transformers(card: ModelCard) -> int:
    return sum(name.startswith("transformer") for name in card.components)


def _loading(parts: dict[str, float], placement: Placement) -> float:
    """GB of the device that loading takes: bitsandbytes makes each part smaller there, whole; then it is moved off."""
    smaller = [size for name, size in parts.items() if placement.precision_of(name) in ("int8", "nf4")]
    return 0.0 if placement.layer_by_layer or not smaller else max(smaller)


def _ram(card: ModelCard, placement: Placement, parts: dict[str, float]) -> float:
    """GB of RAM: every part waits there or passes through, but for what goes from the disk straight to the card."""
    if placement.whole:
        return TORCH_RAM_GB + parts.get("vae", 0.0) + (_reading(parts) if placement.text_encoder != "resident" else 0.0)
    passing = 0.0
    if placement.layer_by_layer:  # the largest part lies there whole before it is made smaller
        full = placement.but(precision="full", text_precision=None)
        passing = max(part_gb(name, part, full) for name, part in card.components.items())
    return TORCH_RAM_GB + sum(parts.values()) + passing


def _reading(parts: dict[str, float]) -> float:
    return sum(size for name, size in parts.items() if name.startswith("text_encoder"))


def part_gb(name: str, part: Component, placement: Placement) -> float:
    """GB of one part: the large ones take the smaller format, the VAE never does."""
    if part.gguf:
        return part.size_gb
    stored = placement.precision_of(name)
    if stored == "fp8" and name.startswith("text_encoder"):
        return part.params_b * FP8_TEXT_BYTES
    return part.params_b * BYTES[placement.dtype if stored in ("full", "gguf") else stored]


def copies_gb(card: ModelCard, placement: Placement) -> float:
    """GB of the files that keep parts in a smaller format for the next start (worker/loading/weight_cache.py)."""
    made = {name for name in card.components if placement.precision_of(name) in ("fp8", "int8", "nf4")}
    return sum(part_gb(name, card.components[name], placement) for name in made if not card.components[name].gguf)


def mapped_gb(card: ModelCard, placement: Placement) -> float:
    """GB of the largest file that lies open in RAM while its part takes another format: the system takes that back
    when others need it, so it is seen as used and is never missing."""
    changed = (
        part.size_gb for name, part in card.components.items()
        if abs(part.size_gb - part_gb(name, part, placement)) > 0.05 * part.size_gb
    )  # fmt: skip
    return max(changed, default=0.0)


def moved_gb(card: ModelCard, run: Pass, placement: Placement) -> tuple[float, float]:
    """GB that offloading brings to the card: (once a run, at every call of the transformer)."""
    if placement.offload == "resident":
        return 0.0, 0.0
    parts = {name: part_gb(name, part, placement) for name, part in card.components.items()}
    streamed = parts["transformer"] * (1 - resident_share(card, placement)) if placement.offload == "group" else 0.0
    return sum(parts.values()), streamed


def resident_share(card: ModelCard, placement: Placement) -> float:
    """Of a transformer that is streamed, what stays on the card."""
    return placement.resident_gb / part_gb("transformer", card.components["transformer"], placement)
