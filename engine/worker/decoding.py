"""How the VAE works: whole, a few frames at a time, in tiles, or on the CPU, each in less VRAM than the one before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate.hooks import remove_hook_from_module

from engine.types import Placement
from engine.worker.families.latent_video import Latents

LTX = ("AutoencoderKLLTXVideo", "AutoencoderKLLTX2Video")  # decode a clip at once unless they are told otherwise


def arrange(vae: Any, placement: Placement) -> None:
    """Set a loaded VAE to a placement's slices and tiles."""
    vae.use_tiling = vae.use_slicing = False
    if placement.vae_tiling:
        vae.enable_tiling()
    if placement.vae_slicing:
        vae.enable_slicing()
    if type(vae).__name__ in LTX:
        vae.use_framewise_decoding = placement.vae_slicing


@contextmanager
def vae_at_work(pipe: Any, placement: Placement, latents: Latents) -> Iterator[Latents]:
    """Latents where the VAE can reach them: its own place, or the CPU, where it then is in full precision meanwhile."""
    if not placement.vae_on_cpu:
        yield latents
        return
    vae, dtype = pipe.vae, pipe.vae.dtype
    remove_hook_from_module(vae)  # model offload's, which would take it to the card
    vae.to("cpu", torch.float32)
    try:
        yield latents | {"latents": latents["latents"].cpu()}
    finally:
        vae.to(dtype=dtype)
        if placement.offload == "model":
            pipe.enable_model_cpu_offload(device=placement.device)
        else:
            vae.to(placement.device)
