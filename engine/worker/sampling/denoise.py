"""Draw a take, and refine an approved one. The same few lines for every family.

A render starts on its take: the take's latents, brought to the render's size, are raised to noise level sigma and
denoised from there by the ordinary pipeline, whose scheduler is handed the last part of the schedule.
"""

from __future__ import annotations

import errno
import functools
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from engine.durable_files import onto_the_disk
from engine.schema import Work
from engine.schema.errors import JobCancelled, ModelProblem, not_written
from engine.schema.events import Event, Progress
from engine.schema.message import Message
from engine.worker import finite
from engine.worker.families.family import Latents, LatentVideo, Shot
from engine.worker.loading import device_placement
from engine.worker.loading.pipeline_loader import Model
from engine.worker.output import decode
from engine.worker.sampling import noise
from engine.worker.sampling.checkpointing import Checkpointer, StopAfterFirstPart
from engine.worker.sampling.preview import Estimate, Peeker, clean_estimate
from engine.worker.sampling.step_cache import Foretelling


class StepReporter:
    """Reports steps and raises JobCancelled between them: an exception is the only stop that skips the decoding.

    `doing`: what memory would run out under. `peeker`: who shows the clip on its way. `recording`: what is saved of it.
    """

    peeker: Peeker | None = None

    def __init__(self, emit: Callable[[Event], None], stop_asked: Callable[[], bool]) -> None:
        self.emit, self._stop_asked = emit, stop_asked
        self.doing: Work = "loading"
        self.recording = Checkpointer()
        self._started, self._done, self._steps, self._before = 0.0, 0, 0, 0

    def check(self) -> None:
        if self._stop_asked():
            raise JobCancelled

    def begin(self, steps: int, done: int = 0) -> None:
        """`done`: steps of an earlier run that this one goes on from."""
        self._started, self._done, self._steps, self._before = time.perf_counter(), done, steps, done
        self.emit(Progress(phase="sampling", step=done, steps=steps))

    def step(self, estimate: Estimate) -> None:
        """After every step of the scheduler. `estimate`: what it now takes the clean latents to be."""
        self.check()
        self._done += 1
        seconds, done = time.perf_counter() - self._started, self._done - self._before
        left = seconds / done * max(self._steps - self._done, 0)
        step = min(self._done, self._steps)
        self.emit(Progress(phase="sampling", step=step, steps=self._steps, seconds_left=round(left, 1)))
        if self.peeker:
            self.peeker.after_step(done, self._steps - self._before, seconds, estimate)


@dataclass(frozen=True)
class _Run:
    model: Model
    family: LatentVideo
    shot: Shot
    watch: StepReporter
    foretelling: Foretelling


def draw(model: Model, family: LatentVideo, shot: Shot, watch: StepReporter) -> Latents:
    """The latents of a clip from noise of the plan's seed; of its first part, the clean estimate at its end."""
    run = _Run(model, family, shot, watch, Foretelling(shot.plan.step_cache))
    words = _words(run)
    try:
        return _denoise(run, _whole(run), words)
    except StopAfterFirstPart:
        watch.recording = watch.recording.shown()
        return _denoise(run, _whole(run), words)


def refine(model: Model, family: LatentVideo, shot: Shot, watch: StepReporter, take: Latents) -> Latents:
    """The latents of a render that keeps `take`, the latents of the approved take."""
    if shot.plan.sigma == 1.0:  # nothing of the take would be left: a render from scratch
        return draw(model, family, shot, watch)
    shot = replace(shot, run=shot.run.but(num_inference_steps=shot.run.steps))
    run = _Run(model, family, shot, watch, Foretelling(shot.plan.step_cache))
    watch.check()
    scheduler = _exact(run, shot)
    start = family.on_a_take(model.pipe, shot)
    if not watch.recording.done:
        watch.doing = "decoding"  # and encoding
        at_work = decode.vae_at_work(model.pipe, shot.plan.placement, take)
        with at_work as reachable, noise.mixing(shot.generator):
            begun = family.start(model.pipe, scheduler, reachable, shot)
        # a VAE on the CPU leaves latents there, and not every pipeline fetches them
        device = shot.plan.placement.device
        start |= {name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in begun.items()}
    return _denoise(run, scheduler, _words(run) | start)


def _whole(run: _Run) -> Any:
    """A scheduler that goes from pure noise to the end."""
    if run.shot.run.sigmas:  # levels of the model's own, the first of them pure noise
        return _exact(run, replace(run.shot, plan=run.shot.plan.but(sigma=1.0)))
    scheduler = run.family.scheduler(run.model.pipe, run.shot.run)
    return watched(scheduler, run, run.family.steps(run.shot))


def _exact(run: _Run, shot: Shot) -> Any:
    """A scheduler that goes from the plan's sigma to 0 by levels that the family sets."""
    exact_timesteps = functools.partial(run.family.exact_timesteps, shot=shot)
    scheduler = run.family.exact_scheduler(run.model.pipe, shot.run)
    return watched(scheduler, run, run.family.steps(shot, on_a_take=shot.plan.sigma < 1), exact_timesteps)


def _denoise(run: _Run, scheduler: Any, given: dict[str, Any]) -> Latents:
    """Run the pipeline on `scheduler` with the words in `given`, and from the latents in it, or else from noise."""
    pipe, family, shot = run.model.pipe, run.family, run.shot
    shipped, pipe.scheduler = pipe.scheduler, scheduler
    try:
        as_they_are = device_placement.as_they_are(pipe, shot.plan.placement)
        mixing = noise.mixing(shot.generator)
        with as_they_are, mixing, run.foretelling.of(pipe), run.watch.recording.around(pipe, family, shot) as recorded:
            output = pipe(
                num_inference_steps=shot.run.num_inference_steps,
                generator=shot.generator,
                output_type="latent",
                **family.size(pipe, shot.run),
                **(family.arguments(pipe, shot) | given | recorded),
            )
    finally:
        pipe.scheduler = shipped
        pipe.maybe_free_model_hooks()  # a call that an exception ended leaves caches and offload hooks behind
    latents = family.latents_of(output)
    for part in latents.values():
        finite.check(part, shot.plan)
    return latents


def _words(run: _Run) -> dict[str, Any]:
    """The encoded prompts; the text encoders are loaded for them when they are new."""
    run.watch.doing = "loading"
    words = run.model.prompts.encoded(run.model.pipe, run.family, run.shot, run.watch.emit)
    run.watch.doing = "denoising"
    return words


def watched(scheduler: Any, run: _Run, steps: int, exact_timesteps: Callable[..., None] | None = None) -> Any:
    """The scheduler, telling its `steps` and, where given, setting its timesteps by `exact_timesteps`. What its first
    step ends in is looked at: a run that overflows does so there.

    By a subclass and not by replaced methods: pipelines deep-copy schedulers, ask for their class and read signatures.
    """
    watch, plan = run.watch, run.shot.plan
    kind, recording = type(scheduler), watch.recording
    picture = scheduler  # copies of it, such as the one for sound, do not count
    signature = inspect.signature(kind.step)
    begun, first = False, True  # some pipelines set the timesteps again

    class Watched(kind):  # type: ignore[valid-type, misc]
        @functools.wraps(kind.set_timesteps)
        def set_timesteps(self, *given: Any, **named: Any) -> None:
            original = functools.partial(kind.set_timesteps, self)
            if exact_timesteps is None:
                original(*given, **named)
            else:
                exact_timesteps(self, original, device=named.get("device"))
            recording.cut(self)
            if self is picture:
                run.foretelling.begin()
            nonlocal begun
            if self is picture and not begun and len(self.timesteps):
                begun = True
                watch.begin(recording.stop_after or steps, recording.done)

        @functools.wraps(kind.step)
        def step(self, *given: Any, **named: Any) -> Any:
            nonlocal first
            call = signature.bind(self, *given, **named)
            if self is picture:
                recording.resume(self, call)
            result = kind.step(*call.args, **call.kwargs)
            estimate = functools.partial(clean_estimate, self, given, named, result)
            if self is picture:
                if first:
                    finite.check(result[0], plan)
                    first = False
                run.foretelling.stepped()
                watch.step(estimate)
                recording.stepped(self, call, result, estimate)
            else:
                recording.other_stepped(result, estimate)
            return result

    Watched.__name__ = kind.__name__
    scheduler.__class__ = Watched
    return scheduler


def save(latents: Latents, path: Path) -> None:
    """Raises MachineProblem when the disk is full."""
    try:
        save_file({name: part.float().cpu().contiguous() for name, part in latents.items()}, path)
        onto_the_disk(path)
    except (OSError, SafetensorError) as error:  # safetensors has an error of its own for it
        raise not_written(OSError(errno.ENOSPC, str(error))) from error


def load(path: Path, device: Any) -> Latents:
    """Raises ModelProblem when the file is missing or damaged."""
    try:
        found = load_file(path)
        if not all(bool(torch.isfinite(part).all()) for part in found.values()):
            raise ModelProblem(
                Message(
                    "The approved take's latents are damaged: some numbers are none, so its render would be black."
                ),
                Message("Make the take again from its recipe."),
            )
        return {name: found[name].to(device) for name in ("latents", *sorted(found.keys() - {"latents"}))}
    except (OSError, SafetensorError, KeyError) as error:
        raise ModelProblem(
            Message("The approved take's latents are missing or damaged, so it cannot be rendered."),
            Message("Make the take again from its recipe."),
            str(error),
        ) from error
