"""Wan Animate: a character in a picture moves as a drawn pose and a face do. One segment, whose latents begin with the
picture's own and come back denormalised.
"""

from __future__ import annotations

from typing import Any

import torch

from engine.media.resize import held
from engine.schema import Pass, VideoRole
from engine.worker.families.family import Latents, Shot, encoded_pixels
from engine.worker.families.wan import Wan

NAMES: dict[VideoRole, str] = {
    "control_video": "pose_video",
    "face_video": "face_video",
    "video": "background_video",
    "mask": "mask_video",
}


class WanAnimate(Wan):
    def size(self, pipe: Any, run: Pass) -> dict[str, int]:
        return {"height": run.height, "width": run.width, "segment_frame_length": run.num_frames}

    def arguments(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        moving = {NAMES[role]: held(images, shot.run.num_frames) for role, images in shot.given.videos.items()}
        mode = "replace" if "video" in shot.given.videos else "animate"  # it takes somebody's place in the video
        return super().arguments(pipe, shot) | moving | {"mode": mode}

    def start(self, pipe: Any, scheduler: Any, take: Latents, shot: Shot) -> dict[str, Any]:
        clean = super().from_vae(pipe, self.begin(pipe, take, shot)["latents"])
        noise = torch.randn(clean.shape, generator=shot.generator, dtype=torch.float32).to(clean)
        return {"latents": self.noised(scheduler, clean, noise, shot.plan.sigma)}

    def begin(self, pipe: Any, take: Latents, shot: Shot) -> Latents:
        clip = super().begin(pipe, take, shot)["latents"]
        picture, run = shot.pictures["image"], shot.run
        pixels = pipe.vae_image_processor.preprocess(picture, height=run.height, width=run.width, resize_mode="fill")
        return {"latents": torch.cat([encoded_pixels(pipe, pixels[:, :, None]), clip], dim=2)}

    def while_sampling(self, pipe: Any, latents: torch.Tensor, shot: Shot) -> torch.Tensor:
        return super().to_vae(pipe, latents, shot.run)

    def normal(self, pipe: Any, latents: torch.Tensor, shot: Shot) -> torch.Tensor:
        return latents[:, :, 1:]  # the first is the picture of who moves

    def to_vae(self, pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
        return latents.to(pipe.vae.device, pipe.vae.dtype)[:, :, 1:]

    def from_vae(self, pipe: Any, encoded: torch.Tensor) -> torch.Tensor:
        return encoded


family = WanAnimate()
