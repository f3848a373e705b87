"""LTX-Video: latents packed into tokens, normalised; the newer VAEs decode with a little noise and a timestep."""

from __future__ import annotations

from typing import Any

import torch

from engine.types import Pass
from engine.worker import second_stage
from engine.worker.families.latent_video import Latents, LatentVideo, Shot, encoded_pixels
from engine.worker.families.mochi import NAMES

DECODING = ("decode_timestep", "decode_noise_scale")


class Ltx(LatentVideo):
    def encode(self, pipe: Any, shot: Shot, transformer: Any) -> dict[str, Any]:
        return dict(zip(NAMES, self.encoded(pipe, shot), strict=True))

    def arguments(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        own = {name: value for name, value in shot.run.arguments.items() if name not in DECODING}
        ours = {"guidance_scale": shot.run.guidance_scale, "max_sequence_length": shot.plan.max_tokens}
        return ours | shot.pictures | {"frame_rate": shot.run.fps} | own

    def start(self, pipe: Any, scheduler: Any, take: Latents, shot: Shot) -> dict[str, Any]:
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
        large = second_stage.doubled(pipe, grid, shot.plan.latent_upsampler, shot.run)
        return {"latents": self.packed(pipe, large)}

    def pixels(self, pipe: Any, latents: Latents, shot: Shot) -> torch.Tensor:
        clean = self.to_vae(pipe, latents["latents"], shot.run)
        if not pipe.vae.config.timestep_conditioning:
            return pipe.vae.decode(clean, None, return_dict=False)[0]
        timestep = float(shot.run.arguments.get("decode_timestep", 0.0))
        scale = float(shot.run.arguments.get("decode_noise_scale", timestep))
        noise = torch.randn(clean.shape, generator=shot.generator, dtype=clean.dtype).to(clean)
        noisy = (1 - scale) * clean + scale * noise
        at = torch.tensor([timestep], device=clean.device, dtype=clean.dtype)
        return pipe.vae.decode(noisy, at, return_dict=False)[0]

    def grid(self, pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
        """Tokens as (1, channels, frames, height, width)."""
        side = pipe.vae_spatial_compression_ratio
        frames = (run.num_frames - 1) // pipe.vae_temporal_compression_ratio + 1
        patches = (pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size)
        return pipe._unpack_latents(latents, frames, run.height // side, run.width // side, *patches)

    def packed(self, pipe: Any, grid: torch.Tensor) -> torch.Tensor:
        return pipe._pack_latents(grid, pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size)

    def to_vae(self, pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
        vae = pipe.vae
        grid = self.grid(pipe, latents, run)
        clean = pipe._denormalize_latents(grid, vae.latents_mean, vae.latents_std, vae.config.scaling_factor)
        return clean.to(vae.dtype)

    def from_vae(self, pipe: Any, encoded: torch.Tensor) -> torch.Tensor:
        vae = pipe.vae
        clean = pipe._normalize_latents(encoded, vae.latents_mean, vae.latents_std, vae.config.scaling_factor)
        return self.packed(pipe, clean)


family = Ltx()
