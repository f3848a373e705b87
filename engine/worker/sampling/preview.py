"""A first look at a clip while it is being made: the current clean estimate as a small moving picture.

A peek may cost a fixed share of the run and no more. What one costs is measured by the ones before, so a short run has
few or none. A tiny decoder beside the model's weights draws it (`peek/`), or a linear map of its latents to pixels
(`latent_rgb.safetensors`); elsewhere its own VAE does, small and of the first frames, unless that would bring it to the
device.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn.functional import conv3d, interpolate

from engine.schema.events import Event, Peek
from engine.worker.accelerator import Accelerator
from engine.worker.families.family import LatentVideo, Shot
from engine.worker.loading.pipeline_loader import Model
from engine.worker.sampling.tiny_decoder import STAGES, TinyDecoder, placed, read

log = logging.getLogger(__name__)

SHARE = 0.03  # of the time of the sampling
MARGIN = 0.7  # the measured cost of one peek says little about the next one on a busy machine
MAP = "latent_rgb.safetensors"
VAE_CELLS, VAE_FRAMES = 12, 3  # latent cells of the shorter side, and latent frames, that the real VAE decodes for one
TINY_SIDE = 320  # pixels: a tiny decoder's doublings that would bring the shorter side above are left out
GUESS_SECONDS = {"tiny": 0.3, "map": 0.05, "vae": 0.5}  # the first one's cost
Estimate = Callable[[], torch.Tensor]


class Peeker:
    """Writes `peek-<step>.webp` into the job's folder, the one before it going, and tells of it."""

    def __init__(self, look: Look, shot: Shot, folder: Path, emit: Callable[[Event], None]) -> None:
        self.look, self._shot, self._folder, self._emit = look, shot, folder, emit
        self.spent_seconds, self._cost = 0.0, GUESS_SECONDS[look.kind]
        self._last: Path | None = None
        self.broken = False

    def after_step(self, done: int, steps: int, seconds: float, estimate: Estimate) -> None:
        """`seconds`: since the sampling began. Skipped unless its cost stays within the share of the whole run."""
        whole_run = (seconds - self.spent_seconds) / done * steps
        if self.broken or done >= steps or self.spent_seconds + self._cost > SHARE * MARGIN * whole_run:
            return
        Accelerator(self._shot.plan.placement.device).synchronize()  # the step itself may still be computing
        started = time.perf_counter()
        try:
            self._show(self._folder / f"peek-{done:03}.webp", estimate())
        except Exception:  # no room in memory, no room on the disk: a look at the clip is not worth the clip
            log.warning("no peeks in this job", exc_info=True)
            self.broken = True
        took = time.perf_counter() - started
        self.spent_seconds, self._cost = self.spent_seconds + took, took

    def close(self) -> None:
        """The clip is there: nobody needs the last peek."""
        if self._last:
            self._last.unlink(missing_ok=True)

    def _show(self, path: Path, estimate: torch.Tensor) -> None:
        write(self.look.frames(estimate, self._shot), self._shot.run.fps, path)
        self._emit(Peek(file=path.name))
        self.close()
        self._last = path


class Look:
    """How the latents of one loaded model become small frames."""

    def __init__(self, pipe: Any, family: LatentVideo, folder: Path) -> None:
        """`folder`: the model's. Raises what a damaged file in it raises."""
        self._pipe, self._family, self._tiny = pipe, family, read(folder)
        linear = None if self._tiny or not (folder / MAP).exists() else load_file(folder / MAP)
        self._map = {name: part.float() for name, part in (linear or {}).items()}
        self.kind = "tiny" if self._tiny else "map" if self._map else "vae"

    def frames(self, estimate: torch.Tensor, shot: Shot) -> np.ndarray:
        """A clean estimate, in the pipeline's form, as uint8 frames, (frames, height, width, 3)."""
        if self._tiny:
            pixels = self._tiny_pixels(self._tiny, self._family.normal(self._pipe, estimate, shot))
        else:
            cells = self._family.to_vae(self._pipe, self._family.while_sampling(self._pipe, estimate, shot), shot.run)
            pixels = linear_pixels(self._map, cells.float().cpu()) if self._map else self._small(cells)
        shown = ((pixels[0].float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
        return shown.permute(1, 2, 3, 0).cpu().numpy()

    def _tiny_pixels(self, tiny: TinyDecoder, latents: torch.Tensor) -> torch.Tensor:
        side = min(latents.shape[-2:]) * tiny.patch
        tiny.enlargements = max((n for n in range(len(STAGES) + 1) if side * 2**n <= TINY_SIDE), default=0)
        return placed(tiny, latents)(latents[:1])

    def _small(self, cells: torch.Tensor) -> torch.Tensor:
        cells = cells[:1, :, :VAE_FRAMES]
        scale = min(1.0, VAE_CELLS / min(cells.shape[-2:]))
        size = (cells.shape[2], *(max(2, round(side * scale) // 2 * 2) for side in cells.shape[-2:]))
        small = interpolate(cells.float(), size=size, mode="trilinear").to(cells.dtype)
        conditioned = getattr(self._pipe.vae.config, "timestep_conditioning", False)  # LTX decodes at a noise level
        at = (torch.tensor([0.0]).to(small),) if conditioned else ()
        return self._pipe.vae.decode(small, *at, return_dict=False)[0]


def peeker(model: Model, family: LatentVideo, shot: Shot, folder: Path, emit: Callable[[Event], None]) -> Peeker | None:
    """Who shows this run, writing to `folder`; nobody where each look would move large parts in memory."""
    try:
        look = Look(model.pipe, family, model.folder)
    except Exception:  # a file of a kind that this version does not know, or damaged: peeks are no reason to fail
        log.warning("no peeks of %s", model.folder.name, exc_info=True)
        return None
    moves = shot.plan.placement.offload == "model" or shot.plan.placement.vae_on_cpu
    return None if look.kind == "vae" and moves else Peeker(look, shot, folder, emit)


def linear_pixels(linear: dict[str, torch.Tensor], cells: torch.Tensor) -> torch.Tensor:
    """VAE latents (1, channels, frames, height, width) to small pixels in -1..1, by one convolution.

    `weight` is (3 x frames x side x side, channels, 1, 3, 3), `frames` how many share a latent one, 4 where it is not
    said. Of the first latent's frames only the last is real.
    """
    drawn = conv3d(cells, linear["weight"], linear["bias"], padding=(0, 1, 1))
    stride = int(linear.get("frames", torch.tensor(4)))
    side = round((drawn.shape[1] / 3 / stride) ** 0.5)
    _, _, frames, height, width = drawn.shape
    blocks = drawn.reshape(3, stride, side, side, frames, height, width).permute(0, 4, 1, 5, 2, 6, 3)
    return blocks.reshape(1, 3, frames * stride, height * side, width * side)[:, :, stride - 1 :]


def clean_estimate(scheduler: Any, given: tuple[Any, ...], named: dict[str, Any], result: tuple[Any, ...]) -> Any:
    """What the scheduler takes the clean latents to be after a step, from the step's arguments and its result."""
    if len(result) > 1:  # CogVideoX's schedulers answer it
        return result[1]
    if getattr(scheduler, "model_outputs", None):  # UniPC keeps it
        return scheduler.model_outputs[-1]
    velocity = given[0] if given else named["model_output"]
    sample = given[2] if len(given) > 2 else named["sample"]
    if named.get("per_token_timesteps") is not None:  # LTX with conditions: a level for each token, counted forwards
        sigmas = named["per_token_timesteps"] / scheduler.config.num_train_timesteps
        return sample.float() + sigmas[..., None].to(sample.device) * velocity.float()
    left = scheduler.sigmas[-1] - scheduler.sigmas[scheduler.step_index - 1]  # Mochi counts up to 1, the others to 0
    return sample.float() + left.to(sample.device) * velocity.float()


def write(frames: np.ndarray, fps: int, path: Path) -> None:
    """Frames as a moving picture that plays for ever."""
    first, *others = (Image.fromarray(frame) for frame in frames)
    first.save(path, "WEBP", save_all=True, append_images=others, duration=1000 // fps, loop=0, quality=70, method=0)
