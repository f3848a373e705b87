"""A first look at a clip while it is being made: the current clean estimate as a small moving picture.

A peek may cost a fixed share of the run and no more. What one costs is measured by the ones before, so a short run has
few or none. Where a model has a linear map of its latents to pixels beside its weights (`latent_rgb.safetensors`), that
draws the peek; elsewhere its own VAE does, small and of the first frames, unless that would bring it to the device.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.nn.functional import conv3d, interpolate

from engine.events import Event, Peek
from engine.worker.families.latent_video import LatentVideo, Shot
from engine.worker.weights import Model

log = logging.getLogger(__name__)

SHARE = 0.03  # of the time of the sampling
MARGIN = 0.7  # the measured cost of one peek says little about the next one on a busy machine
MAP = "latent_rgb.safetensors"
VAE_CELLS, VAE_FRAMES = 12, 3  # latent cells of the shorter side, and latent frames, that the real VAE decodes for one
GUESS_SECONDS = {"map": 0.05, "vae": 0.5}  # the first one's cost
Estimate = Callable[[], torch.Tensor]


class Peeker:
    """Writes `peek-<step>.webp` into the job's folder, the one before it going, and tells of it."""

    def __init__(self, look: Look, shot: Shot, folder: Path, emit: Callable[[Event], None]) -> None:
        self._look, self._shot, self._folder, self._emit = look, shot, folder, emit
        self.spent_seconds, self._cost = 0.0, GUESS_SECONDS[look.kind]
        self._last: Path | None = None
        self.broken = False

    def after_step(self, done: int, steps: int, seconds: float, estimate: Estimate) -> None:
        """`seconds`: since the sampling began. Skipped unless its cost stays within the share of the whole run."""
        whole_run = (seconds - self.spent_seconds) / done * steps
        if self.broken or done >= steps or self.spent_seconds + self._cost > SHARE * MARGIN * whole_run:
            return
        if torch.cuda.is_available():
            torch.cuda.synchronize()  # the step itself may still be computing
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
        write(self._look.frames(estimate, self._shot), self._shot.run.fps, path)
        self._emit(Peek(file=path.name))
        self.close()
        self._last = path


class Look:
    """How the latents of one loaded model become small frames."""

    def __init__(self, pipe: Any, family: LatentVideo, linear: dict[str, torch.Tensor] | None) -> None:
        self._pipe, self._family, self._map = pipe, family, linear
        self.kind = "map" if linear else "vae"

    def frames(self, estimate: torch.Tensor, shot: Shot) -> np.ndarray:
        """A clean estimate, in the pipeline's form, as uint8 frames, (frames, height, width, 3)."""
        cells = self._family.to_vae(self._pipe, self._family.while_sampling(self._pipe, estimate, shot), shot.run)
        pixels = linear_pixels(self._map, cells.float().cpu()) if self._map else self._small(cells)
        shown = ((pixels[0].float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
        return shown.permute(1, 2, 3, 0).cpu().numpy()

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
    linear = None
    with contextlib.suppress(OSError, SafetensorError, KeyError):
        found = load_file(model.folder / MAP)
        linear = {name: found[name].float() for name in ("weight", "bias")}
    moves = shot.plan.placement.offload == "model" or shot.plan.placement.vae_on_cpu
    if linear is None and moves:
        return None
    return Peeker(Look(model.pipe, family, linear), shot, folder, emit)


def linear_pixels(linear: dict[str, torch.Tensor], cells: torch.Tensor) -> torch.Tensor:
    """VAE latents (1, channels, frames, height, width) to small pixels in -1..1, by one convolution.

    `weight` is (3 x 4 frames x side x side, channels, 1, 3, 3). Of the first latent's frames only the last is real.
    """
    drawn = conv3d(cells, linear["weight"], linear["bias"], padding=(0, 1, 1))
    side = round((drawn.shape[1] / 12) ** 0.5)
    _, _, frames, height, width = drawn.shape
    blocks = drawn.reshape(3, 4, side, side, frames, height, width).permute(0, 4, 1, 5, 2, 6, 3)
    return blocks.reshape(1, 3, frames * 4, height * side, width * side)[:, :, 3:]


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
