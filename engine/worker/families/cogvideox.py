"""CogVideoX: v-prediction on a DDIM or DPM schedule instead of flow; latents are (batch, frames, channels, h, w).

sigma is the deviation of the noise at a timestep, sqrt(1 - alpha_bar): the same dial on another clock.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from diffusers import CogVideoXVideoToVideoPipeline

from engine.media.resize import held
from engine.schema import Pass
from engine.worker.families.family import Latents, LatentVideo, Shot, encoded_pixels, enlarged


class CogVideoX(LatentVideo):
    def size(self, pipe: Any, run: Pass) -> dict[str, int]:
        size = super().size(pipe, run)
        if isinstance(pipe, CogVideoXVideoToVideoPipeline):  # as long as its video is
            del size["num_frames"]
        return size

    def steps(self, shot: Shot, on_a_take: bool = False) -> int:
        share = (shot.plan.strength or 1.0) if "video" in shot.given.videos and not on_a_take else 1.0
        return int(super().steps(shot) * share)

    def arguments(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        own = super().arguments(pipe, shot)
        if "video" in shot.given.videos:
            own |= {"video": held(shot.given.videos["video"], shot.run.num_frames), "strength": shot.plan.strength}
        return own

    def scheduler(self, pipe: Any, run: Pass) -> Any:
        return type(pipe.scheduler).from_config(pipe.scheduler.config)

    exact_scheduler = scheduler

    def exact_timesteps(self, scheduler: Any, original: Callable[..., None], shot: Shot, device: Any) -> None:
        """The last `num_inference_steps` of a whole schedule that reaches sigma there: DDIM steps by its spacing."""
        steps, training = shot.run.num_inference_steps, scheduler.config.num_train_timesteps
        deviations = (1 - scheduler.alphas_cumprod).sqrt()
        first = int((deviations - shot.plan.sigma).abs().argmin())
        original(min(max(round(steps * training / max(first, 1)), steps), training), device=device)
        scheduler.timesteps = scheduler.timesteps[-steps:]

    def on_a_take(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        return {"strength": 1.0} if "video" in shot.given.videos else {}

    def start(self, pipe: Any, scheduler: Any, take: Latents, shot: Shot) -> dict[str, Any]:
        clean = self.begin(pipe, take, shot)["latents"]
        noise = torch.randn(clean.shape, generator=shot.generator, dtype=torch.float32).to(clean)
        coming = copy.deepcopy(scheduler)
        self.exact_timesteps(coming, coming.set_timesteps, shot, clean.device)
        latents = {"latents": scheduler.add_noise(clean, noise, coming.timesteps[:1])}
        return latents | ({"video": None} if "video" in shot.given.videos else {})

    def begin(self, pipe: Any, take: Latents, shot: Shot) -> Latents:
        small = self.pixels(pipe, take, shot.of_take())
        latents = self.from_vae(pipe, encoded_pixels(pipe, enlarged(small, shot.run)))
        padding = _padding(pipe, latents.shape[1])
        return {"latents": torch.cat([latents[:, :1].repeat(1, padding, 1, 1, 1), latents], dim=1)}

    def normal(self, pipe: Any, latents: torch.Tensor, shot: Shot) -> torch.Tensor:
        return self.to_vae(pipe, latents, shot.run) * pipe.vae_scaling_factor_image

    def to_vae(self, pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
        real = (run.num_frames - 1) // pipe.vae_scale_factor_temporal + 1
        latents = latents[:, latents.shape[1] - real :]  # CogVideoX 1.5 pads at the front
        return 1 / pipe.vae_scaling_factor_image * latents.permute(0, 2, 1, 3, 4)

    def from_vae(self, pipe: Any, encoded: torch.Tensor) -> torch.Tensor:
        return (encoded * pipe.vae_scaling_factor_image).permute(0, 2, 1, 3, 4)


def _padding(pipe: Any, frames: int) -> int:
    """Latent frames that CogVideoX 1.5 adds so that its temporal patch divides them."""
    patch = pipe.transformer.config.patch_size_t
    return 0 if patch is None else -frames % patch


family = CogVideoX()
