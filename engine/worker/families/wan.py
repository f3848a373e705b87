"""Wan 2.1 and 2.2: latents normalised by the mean and deviation of each channel."""

from __future__ import annotations

from typing import Any

import torch

from engine.schema import Pass
from engine.worker.families.family import LatentVideo


class Wan(LatentVideo):
    def to_vae(self, pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
        latents = latents.to(pipe.vae.device, pipe.vae.dtype)
        mean, std = statistics(pipe.vae, latents)
        return latents / (1.0 / std) + mean

    def from_vae(self, pipe: Any, encoded: torch.Tensor) -> torch.Tensor:
        mean, std = statistics(pipe.vae, encoded)
        return (encoded - mean) / std


def statistics(vae: Any, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation of each latent channel, in the shape, type and place of `like`."""
    mean = torch.tensor(vae.config.latents_mean).view(1, -1, 1, 1, 1).to(like.device, like.dtype)
    std = torch.tensor(vae.config.latents_std).view(1, -1, 1, 1, 1).to(like.device, like.dtype)
    return mean, std


family = Wan()
