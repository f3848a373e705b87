"""Draw a take, and refine an approved one. The same few lines for every family.

A render starts on its take: the take's latents, resized, are brought to noise level sigma and denoised from there by
the ordinary pipeline, whose scheduler is handed the last part of the schedule.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from engine.errors import JobCancelled, ModelProblem
from engine.types import Event, Pass, Plan, Progress
from engine.worker.families import Family
from engine.worker.weights import Model

PROMPTS_KEPT = 64  # encoded prompts of one model, in memory


class Watch:
    """Reports steps and raises JobCancelled between them: an exception is the only stop that skips the decoding."""

    def __init__(self, emit: Callable[[Event], None], stop_asked: Callable[[], bool]) -> None:
        self.emit, self._stop_asked = emit, stop_asked
        self._started = 0.0

    def check(self) -> None:
        if self._stop_asked():
            raise JobCancelled

    def begin(self, steps: int) -> None:
        self._started = time.perf_counter()
        self.emit(Progress(phase="sampling", step=0, steps=steps))

    def step(self, pipe: Any, index: int, _timestep: Any, _tensors: dict[str, Any]) -> dict[str, Any]:
        """The pipeline's callback_on_step_end."""
        self.check()
        done, steps = index + 1, pipe.num_timesteps
        left = (time.perf_counter() - self._started) / done * (steps - done)
        self.emit(Progress(phase="sampling", step=done, steps=steps, seconds_left=round(left, 1)))
        return {}


def draw(model: Model, family: Family, plan: Plan, watch: Watch) -> torch.Tensor:
    """The latents of a take, from noise of the plan's seed."""
    noise = _noise(family.latent_shape(model.pipe, plan.take), plan.seed)
    return _denoise(model, family, plan, watch, (plan.take, noise, 1.0))


def refine(model: Model, family: Family, plan: Plan, watch: Watch, take: torch.Tensor) -> torch.Tensor:
    """The latents of a render that keeps `take`, the latents of the approved take."""
    run = plan.render
    shape = family.latent_shape(model.pipe, run)
    noise = _noise(shape, plan.seed)
    if plan.sigma == 1.0:  # nothing of the take would be left: a render from scratch
        return _denoise(model, family, plan, watch, (run, noise, 1.0))
    start = family.resized(model.pipe, take.to(model.pipe.device), run)
    latents = family.noised(start, noise.to(start), plan.sigma)
    return _denoise(model, family, plan, watch, (run, latents, plan.sigma))


def _denoise(
    model: Model, family: Family, plan: Plan, watch: Watch, begin: tuple[Pass, torch.Tensor, float]
) -> torch.Tensor:
    """`begin`: the pass, the latents to begin with, and their noise level."""
    run, latents, sigma = begin
    pipe = model.pipe
    watch.emit(Progress(phase="prompt"))
    watch.check()
    prompt_embeds, negative_prompt_embeds = _embeddings(model, plan, run.guidance_scale > 1)
    pipe.scheduler = family.scheduler(pipe, run)
    watch.begin(run.num_inference_steps)
    with _starting_at(pipe.scheduler, run, sigma):
        result = pipe(
            prompt_embeds=prompt_embeds,
            negative_prompt_embeds=negative_prompt_embeds,
            height=run.height,
            width=run.width,
            num_frames=run.num_frames,
            num_inference_steps=run.num_inference_steps,
            guidance_scale=run.guidance_scale,
            latents=latents,
            output_type="latent",
            callback_on_step_end=watch.step,
            **family.call_arguments(plan),
        )
    return result.frames


def _embeddings(model: Model, plan: Plan, guided: bool) -> tuple[Any, Any]:
    """Encoded prompts, from memory when these words were said before."""
    words = (plan.request.prompt, plan.request.negative_prompt, plan.max_tokens)
    if words not in model.embeddings:
        if len(model.embeddings) >= PROMPTS_KEPT:
            model.embeddings.clear()
        model.embeddings[words] = model.pipe.encode_prompt(
            prompt=words[0],
            negative_prompt=words[1],
            do_classifier_free_guidance=True,
            max_sequence_length=plan.max_tokens,
            device=model.pipe.device,
        )
    prompt_embeds, negative_prompt_embeds = model.embeddings[words]
    return prompt_embeds, negative_prompt_embeds if guided else None


@contextmanager
def _starting_at(scheduler: Any, run: Pass, sigma: float) -> Iterator[None]:
    """Within, the pipeline's own call of set_timesteps yields `num_inference_steps` steps from level sigma to 0.

    Schedulers shift what they are given, sigma = shift u / (1 + (shift - 1) u), so they are given u.
    """
    if sigma == 1.0:
        yield
        return
    u = sigma / (run.flow_shift - (run.flow_shift - 1) * sigma)
    shortened = np.linspace(u, 1 / scheduler.config.num_train_timesteps, run.num_inference_steps + 1)[:-1]
    original = scheduler.set_timesteps

    @functools.wraps(original)  # pipelines look at the signature
    def set_timesteps(num_inference_steps: int | None = None, device: Any = None, **_: Any) -> None:
        original(device=device, sigmas=shortened)

    scheduler.set_timesteps = set_timesteps
    try:
        yield
    finally:
        del scheduler.set_timesteps


def _noise(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Drawn on the CPU, so that a seed means the same on every device."""
    return torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed), dtype=torch.float32)


def save(latents: torch.Tensor, path: Path) -> None:
    save_file({"latents": latents.float().cpu().contiguous()}, path)


def load(path: Path) -> torch.Tensor:
    """Raises ModelProblem when the file is missing or damaged."""
    try:
        return load_file(path)["latents"]
    except (OSError, SafetensorError, KeyError) as error:
        raise ModelProblem(
            "The approved take's latents are missing or damaged, so it cannot be rendered.",
            "Make the take again from its recipe.",
            str(error),
        ) from error
