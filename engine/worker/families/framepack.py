"""FramePack: HunyuanVideo section by section, the last one first. Its call takes no latents, so a render hands each
section its share of the take where the pipeline would draw noise.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch

from engine.schema import Pass
from engine.worker.families.family import NOTHING, Latents, Shot, seen
from engine.worker.families.hunyuan_video import HunyuanVideo

SECTION = 9  # latent frames that a section makes: latent_window_size
WINDOW = 4 * (SECTION - 1) + 1  # the frames that it counts as
ADDED = 4 * SECTION  # the frames that it adds to the clip


class FramePack(HunyuanVideo):
    encodes_pictures = False

    def size(self, pipe: Any, run: Pass) -> dict[str, int]:
        return super().size(pipe, run) | {"num_frames": _sections(run) * WINDOW}

    def steps(self, shot: Shot, on_a_take: bool = False) -> int:
        return super().steps(shot, on_a_take) * _sections(shot.run)

    def encode(self, pipe: Any, shot: Shot, transformer: Any) -> dict[str, Any]:
        return super().encode(pipe, replace(shot, given=NOTHING), transformer)

    def start(self, pipe: Any, scheduler: Any, take: Latents, shot: Shot) -> dict[str, Any]:
        noisy = super().start(pipe, scheduler, take, shot)["latents"].to(shot.plan.placement.device)
        pipe.prepare_latents = Shares(reversed(torch.split(noisy[:, :, 1:], SECTION, dim=2)))
        return {}

    def latents_of(self, output: Any) -> Latents:
        return {"latents": output.frames[-1]}  # of all sections; the ones before are its parts

    def pixels(self, pipe: Any, latents: Latents, shot: Shot) -> torch.Tensor:
        """Decoded as the pipeline does: each section with the one after it, blended over a window."""
        whole = latents["latents"]
        if shot.glimpse:  # before the sections that were begun, the picture stands still
            begun = -(-self.steps_up_to(shot, shot.run.steps) // shot.run.num_inference_steps)
            drawn = whole[:, :, whole.shape[2] - begun * SECTION :]
            whole = torch.cat([whole[:, :, :1].expand(-1, -1, whole.shape[2] - drawn.shape[2], -1, -1), drawn], dim=2)
        whole = seen(self.to_vae(pipe, whole, shot.run), shot)
        parts = list(torch.split(whole[:, :, 1:], SECTION, dim=2))
        parts[0] = torch.cat([whole[:, :, :1], parts[0]], dim=2)  # the picture's own latents lead
        video = pipe.vae.decode(parts[-1], return_dict=False)[0]
        for part, following in reversed(list(itertools.pairwise(parts))):
            current = pipe.vae.decode(torch.cat([part, following[:, :, :SECTION]], dim=2), return_dict=False)[0]
            video = pipe._soft_append(current, video, WINDOW)
        return video[:, :, : (video.shape[2] - 1) // 4 * 4 + 1]


class Shares:
    """In the place of the pipeline's own preparation: each section's latents, in the order that it asks for them."""

    def __init__(self, sections: Iterable[torch.Tensor]) -> None:
        self.sections = list(sections)
        self._coming = iter(self.sections)

    def __call__(self, *_: Any, **__: Any) -> torch.Tensor:
        return next(self._coming)


def _sections(run: Pass) -> int:
    return (run.num_frames - 1) // ADDED


family = FramePack()
