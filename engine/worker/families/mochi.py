"""Mochi: latents normalised per channel, a schedule that counts noise backwards, both prompts in one batch."""

from __future__ import annotations

from typing import Any

import torch

from engine.schema import Pass
from engine.worker.families.family import LatentVideo, Shot
from engine.worker.families.wan import statistics

NAMES = ("prompt_embeds", "prompt_attention_mask", "negative_prompt_embeds", "negative_prompt_attention_mask")


class Mochi(LatentVideo):
    def encode(self, pipe: Any, shot: Shot, transformer: Any) -> dict[str, Any]:
        return dict(zip(NAMES, self.encoded(pipe, shot), strict=True))

    def to_vae(self, pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
        if not pipe.vae.config.latents_mean:
            return super().to_vae(pipe, latents, run)
        mean, std = statistics(pipe.vae, latents)
        return latents * std / pipe.vae.config.scaling_factor + mean

    def from_vae(self, pipe: Any, encoded: torch.Tensor) -> torch.Tensor:
        if not pipe.vae.config.latents_mean:
            return super().from_vae(pipe, encoded)
        mean, std = statistics(pipe.vae, encoded)
        return (encoded - mean) * pipe.vae.config.scaling_factor / std


family = Mochi()
