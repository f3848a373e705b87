"""A run of the sampler that can stop after any step and go on later, to the last bit as if it had not stopped.

The pipeline is called as ever, so that pictures are encoded and noise is drawn in its own order. To go on, what its
`prepare_latents` made is exchanged for the latents of the saved state, and the schedule lacks the steps that are done.
A pipeline of several sections prepares and schedules each of them: those that are done take no more steps.
"""

from __future__ import annotations

import errno
import functools
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from engine.schema.errors import not_written
from engine.worker.families.family import Latents, LatentVideo, Shot
from engine.worker.sampling import checkpoint_file
from engine.worker.sampling.checkpoint_file import State
from engine.worker.sampling.preview import Estimate

COST = 0.01  # of the time, at most, goes into saving
SETTLED_SECONDS = 1.0  # nothing is saved before
PREPARING = {"prepare_latents": "latents", "prepare_audio_latents": "audio_latents"}
NOISING = "add_noise_to_image_conditioning_latents"  # LTX's loop with conditions draws before its scheduler's step
ALL = 10**6  # steps: more than any schedule has


class StopAfterFirstPart(Exception):
    """The first part is done, and saved."""


class Checkpointer:
    """Saves a run at `path` as it goes, and goes on from what is there for the same `key`. It ends after `stop_after`
    steps, where that is given, by StopAfterFirstPart; `shown` is then the run that goes on at once to the clean
    estimate."""

    def __init__(self, path: Path | None = None, key: str = "", stop_after: int | None = None) -> None:
        self._path, self._key, self.stop_after = path, key, stop_after
        self.saved = checkpoint_file.load(path, key) if path else None
        if self.saved and stop_after and self.saved.step >= stop_after:
            self.saved = None  # cut off when it was shown: the estimate to show is not kept
        self._restored = self._drawn = self.saved is None
        self._on = path is not None
        self.step = self.done
        self._before = torch.empty(0)
        self._section = -1
        self._latents: Latents = dict(self.saved.latents) if self.saved else {}
        self._clean: Latents = {}
        self._between: dict[str, Any] = {}
        self._since, self._cost = 0.0, SETTLED_SECONDS * COST
        self.spent_seconds, self.saves = 0.0, 0

    @property
    def done(self) -> int:
        """Steps that need not be computed again."""
        return self.saved.step if self.saved else 0

    # ---- around the pipeline's call ----

    @contextmanager
    def around(self, pipe: Any, family: LatentVideo, shot: Shot) -> Iterator[dict[str, Any]]:
        """Arguments for the call, while the pipeline starts from the saved state where there is one."""
        if self._on:
            self._prepare(pipe, shot)
        self._before, self._since = shot.generator.get_state(), time.perf_counter()
        self._shot, self._end = shot, functools.partial(self._ended, pipe, family)
        self._told = "callback_on_step_end" in inspect.signature(type(pipe).__call__).parameters

        def at_end(_: Any, step: int, timestep: Any, loop: dict[str, Any]) -> dict[str, Any]:
            self._end(loop["latents"])
            return {}

        try:
            yield {"callback_on_step_end": at_end} if self._on and self._told else {}
            self._restore_generator()  # where every step was done
        finally:
            for method in (*PREPARING, NOISING):
                vars(pipe).pop(method, None)

    def _prepare(self, pipe: Any, shot: Shot) -> None:
        """Have the pipeline start from the saved state where there is one."""
        waiting = getattr(getattr(pipe, "prepare_latents", None), "sections", ())
        self._latents = {_name(number): part for number, part in enumerate(waiting)} | self._latents
        for method, name in PREPARING.items():
            if hasattr(pipe, method):
                setattr(pipe, method, self._prepared(name, getattr(pipe, method)))
        if self.saved:
            shot.generator.set_state(self.saved.before)
            if hasattr(pipe, NOISING):
                setattr(pipe, NOISING, self._noised(getattr(pipe, NOISING)))

    def _prepared(self, name: str, prepare: Callable[..., Any]) -> Callable[..., Any]:
        """The pipeline's own preparation, with the saved latents in the place of the new ones."""

        @functools.wraps(prepare)
        def prepared(*given: Any, **named: Any) -> Any:
            self._section += name == "latents"
            saved = self.saved.latents.get(_name(self._section) if name == "latents" else name) if self.saved else None
            if saved is None:  # of a section that was not begun
                self._restore_generator()
                return prepare(*given, **named)
            made = prepare(*given, **named)
            if isinstance(made, torch.Tensor):
                return saved.to(made.device)
            self._made = made[0]
            return saved.to(made[0].device), *made[1:]

        return prepared

    def _noised(self, noise: Callable[..., Any]) -> Callable[..., Any]:
        """Conditions are noised anew at each step, from what they were at the first."""

        def noised(level: Any, first: Any, *rest: Any) -> Any:
            self._restore_generator()
            return noise(level, self._made, *rest)

        return noised

    def _restore_generator(self) -> None:
        if self.saved and not self._drawn:
            self._shot.generator.set_state(self.saved.after)
        self._drawn = True

    def shown(self) -> Checkpointer:
        """The run that takes no more steps and ends with the clean estimate."""
        look = Checkpointer()
        look.saved = State(ALL, self._clean, {}, {}, self._before, self._shot.generator.get_state())
        look._on, look._restored, look._drawn = True, False, False
        return look

    # ---- around the scheduler's steps ----

    def cut(self, scheduler: Any) -> None:
        """Take the steps that are done from a schedule that was just set."""
        self._timesteps = scheduler.timesteps
        done = max(self.done - max(self._section, 0) * len(scheduler.timesteps), 0)
        scheduler.timesteps = scheduler.timesteps[done:]
        if hasattr(scheduler, "sigmas") and not checkpoint_file.remembers(scheduler):
            scheduler.sigmas = scheduler.sigmas[done:]

    def resume(self, scheduler: Any, call: inspect.BoundArguments) -> None:
        """Before the first step: what was remembered."""
        if self._restored or self.saved is None:
            return
        self._restored = True
        if checkpoint_file.remembers(scheduler):  # counts from the beginning
            vars(scheduler).update(self.saved.history | {"timesteps": self._timesteps})
        call.arguments.update(self.saved.between)
        self._restore_generator()

    def stepped(self, scheduler: Any, call: inspect.BoundArguments, result: Any, estimate: Estimate) -> None:
        """After a step of the picture. `estimate`: where it says that the run will end."""
        self.step += 1
        self._scheduler = scheduler
        if "old_pred_original_sample" in call.arguments:
            self._between = {"old_pred_original_sample": result[1], "timestep_back": call.arguments["timestep"]}
        if self.step == self.stop_after:
            self._clean[_name(self._section)] = estimate().to(result[0].dtype)
        if self._on and not self._told:
            self._end(result[0])

    def other_stepped(self, result: Any, estimate: Estimate) -> None:
        """After a step of the sound, which comes after the picture's."""
        self._latents["audio_latents"] = result[0]
        if self.step == self.stop_after:
            self._clean["audio_latents"] = estimate().to(result[0].dtype)

    def _ended(self, pipe: Any, family: LatentVideo, latents: torch.Tensor) -> None:
        """The end of one turn of the pipeline's loop; `latents` are what the next one begins with."""
        last = self.step == self.stop_after
        elapsed = time.perf_counter() - self._since
        self._latents[_name(self._section)] = latents
        if self._path and (last or (elapsed > SETTLED_SECONDS and self.spent_seconds + self._cost <= COST * elapsed)):
            self._save(must=last)
        if last:
            name = _name(self._section)
            self._clean[name] = family.whole(pipe, latents, self._clean[name], self._shot)
            self._clean = self._latents | self._clean  # with the sections that are done
            raise StopAfterFirstPart

    def _save(self, must: bool) -> None:
        began = time.perf_counter()
        now = State(self.step, self._latents, checkpoint_file.history(self._scheduler), self._between,
                    self._before, self._shot.generator.get_state())  # fmt: skip
        assert self._path
        try:
            checkpoint_file.save(now, self._key, self._path)
        except (OSError, SafetensorError) as error:  # the disk is full: the clip is worth more than its safety
            if must:
                raise not_written(OSError(errno.ENOSPC, str(error))) from error
            self._path = None
        took = time.perf_counter() - began
        self._cost = max(self._cost, took)  # a busy disk is slow again
        self.spent_seconds += took
        self.saves += 1


def _name(section: int) -> str:
    """Of its latents in a state."""
    return f"latents.{section}" if section > 0 else "latents"
