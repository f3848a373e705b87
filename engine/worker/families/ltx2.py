"""LTX-2: picture and sound denoised together; its pipeline noises given latents itself.

One forward a step needs every guidance of picture and sound at its neutral value, which the distilled cards spell out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import LTX2ConditionPipeline

from engine.schema import Pass, ShotPlan
from engine.worker.families import ltx_conditions, ltx_upsampler
from engine.worker.families.family import Footage, Latents, LatentVideo, Shot, frames_of, seen
from engine.worker.families.ltx import DECODING
from engine.worker.families.mochi import NAMES

TILES_APART = (14, 13, 12, 11)  # latent rows; diffusers' own, then what is tried
NO_BLOCKS = -1  # in a card, spatio_temporal_guidance_blocks = -1 means none: TOML has no null


class Ltx2(LatentVideo):
    def attach(self, pipe: Any, folder: Path, dtype: torch.dtype) -> None:
        ltx_upsampler.attach(pipe, folder, dtype)

    def prepare(self, pipe: Any) -> None:
        """Where its config is silent, diffusers counts one halving too many: wrong sizes, and tiles too far apart."""
        vae, config = pipe.vae, pipe.vae.config
        halvings = [
            kind for kind, does in zip(config.downsample_type, config.spatio_temporal_scaling, strict=True) if does
        ]
        side = config.patch_size * 2 ** sum(kind != "temporal" for kind in halvings)
        frames = config.patch_size_t * 2 ** sum(kind != "spatial" for kind in halvings)
        vae.spatial_compression_ratio = pipe.vae_spatial_compression_ratio = side
        vae.temporal_compression_ratio = pipe.vae_temporal_compression_ratio = frames

    def tile(self, vae: Any, plan: ShotPlan) -> None:
        """One latent row is too little for this VAE: where a tile of one would be left, tiles lie a little closer."""
        side = vae.spatial_compression_ratio
        for name in ("height", "width"):
            rows = {getattr(run, name) // side for run in (plan.take, plan.render)}
            apart = next(apart for apart in TILES_APART if all(count % apart != 1 for count in rows if count > apart))
            setattr(vae, f"tile_sample_stride_{name}", apart * side)

    def encode(self, pipe: Any, shot: Shot, transformer: Any) -> dict[str, Any]:
        return dict(zip(NAMES, self.encoded(pipe, shot), strict=True))

    def arguments(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        own = {name: value for name, value in shot.run.arguments.items() if name not in DECODING}
        if "spatio_temporal_guidance_blocks" in own:
            block = own.pop("spatio_temporal_guidance_blocks")
            own |= {"spatio_temporal_guidance_blocks": None if block == NO_BLOCKS else [block]}  # type: ignore[dict-item]
        self.tile(pipe.vae, shot.plan)
        ours = {"guidance_scale": shot.run.guidance_scale, "max_sequence_length": shot.plan.max_tokens}
        given = ltx_conditions.of_ltx2(shot) if isinstance(pipe, LTX2ConditionPipeline) else {}
        return ours | given | {"frame_rate": float(shot.run.fps)} | own

    def latents_of(self, output: Any) -> Latents:
        return {"latents": output.frames, "audio_latents": output.audio}

    def on_a_take(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        given = ltx_conditions.of_ltx2(shot, on_a_take=True) if isinstance(pipe, LTX2ConditionPipeline) else {}
        return {"noise_scale": shot.plan.sigma} | given

    def start(self, pipe: Any, scheduler: Any, take: Latents, shot: Shot) -> dict[str, Any]:
        return self.begin(pipe, take, shot) | {"audio_latents": take["audio_latents"]}

    def begin(self, pipe: Any, take: Latents, shot: Shot) -> Latents:
        if not shot.plan.latent_upsampler:
            return super().begin(pipe, take, shot)
        return {"latents": ltx_upsampler.doubled(pipe, take["latents"], shot.plan.latent_upsampler, shot.run)}

    def from_vae(self, pipe: Any, encoded: torch.Tensor) -> torch.Tensor:
        return encoded  # the pipeline normalises what it is given

    def decode(self, pipe: Any, latents: Latents, shot: Shot) -> Footage:
        frames = frames_of(pipe, self.pixels(pipe, latents, shot), shot)
        spectrogram = pipe.audio_vae.decode(latents["audio_latents"].to(pipe.audio_vae.dtype), return_dict=False)[0]
        sound, rate = pipe.vocoder(spectrogram)[0].float().cpu().numpy(), pipe.vocoder.config.output_sampling_rate
        samples = round(shot.run.seconds * rate)  # whole latents of sound are up to 20 ms longer or shorter
        return Footage(frames, np.pad(sound[:, :samples], ((0, 0), (0, max(samples - sound.shape[1], 0)))), rate)

    def while_sampling(self, pipe: Any, latents: torch.Tensor, shot: Shot) -> torch.Tensor:
        side, vae, run = pipe.vae_spatial_compression_ratio, pipe.vae, shot.run
        frames = (run.num_frames - 1) // pipe.vae_temporal_compression_ratio + 1
        patches = (pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size)
        cells = frames * (run.height // side) * (run.width // side)
        own = latents[:, : cells // (patches[0] ** 2 * patches[1])]  # conditions come last
        grid = pipe._unpack_latents(own, frames, run.height // side, run.width // side, *patches)
        return pipe._denormalize_latents(grid, vae.latents_mean, vae.latents_std, vae.config.scaling_factor)

    def normal(self, pipe: Any, latents: torch.Tensor, shot: Shot) -> torch.Tensor:
        vae, clean = pipe.vae, self.while_sampling(pipe, latents, shot)
        return pipe._normalize_latents(clean, vae.latents_mean, vae.latents_std, vae.config.scaling_factor)

    def to_vae(self, pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
        if pipe.vae.dtype == torch.float32:
            return latents  # already denormalised
        vae = pipe.vae  # the pipeline rounds before it denormalises; bit for bit needs the same order
        normal = pipe._normalize_latents(latents, vae.latents_mean, vae.latents_std, vae.config.scaling_factor)
        return pipe._denormalize_latents(
            normal.to(vae.dtype), vae.latents_mean, vae.latents_std, vae.config.scaling_factor
        ).to(vae.dtype)

    def pixels(self, pipe: Any, latents: Latents, shot: Shot) -> torch.Tensor:
        self.tile(pipe.vae, shot.plan)
        clean = seen(self.to_vae(pipe, latents["latents"], shot.run), shot)
        return pipe.vae.decode(clean, None, return_dict=False)[0]


family = Ltx2()
