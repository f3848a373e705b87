"""Wan: flow matching in the latents of AutoencoderKLWan, (batch, channels, frames, height, width), normalised."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn.functional import interpolate

from engine.types import Pass, Plan


def call_arguments(plan: Plan) -> dict[str, Any]:
    return {"max_sequence_length": plan.max_tokens}


def scheduler(pipe: Any, run: Pass) -> Any:
    return type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=run.flow_shift)


def latent_shape(pipe: Any, run: Pass) -> tuple[int, ...]:
    frames = (run.num_frames - 1) // pipe.vae_scale_factor_temporal + 1
    side = pipe.vae_scale_factor_spatial
    return (1, pipe.transformer.config.in_channels, frames, run.height // side, run.width // side)


def noised(latents: torch.Tensor, noise: torch.Tensor, sigma: float) -> torch.Tensor:
    return (1 - sigma) * latents + sigma * noise


def resized(pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
    """Through pixels: decode, enlarge, encode. Measured against resizing latents in benchmarks/kept.py."""
    small = _pixels(pipe, latents)
    large = interpolate(
        small[0].transpose(0, 1), size=(run.height, run.width), mode="bicubic", antialias=True, align_corners=False
    )
    clip = large.transpose(0, 1)[None].clamp(-1, 1)
    mean, std = _statistics(pipe, latents)
    encoded = pipe.vae.encode(clip.to(pipe.vae.dtype)).latent_dist.mode()
    return (encoded.to(latents.dtype) - mean) / std


def decode(pipe: Any, latents: torch.Tensor) -> np.ndarray:
    frames = pipe.video_processor.postprocess_video(_pixels(pipe, latents), output_type="np")[0]
    return (frames * 255).round().astype(np.uint8)


def _pixels(pipe: Any, latents: torch.Tensor) -> torch.Tensor:
    """(1, 3, frames, height, width) in -1..1, by the arithmetic of WanPipeline itself, so that it is bit-identical."""
    latents = latents.to(pipe.vae.device, pipe.vae.dtype)
    mean, std = _statistics(pipe, latents)
    return pipe.vae.decode(latents / (1.0 / std) + mean, return_dict=False)[0]


def _statistics(pipe: Any, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    config, shape = pipe.vae.config, (1, -1, 1, 1, 1)
    mean = torch.tensor(config.latents_mean).view(shape).to(latents.device, latents.dtype)
    std = torch.tensor(config.latents_std).view(shape).to(latents.device, latents.dtype)
    return mean, std
