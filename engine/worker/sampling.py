"""Draw a take, and refine an approved one. The same few lines for every family.

A render starts on its take: the take's latents, brought to the render's size, are raised to noise level sigma and
denoised from there by the ordinary pipeline, whose scheduler is handed the last part of the schedule.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from engine.errors import JobCancelled, ModelProblem
from engine.events import Event, Progress
from engine.types import Work
from engine.worker import decoding
from engine.worker.families.latent_video import Latents, LatentVideo, Shot
from engine.worker.peek import Estimate, Peeker, clean_estimate
from engine.worker.step_cache import step_cache
from engine.worker.weights import Model


class Watch:
    """Reports steps and raises JobCancelled between them: an exception is the only stop that skips the decoding.

    `doing`: what memory would run out under. `peeker`: who shows the clip on its way.
    """

    peeker: Peeker | None = None

    def __init__(self, emit: Callable[[Event], None], stop_asked: Callable[[], bool]) -> None:
        self.emit, self._stop_asked = emit, stop_asked
        self.doing: Work = "loading"
        self._started, self._done, self._steps = 0.0, 0, 0

    def check(self) -> None:
        if self._stop_asked():
            raise JobCancelled

    def begin(self, steps: int) -> None:
        self._started, self._done, self._steps = time.perf_counter(), 0, steps
        self.emit(Progress(phase="sampling", step=0, steps=steps))

    def step(self, estimate: Estimate) -> None:
        """After every step of the scheduler. `estimate`: what it now takes the clean latents to be."""
        self.check()
        self._done += 1
        seconds = time.perf_counter() - self._started
        left = seconds / self._done * max(self._steps - self._done, 0)
        step = min(self._done, self._steps)
        self.emit(Progress(phase="sampling", step=step, steps=self._steps, seconds_left=round(left, 1)))
        if self.peeker:
            self.peeker.after_step(self._done, self._steps, seconds, estimate)


def draw(model: Model, family: LatentVideo, shot: Shot, watch: Watch) -> Latents:
    """The latents of a clip from noise of the plan's seed."""
    words = _words(model, family, shot, watch)
    if shot.run.sigmas:  # levels of the model's own, the first of them pure noise
        whole = replace(shot, plan=shot.plan.model_copy(update={"sigma": 1.0}))
        return _denoise(model, family, shot, _exact(model, family, whole, watch), words)
    scheduler = family.scheduler(model.pipe, shot.run)
    return _denoise(model, family, shot, watched(scheduler, watch, family.steps(shot)), words)


def refine(model: Model, family: LatentVideo, shot: Shot, watch: Watch, take: Latents) -> Latents:
    """The latents of a render that keeps `take`, the latents of the approved take."""
    if shot.plan.sigma == 1.0:  # nothing of the take would be left: a render from scratch
        return draw(model, family, shot, watch)
    watch.check()
    scheduler = _exact(model, family, shot, watch)
    watch.doing = "decoding"  # and encoding
    with decoding.vae_at_work(model.pipe, shot.plan.placement, take) as reachable:
        start = family.start(model.pipe, scheduler, reachable, shot)
    return _denoise(model, family, shot, scheduler, _words(model, family, shot, watch) | start)


def _exact(model: Model, family: LatentVideo, shot: Shot, watch: Watch) -> Any:
    """A scheduler that goes from the plan's sigma to 0 by levels that the family sets."""
    exact_timesteps = functools.partial(family.exact_timesteps, shot=shot)
    scheduler = family.exact_scheduler(model.pipe, shot.run)
    return watched(scheduler, watch, family.steps(shot, on_a_take=shot.plan.sigma < 1), exact_timesteps)


def _denoise(model: Model, family: LatentVideo, shot: Shot, scheduler: Any, given: dict[str, Any]) -> Latents:
    """Run the pipeline on `scheduler` with the words in `given`, and from the latents in it, or else from noise."""
    pipe, run = model.pipe, shot.run
    shipped, pipe.scheduler = pipe.scheduler, scheduler
    try:
        with step_cache(pipe, shot.plan):
            output = pipe(
                num_inference_steps=run.num_inference_steps,
                generator=shot.generator,
                output_type="latent",
                **family.size(pipe, run),
                **(family.arguments(pipe, shot) | given),
            )
    finally:
        pipe.scheduler = shipped
        pipe.maybe_free_model_hooks()  # a call that an exception ended leaves caches and offload hooks behind
    return family.latents_of(output)


def _words(model: Model, family: LatentVideo, shot: Shot, watch: Watch) -> dict[str, Any]:
    """The encoded prompts; the text encoders are loaded for them when they are new."""
    watch.doing = "loading"
    words = model.prompts.encoded(model.pipe, family, shot, watch.emit)
    watch.doing = "denoising"
    return words


def watched(scheduler: Any, watch: Watch, steps: int, exact_timesteps: Callable[..., None] | None = None) -> Any:
    """The scheduler, reporting its `steps` and, where given, setting its timesteps by `exact_timesteps`.

    By a subclass and not by replaced methods: pipelines deep-copy schedulers, ask for their class and read signatures.
    """
    kind = type(scheduler)
    reporter = scheduler  # copies of it, such as the one for sound, do not report
    begun = False  # some pipelines set the timesteps again

    class Watched(kind):  # type: ignore[valid-type, misc]
        @functools.wraps(kind.set_timesteps)
        def set_timesteps(self, *given: Any, **named: Any) -> None:
            original = functools.partial(kind.set_timesteps, self)
            if exact_timesteps is None:
                original(*given, **named)
            else:
                exact_timesteps(self, original, device=named.get("device"))
            nonlocal begun
            if self is reporter and not begun:
                begun = True
                watch.begin(steps)

        @functools.wraps(kind.step)
        def step(self, *given: Any, **named: Any) -> Any:
            result = kind.step(self, *given, **named)
            if self is reporter:
                watch.step(functools.partial(clean_estimate, self, given, named, result))
            return result

    Watched.__name__ = kind.__name__
    scheduler.__class__ = Watched
    return scheduler


def save(latents: Latents, path: Path) -> None:
    save_file({name: part.float().cpu().contiguous() for name, part in latents.items()}, path)


def load(path: Path, device: Any) -> Latents:
    """Raises ModelProblem when the file is missing or damaged."""
    try:
        found = load_file(path)
        return {name: found[name].to(device) for name in ("latents", *sorted(found.keys() - {"latents"}))}
    except (OSError, SafetensorError, KeyError) as error:
        raise ModelProblem(
            "The approved take's latents are missing or damaged, so it cannot be rendered.",
            "Make the take again from its recipe.",
            str(error),
        ) from error
