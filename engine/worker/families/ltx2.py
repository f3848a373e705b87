"""LTX-2: picture and sound denoised together; its pipeline noises given latents itself.

One forward a step needs every guidance of picture and sound at its neutral value, which the distilled cards spell out.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import LTX2ConditionPipeline

from engine.types import Pass
from engine.worker import conditions, second_stage
from engine.worker.families.latent_video import (
    Footage,
    Latents,
    LatentVideo,
    Shot,
    frames_of,
)
from engine.worker.families.ltx import DECODING
from engine.worker.families.mochi import NAMES

NO_BLOCKS = -1  # in a card, spatio_temporal_guidance_blocks = -1 means none: TOML has no null


class Ltx2(LatentVideo):
    def encode(self, pipe: Any, shot: Shot, transformer: Any) -> dict[str, Any]:
        return dict(zip(NAMES, self.encoded(pipe, shot), strict=True))

    def arguments(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        own = {name: value for name, value in shot.run.arguments.items() if name not in DECODING}
        if "spatio_temporal_guidance_blocks" in own:
            block = own.pop("spatio_temporal_guidance_blocks")
            own |= {"spatio_temporal_guidance_blocks": None if block == NO_BLOCKS else [block]}  # type: ignore[dict-item]
        ours = {"guidance_scale": shot.run.guidance_scale, "max_sequence_length": shot.plan.max_tokens}
        given = conditions.of_ltx2(shot) if isinstance(pipe, LTX2ConditionPipeline) else {}
        return ours | given | {"frame_rate": float(shot.run.fps)} | own

    def latents_of(self, output: Any) -> Latents:
        return {"latents": output.frames, "audio_latents": output.audio}

    def start(self, pipe: Any, scheduler: Any, take: Latents, shot: Shot) -> dict[str, Any]:
        latents = self.begin(pipe, take, shot)["latents"]
        given = conditions.of_ltx2(shot, on_a_take=True) if isinstance(pipe, LTX2ConditionPipeline) else {}
        return {"latents": latents, "audio_latents": take["audio_latents"], "noise_scale": shot.plan.sigma} | given

    def begin(self, pipe: Any, take: Latents, shot: Shot) -> Latents:
        if not shot.plan.latent_upsampler:
            return super().begin(pipe, take, shot)
        return {"latents": second_stage.doubled(pipe, take["latents"], shot.plan.latent_upsampler, shot.run)}

    def from_vae(self, pipe: Any, encoded: torch.Tensor) -> torch.Tensor:
        return encoded  # the pipeline normalises what it is given

    def decode(self, pipe: Any, latents: Latents, shot: Shot) -> Footage:
        frames = frames_of(pipe, self.pixels(pipe, latents, shot))
        spectrogram = pipe.audio_vae.decode(latents["audio_latents"].to(pipe.audio_vae.dtype), return_dict=False)[0]
        sound = pipe.vocoder(spectrogram)[0].float().cpu().numpy()
        return Footage(frames, sound, pipe.vocoder.config.output_sampling_rate)

    def while_sampling(self, pipe: Any, latents: torch.Tensor, shot: Shot) -> torch.Tensor:
        side, vae, run = pipe.vae_spatial_compression_ratio, pipe.vae, shot.run
        frames = (run.num_frames - 1) // pipe.vae_temporal_compression_ratio + 1
        patches = (pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size)
        cells = frames * (run.height // side) * (run.width // side)
        own = latents[:, : cells // (patches[0] ** 2 * patches[1])]  # conditions come last
        grid = pipe._unpack_latents(own, frames, run.height // side, run.width // side, *patches)
        return pipe._denormalize_latents(grid, vae.latents_mean, vae.latents_std, vae.config.scaling_factor)

    def to_vae(self, pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
        if pipe.vae.dtype == torch.float32:
            return latents  # already denormalised
        vae = pipe.vae  # the pipeline rounds before it denormalises; bit for bit needs the same order
        normal = pipe._normalize_latents(latents, vae.latents_mean, vae.latents_std, vae.config.scaling_factor)
        return pipe._denormalize_latents(
            normal.to(vae.dtype), vae.latents_mean, vae.latents_std, vae.config.scaling_factor
        ).to(vae.dtype)

    def pixels(self, pipe: Any, latents: Latents, shot: Shot) -> torch.Tensor:
        return pipe.vae.decode(self.to_vae(pipe, latents["latents"], shot.run), None, return_dict=False)[0]


family = Ltx2()
