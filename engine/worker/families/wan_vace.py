"""Wan VACE: one video to follow and one mask that says where; white is made, black is kept. References come first."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image

from engine.media.resize import Given, held
from engine.schema import Pass
from engine.worker.families.family import Latents, Shot, encoded_pixels
from engine.worker.families.wan import Wan

MADE, KEPT = 255, 0


class WanVace(Wan):
    def arguments(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        ours = {"guidance_scale": shot.run.guidance_scale, "max_sequence_length": shot.plan.max_tokens}
        references = {"reference_images": shot.given.references} if shot.given.references else {}
        return ours | references | followed(shot.given, shot.run) | shot.run.arguments

    def begin(self, pipe: Any, take: Latents, shot: Shot) -> Latents:
        latents = super().begin(pipe, take, shot)["latents"]
        for picture in shot.given.references:  # the pipeline puts each in front of what there is
            pixels = pipe.video_processor.preprocess(picture, shot.run.height, shot.run.width)
            first = self.from_vae(pipe, encoded_pixels(pipe, pixels[:, :, None]))
            latents = torch.cat([first, latents], dim=2)
        return {"latents": latents}

    def while_sampling(self, pipe: Any, latents: torch.Tensor, shot: Shot) -> torch.Tensor:
        return latents[:, :, len(shot.given.references) :]

    def pixels(self, pipe: Any, latents: Latents, shot: Shot) -> torch.Tensor:
        return super().pixels(pipe, {"latents": self.while_sampling(pipe, latents["latents"], shot)}, shot)


def followed(given: Given, run: Pass) -> dict[str, list[Image.Image]]:
    """`video` and `mask` of the call: a control video where the mask is white, the person's own video where it is
    black, and pictures at chosen frames, which stay as they are. Nothing when only words and references are given."""
    pinned, size = given.pinned(run.num_frames), (run.width, run.height)
    if not (pinned or given.videos):
        return {}
    nothing, everywhere = [Image.new("RGB", size, (128, 128, 128))], [Image.new("L", size, MADE)]
    made = held(given.of("control_video") or nothing, run.num_frames)
    kept = held(given.of("video") or nothing, run.num_frames)
    where = held(given.of("mask") or everywhere, run.num_frames)
    masks = [mask.convert("L").point(lambda grey: MADE if grey > 127 else KEPT) for mask in where]
    video = [Image.composite(*layers) for layers in zip(made, kept, masks, strict=True)]
    for frame, picture in pinned.items():
        video[frame], masks[frame] = picture, Image.new("L", size, KEPT)
    return {"video": video, "mask": masks}


family = WanVace()
