"""What sampling needs to know of a family, with the answers of flow matching in a VAE's latents.

A family module subclasses this and says only what is different. Latents travel as a dict of tensors by the names that
the pipeline's call gives them, so that sound can travel with the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import avg_pool3d, interpolate

from engine.media.resize import Given
from engine.schema import Pass, PictureRole, ShotPlan
from engine.worker import finite

NOTHING = Given()
Latents = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Shot:
    """One run of a pipeline: the plan, the pass of it that runs, the source of its noise, and what was given for it.

    `glimpse`: it is only looked at, so half the size of its decoded picture is enough.
    """

    plan: ShotPlan
    run: Pass
    generator: torch.Generator
    given: Given = NOTHING
    glimpse: bool = False

    @property
    def pictures(self) -> dict[PictureRole, Image.Image]:
        """The first and the last picture, by the names that pipelines give them."""
        return self.given.pictures

    def of_take(self) -> Shot:
        """The same for the take that this render starts on."""
        return replace(self, run=self.plan.take)


@dataclass(frozen=True)
class Footage:
    """Frames, uint8, (frames, height, width, 3); sound, float in -1..1, (channels, samples), when there is some."""

    frames: np.ndarray
    sound: np.ndarray | None = None
    sample_rate: int = 0


class LatentVideo:
    """Flow matching in normalised latents of shape (batch, channels, frames, height, width)."""

    def parts(self, folder: Path) -> dict[str, Any]:
        """Components that diffusers cannot load by itself here, loaded from the model's folder."""
        return {}

    def attach(self, pipe: Any, folder: Path, dtype: torch.dtype) -> None:
        """Once, before `prepare`: the second stage that lies in the model's folder, where a family has one."""
        pipe.second_stage = None

    def prepare(self, pipe: Any) -> None:
        """Once, on a freshly loaded pipeline: what must be set right before it draws."""

    def size(self, pipe: Any, run: Pass) -> dict[str, int]:
        """How the pipeline is told what to draw."""
        return {"height": run.height, "width": run.width, "num_frames": run.num_frames}

    encodes_pictures = False  # whether the text encoder looks at the pictures too

    def steps(self, shot: Shot, on_a_take: bool = False) -> int:
        """How many steps the pipeline will take, from noise or on an approved take."""
        return shot.run.num_inference_steps

    def steps_up_to(self, shot: Shot, step: int) -> int:
        """How many of them, from noise, are behind it where `step` of the pass's own steps are."""
        return round(step * self.steps(shot) / shot.run.num_inference_steps)

    def encode(self, pipe: Any, shot: Shot, transformer: Any) -> dict[str, Any]:
        """The prompts as arguments of the pipeline's call: tensors or None. They are remembered by their words.

        `pipe` has the text encoders and nothing that draws; `transformer` is the one that the words are for.
        """
        names = ("prompt_embeds", "negative_prompt_embeds")
        return dict(zip(names, self.encoded(pipe, shot), strict=True))

    def encoded(self, pipe: Any, shot: Shot) -> tuple[Any, ...]:
        """What the pipeline's own encode_prompt answers, for both prompts."""
        return tuple(
            pipe.encode_prompt(
                prompt=shot.plan.told,
                negative_prompt=shot.plan.negative_prompt,
                do_classifier_free_guidance=shot.plan.avoids,
                max_sequence_length=shot.plan.max_tokens,
                device=pipe._execution_device,
            )
        )

    def arguments(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        """Arguments of the pipeline's call beyond size, steps, noise and prompts; the card's own come last."""
        ours = {"guidance_scale": shot.run.guidance_scale, "max_sequence_length": shot.plan.max_tokens}
        return ours | shot.pictures | shot.run.arguments

    def scheduler(self, pipe: Any, run: Pass) -> Any:
        """A fresh scheduler with the pass's flow shift."""
        config = pipe.scheduler.config
        name = "flow_shift" if "flow_shift" in config else "shift"
        return type(pipe.scheduler).from_config(config, **{name: run.flow_shift})

    def exact_scheduler(self, pipe: Any, run: Pass) -> Any:
        """A fresh scheduler that takes sigmas as they are: `exact_timesteps` has shifted them already."""
        config = pipe.scheduler.config
        name = "flow_shift" if "flow_shift" in config else "shift"
        return type(pipe.scheduler).from_config(config, **{name: 1.0}, use_dynamic_shifting=False, shift_terminal=None)

    def exact_timesteps(self, scheduler: Any, original: Callable[..., None], shot: Shot, device: Any) -> None:
        """Set `num_inference_steps` steps from the plan's sigma to 0, by the pass's own levels or its flow shift.

        `original`: the scheduler's own set_timesteps. Shift s takes u to s u / (1 + (s - 1) u).
        """
        run, sigma = shot.run, shot.plan.sigma
        if run.sigmas:
            original(sigmas=np.array(run.sigmas) * (sigma / run.sigmas[0]), device=device)
            return
        shift = run.flow_shift
        u = np.linspace(sigma / (shift - (shift - 1) * sigma), 0, run.num_inference_steps + 1)[:-1]
        original(sigmas=shift * u / (1 + (shift - 1) * u), device=device)

    def noised(self, scheduler: Any, clean: torch.Tensor, noise: torch.Tensor, sigma: float) -> torch.Tensor:
        """Clean latents brought to noise level sigma."""
        return (1 - sigma) * clean + sigma * noise

    def while_sampling(self, pipe: Any, latents: torch.Tensor, shot: Shot) -> torch.Tensor:
        """The clip's latents as the pipeline has them between two steps, in the form that `to_vae` takes."""
        return latents

    def normal(self, pipe: Any, latents: torch.Tensor, shot: Shot) -> torch.Tensor:
        """The same as (1, channels, frames, height, width) without the VAE's scaling, as tiny decoders know it."""
        return latents

    def latents_of(self, output: Any) -> Latents:
        """The latents in what the pipeline returned for output_type='latent'."""
        return {"latents": output.frames}

    def on_a_take(self, pipe: Any, shot: Shot) -> dict[str, Any]:
        """What a call that starts on a take is told otherwise than one from noise, beside the latents."""
        return {}

    def start(self, pipe: Any, scheduler: Any, take: Latents, shot: Shot) -> dict[str, Any]:
        """The latents that such a call starts from, as arguments: the take at the render's size, noised to sigma."""
        clean = self.begin(pipe, take, shot)["latents"]
        noise = torch.randn(clean.shape, generator=shot.generator, dtype=torch.float32).to(clean)
        return {"latents": self.noised(scheduler, clean, noise, shot.plan.sigma)}

    def begin(self, pipe: Any, take: Latents, shot: Shot) -> Latents:
        """A render's clean starting latents: the take through pixels, at the render's size."""
        small = self.pixels(pipe, take, shot.of_take())
        return {"latents": self.from_vae(pipe, encoded_pixels(pipe, enlarged(small, shot.run)))}

    def decode(self, pipe: Any, latents: Latents, shot: Shot) -> Footage:
        """Latents to what is seen and heard."""
        return Footage(frames_of(pipe, self.pixels(pipe, latents, shot), shot))

    def pixels(self, pipe: Any, latents: Latents, shot: Shot) -> torch.Tensor:
        """(1, 3, frames, height, width) in -1..1, by the pipeline's own arithmetic, so that it is bit-identical."""
        return pipe.vae.decode(seen(self.to_vae(pipe, latents["latents"], shot.run), shot), return_dict=False)[0]

    def whole(self, pipe: Any, latents: torch.Tensor, part: torch.Tensor, shot: Shot) -> torch.Tensor:
        """The latents of the pipeline's loop with `part` in the place of what its scheduler steps on."""
        return part

    def to_vae(self, pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
        """The pipeline's latents as its VAE decodes them."""
        return latents.to(pipe.vae.dtype) / pipe.vae.config.scaling_factor

    def from_vae(self, pipe: Any, encoded: torch.Tensor) -> torch.Tensor:
        """What the VAE encoded, as the pipeline's latents."""
        return encoded * pipe.vae.config.scaling_factor


def seen(latents: torch.Tensor, shot: Shot) -> torch.Tensor:
    """Latents for the VAE (1, channels, frames, height, width); of a glimpse, half as high and wide."""
    return avg_pool3d(latents, (1, 2, 2)) if shot.glimpse else latents


def enlarged(pixels: torch.Tensor, run: Pass) -> torch.Tensor:
    """Pixels (1, 3, frames, height, width) brought to the size of a pass, bicubic; a frame at a time, since the whole
    clip in 32 bits may be gigabytes."""
    size = run.height, run.width
    large = pixels.new_empty((*pixels.shape[:3], *size))
    for frame in range(pixels.shape[2]):
        drawn = interpolate(pixels[:, :, frame].float(), size=size, mode="bicubic", antialias=True, align_corners=False)
        large[:, :, frame] = drawn.clamp_(-1, 1)
    return large


def encoded_pixels(pipe: Any, pixels: torch.Tensor) -> torch.Tensor:
    """The VAE's mean latents of pixels, float32."""
    return pipe.vae.encode(pixels.to(pipe.vae.device, pipe.vae.dtype)).latent_dist.mode().float()


def frames_of(pipe: Any, pixels: torch.Tensor, shot: Shot) -> np.ndarray:
    """Pixels as uint8 frames, (frames, height, width, 3). Raises Overflowed."""
    finite.check(pixels, shot.plan)
    frames = pipe.video_processor.postprocess_video(pixels, output_type="np")[0]
    return (frames * 255).round().astype(np.uint8)
