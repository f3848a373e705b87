"""How the VAE works: whole, a few frames at a time, in tiles, or on the CPU, each in less VRAM than the one before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate.hooks import remove_hook_from_module

from engine.schema import Placement
from engine.worker.accelerator import Accelerator
from engine.worker.families.family import Latents

LTX = ("AutoencoderKLLTXVideo", "AutoencoderKLLTX2Video")  # decode a clip at once unless they are told otherwise
# Two VAEs hold all frames of a tile: those of diffusers, 256 pixels wide, take 14 GB (HunyuanVideo 1.5, five seconds)
# and 11 GB (Mochi, three). The first one's authors take 128 below 28 GB (its get_vae_inference_config).
SMALLER_TILES: dict[str, dict[str, Any]] = {
    "AutoencoderKLHunyuanVideo15": {
        "tile_sample_min_height": 128, "tile_sample_min_width": 128, "tile_latent_min_height": 8,
        "tile_latent_min_width": 8,
    },
    "AutoencoderKLMochi": {
        "tile_sample_min_height": 192, "tile_sample_min_width": 192, "tile_sample_stride_height": 144,
        "tile_sample_stride_width": 144,
    },
}  # fmt: skip


def arrange(vae: Any, placement: Placement) -> None:
    """Set a loaded VAE to a placement's slices and tiles."""
    vae.use_tiling = vae.use_slicing = False
    if placement.vae_tiling:
        vae.enable_tiling(**SMALLER_TILES.get(type(vae).__name__, {}))
    if placement.vae_slicing:
        vae.enable_slicing()
    if type(vae).__name__ in LTX:
        vae.use_framewise_decoding = placement.vae_slicing
    if Accelerator(placement.device).misreads_conv3d and vae.dtype != torch.float32:
        channels_last(vae)


def channels_last(vae: Any) -> None:
    for layer in vae.modules():
        if isinstance(layer, torch.nn.Conv3d):
            layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last_3d)


@contextmanager
def vae_at_work(pipe: Any, placement: Placement, latents: Latents) -> Iterator[Latents]:
    """Latents where the VAE can reach them: on the device, or on the CPU, where it then is in full precision meanwhile.

    A pipeline that is offloaded one part at a time brings the VAE only inside its own call, so that is done here.
    """
    vae, dtype = pipe.vae, pipe.vae.dtype
    offloaded = placement.offload == "model"
    if offloaded:
        pipe.maybe_free_model_hooks()  # everything else is in RAM
    if placement.vae_on_cpu:
        remove_hook_from_module(vae)  # model offload's, which would take it to the card
        vae.to("cpu", torch.float32)
        reachable = latents | {"latents": latents["latents"].cpu()}
    else:
        vae.to(placement.device)
        reachable = {name: part.to(placement.device) for name, part in latents.items()}
    try:
        yield reachable
    finally:
        if placement.vae_on_cpu:
            vae.to(dtype=dtype)
        if offloaded:
            pipe.enable_model_cpu_offload(device=placement.device)
        else:
            vae.to(placement.device)
