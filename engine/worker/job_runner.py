"""One job from its plan to its files, told in order."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psutil
import torch

from engine.media import resize
from engine.schema import Held, Job, Recipe, Work
from engine.schema.errors import JobCancelled, RushesError, not_written
from engine.schema.events import Adjusted, Cancelled, Failed, FinalEvent, Finished, Progress
from engine.schema.json_lines import RanOut
from engine.storage.job_store import now
from engine.storage.library import GIVEN, START, STATE
from engine.worker import families
from engine.worker.accelerator import Accelerator
from engine.worker.families.family import Latents, Shot
from engine.worker.loading import pipeline_loader
from engine.worker.loading.text_encoding import PromptCache
from engine.worker.memory_limits import Gauge, shortage
from engine.worker.output import concat, decode, mp4
from engine.worker.sampling import denoise, preview
from engine.worker.sampling.checkpointing import Recording

LOST = "What the take had saved is missing, or was made by another version or on another device."
log = logging.getLogger(__name__)


class Studio:
    """Keeps the last model warm between jobs."""

    def __init__(
        self, accelerator: Accelerator, model_roots: list[Path], artifacts: Path, prompts: Path, caches: Path
    ) -> None:
        self._accelerator = accelerator
        self._shelf = pipeline_loader.Shelf(model_roots, PromptCache(prompts), caches)
        self._artifacts = artifacts

    def perform(self, job: Job, watch: denoise.Watch) -> FinalEvent | RanOut:
        """Run a job to its end, or until memory ran out. Never raises: what goes wrong becomes words with a remedy."""
        try:
            with Gauge(self._accelerator) as gauge:
                done = self._perform(job, watch)
            return done.model_copy(update={"ram_gb": gauge.ram_gb, "vram_gb": gauge.vram_gb})
        except JobCancelled:
            return Cancelled()
        except Exception as error:  # the boundary
            what = shortage(error)
            if what is None:
                if not isinstance(error, RushesError):
                    log.exception("job %s", job.id)
                return failed(error)
            log.warning("memory ran out in job %s", job.id, exc_info=True)
            ran_out = RanOut(job_id=job.id, what=what, doing=watch.doing, detail=str(error)[:2000])
        self._free(watch.doing)  # here the error is gone, and with it what its frames held
        return ran_out

    def holds(self) -> Held:
        """What of the machine's memory is held now, between two jobs, which another plan may count on."""
        self._accelerator.free()
        held = psutil.Process().memory_full_info()
        return Held(pid=os.getpid(), device=self._accelerator.device, loads=self._shelf.loads,
                    vram_gb=self._accelerator.held_gb, ram_gb=held.uss / 1e9)  # fmt: skip

    def _free(self, doing: Work) -> None:
        """Let go of what the next try does not need."""
        if doing != "decoding":
            self._shelf.clear()
        self._accelerator.free()

    @torch.no_grad()
    def _perform(self, job: Job, watch: denoise.Watch) -> Finished:
        started = time.perf_counter()
        self._shelf.intake.reset()
        plan, folder = job.plan, self._artifacts / job.id
        # 1. the model, warm if it was used last
        model = self._shelf.get(plan, folder / GIVEN, watch.emit)
        family = families.of(plan.family)
        # Noise is drawn on the CPU, so that a seed means the same on every device.
        run, generator = plan.stage(job.stage), torch.Generator("cpu").manual_seed(plan.seed)
        given = resize.read(folder / GIVEN, plan.request, run)
        shot = Shot(plan, run, generator, given, glimpse=run.stops_after is not None)
        watch.peeker = preview.peeker(model, family, shot, folder, watch.emit)
        watch.doing = "denoising"
        # 2. the latents
        watch.recording = recording(job, folder, model.fingerprint, shot)
        behind = family.steps_up_to(shot, run.first_step)
        resumed = watch.recording.done > behind
        if watch.recording.done < behind:
            watch.emit(Adjusted(change="The render starts from the first step.", reason=LOST))
        latents = self._latents(job, model, shot, watch)
        # 3. pixels
        watch.doing = "decoding"
        watch.emit(Progress(phase="decoding"))
        watch.check()
        with decode.vae_at_work(model.pipe, plan.placement, latents) as reachable:
            footage = family.decode(model.pipe, reachable, shot)
        seconds = time.perf_counter() - started
        # 4. the file, with its recipe inside and beside it
        watch.emit(Progress(phase="writing"))
        recipe = Recipe(
            kind=job.stage,
            id=job.id,
            take_id=job.take_id,
            plan=plan,
            seconds=round(seconds, 3),
            versions=versions() | {"weights": model.fingerprint},
            created=now(),
        )
        before: Iterator[mp4.Picture] = iter(())
        if (folder / GIVEN / START).is_file():
            before, footage, recipe = concat.join(folder / GIVEN / START, footage, recipe)
        mp4.write(footage, shot.run.fps, folder / ("take" if job.stage == "take" else "clip"), recipe, before)
        if watch.peeker:
            watch.peeker.close()
        encode_seconds = time.perf_counter() - started - seconds
        return Finished(
            result_id=job.id,
            seconds=round(seconds, 3),
            encode_seconds=round(encode_seconds, 3),
            loading_seconds=round(self._shelf.intake.seconds, 3),
            loaded_gb=round(self._shelf.intake.gb, 6),
            versions=recipe.versions,
            resumed=resumed,
        )

    def _latents(self, job: Job, model: pipeline_loader.Model, shot: Shot, watch: denoise.Watch) -> Latents:
        """Drawn from noise or refined from the approved take, from where the run stood if it was begun."""
        folder, family = self._artifacts / job.id, families.of(job.plan.family)
        if job.stage == "render" and not shot.run.part:
            take = denoise.load(folder / "take.safetensors", job.plan.placement.device)
            return denoise.refine(model, family, shot, watch, take)
        latents = denoise.draw(model, family, shot, watch)
        if job.stage == "take":
            denoise.save(latents, folder / "latents.safetensors")
        return latents


def recording(job: Job, folder: Path, fingerprint: str, shot: Shot) -> Recording:
    """What is saved of a run, or was."""
    if not job.plan.recorded:
        return Recording()
    last = shot.run.stops_after
    stop_after = last and families.of(job.plan.family).steps_up_to(shot, last)
    return Recording(folder / STATE, computation(job, fingerprint), stop_after)


def computation(job: Job, fingerprint: str) -> str:
    """A name for what is computed up to the pixels: a saved state belongs to it and to nothing else."""
    plan, run = job.plan, job.plan.stage(job.stage)
    same = {"model", "pipeline", "revision", "seed", "prompt", "negative_prompt", "max_tokens", "strength", "loras"}
    asked = {"prompt", "pictures", "references", "keyframes", "videos", "fit", "extends"}
    parts = [
        plan.model_dump_json(include=same),
        run.model_dump_json(exclude={"part", "operations"}),
        plan.request.model_dump_json(include=asked),
        *(plan.placement.dtype, *(plan.placement.precision_of(part) for part in ("transformer", "text_encoder"))),
        plan.placement.device.partition(":")[0],
        *("" if run.part else (job.stage, str(job.take_id), str(plan.sigma))),
        *(fingerprint, str(versions())),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def failed(error: Exception) -> Failed:
    """What to say of an error that ended a job."""
    if isinstance(error, OSError):
        error = not_written(error)
    if isinstance(error, RushesError):
        return Failed(cause=error.cause, remedy=error.remedy, detail=error.detail)
    return Failed(
        cause="The model stopped with an error that Rushes does not know.",
        remedy="Try again with the model's own settings; the details are in the logs folder.",
        detail=f"{type(error).__name__}: {error}",
    )


def versions() -> dict[str, str]:
    """What a recipe records about the software."""
    names = ("diffusers", "transformers", "av")
    return {"python": platform.python_version(), "torch": torch.__version__} | {n: version(n) for n in names}
