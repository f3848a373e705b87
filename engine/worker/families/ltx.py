"""LTX-Video: latents packed into tokens, normalised; the newer VAEs decode with a little noise and a timestep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import LTXConditionPipeline

from engine.schema import Pass
from engine.worker.families import ltx_conditions, ltx_upsampler
from engine.worker.families.family import Latents, LatentVideo, Shot, encoded_pixels, seen
from engine.worker.families.mochi import NAMES

DECODING = ("decode_timestep", "decode_noise_scale")


class Ltx(LatentVideo):
    def attach(self, pipe: Any, folder: Path, dtype: torch.dtype) -> None:
        ltx_upsampler.attach(pipe, folder, dtype)

    def encode(self, pipe: Any, shot: Shot, transformer: Any) -> dict[str, Any]:
        return dict(zip(NAMES, self.encoded(pipe, shot), strict=True))

    def arguments(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        own = {name: value for name, value in shot.run.arguments.items() if name not in DECODING}
        ours = {"guidance_scale": shot.run.guidance_scale, "max_sequence_length": shot.plan.max_tokens}
        given = ltx_conditions.of_ltx(shot) if _guided(pipe) else shot.pictures
        return ours | given | {"frame_rate": shot.run.fps} | own

    def exact_timesteps(self, scheduler: Any, original: Callable[..., None], shot: Shot, device: Any) -> None:
        """The condition pipeline noises latents itself, but only when it is to skip the first of its levels."""

        def with_one_to_skip(sigmas: Any, device: Any) -> None:
            original(sigmas=np.concatenate([[(1 + sigmas[0]) / 2], sigmas]), device=device)

        skips = shot.plan.pipeline == LTXConditionPipeline.__name__ and shot.plan.sigma < 1
        super().exact_timesteps(scheduler, with_one_to_skip if skips else original, shot, device)

    def on_a_take(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        if not _guided(pipe):
            return {}
        steps = shot.run.num_inference_steps
        return ltx_conditions.of_ltx(shot, on_a_take=True) | {"denoise_strength": (steps + 0.5) / (steps + 1)}

    def start(self, pipe: Any, scheduler: Any, take: Latents, shot: Shot) -> dict[str, Any]:
        if _guided(pipe):
            return self.begin(pipe, take, shot)
        noisy = super().start(pipe, scheduler, take, shot)
        if "image" in shot.pictures:  # the pipeline takes the first frame to be the clean picture
            pixels = pipe.video_processor.preprocess(shot.pictures["image"], shot.run.height, shot.run.width)
            first = self.from_vae(pipe, encoded_pixels(pipe, pixels[:, :, None]))
            noisy["latents"][:, : first.shape[1]] = first.to(noisy["latents"])
        return noisy

    def begin(self, pipe: Any, take: Latents, shot: Shot) -> Latents:
        if not shot.plan.latent_upsampler:
            return super().begin(pipe, take, shot)
        grid = self.grid(pipe, take["latents"], shot.plan.take)
        large = ltx_upsampler.doubled(pipe, grid, shot.plan.latent_upsampler, shot.run)
        return {"latents": self.packed(pipe, large)}

    def pixels(self, pipe: Any, latents: Latents, shot: Shot) -> torch.Tensor:
        clean = seen(self.to_vae(pipe, latents["latents"], shot.run), shot)
        if not pipe.vae.config.timestep_conditioning:
            return pipe.vae.decode(clean, None, return_dict=False)[0]
        timestep = float(shot.run.arguments.get("decode_timestep", 0.0))
        scale = float(shot.run.arguments.get("decode_noise_scale", timestep))
        noise = torch.randn(clean.shape, generator=shot.generator, dtype=clean.dtype).to(clean)
        noisy = (1 - scale) * clean + scale * noise
        at = torch.tensor([timestep], device=clean.device, dtype=clean.dtype)
        return pipe.vae.decode(noisy, at, return_dict=False)[0]

    def while_sampling(self, pipe: Any, latents: torch.Tensor, shot: Shot) -> torch.Tensor:
        if _guided(pipe):
            return self._unpacked(pipe, latents, shot.run)
        if latents.ndim == 3:
            return latents
        # from a picture: on the grid, and without the first frame, which is the picture
        return self.packed(pipe, torch.cat([latents[:, :, :1], latents], dim=2))

    def whole(self, pipe: Any, latents: torch.Tensor, part: torch.Tensor, shot: Shot) -> torch.Tensor:
        if part.ndim == latents.ndim:
            return part
        first = self.grid(pipe, latents, shot.run)[:, :, :1]  # the person's picture; the scheduler has the others
        return self.packed(pipe, torch.cat([first, part], dim=2))

    def grid(self, pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
        """Latents as (1, channels, frames, height, width)."""
        return latents if _guided(pipe) else self._unpacked(pipe, latents, run)

    def _unpacked(self, pipe: Any, tokens: torch.Tensor, run: Pass) -> torch.Tensor:
        """Tokens on the grid, without those of conditions, which come first."""
        side, patch, deep = (pipe.vae_spatial_compression_ratio, pipe.transformer_spatial_patch_size,
                             pipe.transformer_temporal_patch_size)  # fmt: skip
        frames = (run.num_frames - 1) // pipe.vae_temporal_compression_ratio + 1
        height, width = run.height // side, run.width // side
        own = tokens[:, -(frames * height * width // (patch**2 * deep)) :]
        return pipe._unpack_latents(own, frames, height, width, patch, deep)

    def packed(self, pipe: Any, grid: torch.Tensor) -> torch.Tensor:
        if _guided(pipe):
            return grid
        return pipe._pack_latents(grid, pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size)

    def normal(self, pipe: Any, latents: torch.Tensor, shot: Shot) -> torch.Tensor:
        return self.grid(pipe, self.while_sampling(pipe, latents, shot), shot.run)

    def to_vae(self, pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
        vae = pipe.vae
        grid = self.grid(pipe, latents, run)
        clean = pipe._denormalize_latents(grid, vae.latents_mean, vae.latents_std, vae.config.scaling_factor)
        return clean.to(vae.dtype)

    def from_vae(self, pipe: Any, encoded: torch.Tensor) -> torch.Tensor:
        vae = pipe.vae
        clean = pipe._normalize_latents(encoded, vae.latents_mean, vae.latents_std, vae.config.scaling_factor)
        return self.packed(pipe, clean)


def _guided(pipe: Any) -> bool:
    """Whether its latents are a grid, and what is given are conditions."""
    return isinstance(pipe, LTXConditionPipeline)


family = Ltx()
