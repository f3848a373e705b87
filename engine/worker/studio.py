"""One job from its plan to its files, told in order."""

from __future__ import annotations

import gc
import logging
import platform
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import torch

from engine import fitting
from engine.errors import JobCancelled, RushesError, disk_full
from engine.events import Cancelled, Failed, FinalEvent, Finished, Progress
from engine.library import GIVEN, START
from engine.messages import RanOut
from engine.store import now
from engine.types import Device, Job, Recipe, Work
from engine.worker import decoding, families, joining, peek, sampling, video, weights
from engine.worker.families.latent_video import Shot
from engine.worker.gauge import Gauge
from engine.worker.prompts import PromptCache
from engine.worker.shortage import shortage

log = logging.getLogger(__name__)


class Studio:
    """Keeps the last model warm between jobs."""

    def __init__(self, model_roots: list[Path], artifacts: Path, prompts: Path, caches: Path) -> None:
        self._shelf = weights.Shelf(model_roots, PromptCache(prompts), caches)
        self._artifacts = artifacts

    def perform(self, job: Job, watch: sampling.Watch) -> FinalEvent | RanOut:
        """Run a job to its end, or until memory ran out. Never raises: what goes wrong becomes words with a remedy."""
        try:
            with Gauge() as gauge:
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
            ran_out = RanOut(job_id=job.id, what=what, doing=watch.doing, detail=str(error)[:2000])
        self._free(watch.doing)  # here the error is gone, and with it what its frames held
        return ran_out

    def _free(self, doing: Work) -> None:
        """Let go of what the next try does not need."""
        if doing != "decoding":
            self._shelf.clear()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @torch.no_grad()
    def _perform(self, job: Job, watch: sampling.Watch) -> Finished:
        started = time.perf_counter()
        plan, folder = job.plan, self._artifacts / job.id
        # 1. the model, warm if it was used last
        model = self._shelf.get(plan, folder / GIVEN, watch.emit)
        family = families.of(plan.family)
        # Noise is drawn on the CPU, so that a seed means the same on every device.
        run, generator = plan.stage(job.stage), torch.Generator("cpu").manual_seed(plan.seed)
        shot = Shot(plan, run, generator, fitting.read(folder / GIVEN, plan.request, run))
        watch.peeker = peek.peeker(model, family, shot, folder, watch.emit)
        watch.doing = "denoising"
        # 2. the latents: drawn from noise, or continued from the approved take
        if job.stage == "take":
            latents = sampling.draw(model, family, shot, watch)
            sampling.save(latents, folder / "latents.safetensors")
        else:
            take = sampling.load(folder / "take.safetensors", model.pipe.device)
            latents = sampling.refine(model, family, shot, watch, take)
        # 3. pixels
        watch.doing = "decoding"
        watch.emit(Progress(phase="decoding"))
        watch.check()
        with decoding.vae_at_work(model.pipe, plan.placement, latents) as reachable:
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
        before: Iterator[video.Picture] = iter(())
        if (folder / GIVEN / START).is_file():
            before, footage, recipe = joining.join(folder / GIVEN / START, footage, recipe)
        video.write(footage, shot.run.fps, folder / ("take" if job.stage == "take" else "clip"), recipe, before)
        if watch.peeker:
            watch.peeker.close()
        encode_seconds = time.perf_counter() - started - seconds
        return Finished(
            result_id=job.id,
            seconds=round(seconds, 3),
            encode_seconds=round(encode_seconds, 3),
            versions=recipe.versions,
        )


def failed(error: Exception) -> Failed:
    """What to say of an error that ended a job."""
    if isinstance(error, OSError):
        error = disk_full(error)
    if isinstance(error, RushesError):
        return Failed(cause=error.cause, remedy=error.remedy, detail=error.detail)
    return Failed(
        cause="The model stopped with an error that Rushes does not know.",
        remedy="Try again with the model's own settings; the details are in the logs folder.",
        detail=f"{type(error).__name__}: {error}",
    )


def devices() -> tuple[Device, ...]:
    """The GPUs that torch sees, with their memory where torch can tell."""
    if torch.backends.mps.is_available():
        limit = torch.mps.recommended_max_memory() / 1e9
        return (Device(id="mps", name="Apple GPU", vram_gb=limit, vram_free_gb=limit),)
    found = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        found.append(Device(id=f"cuda:{index}", name=name, vram_gb=total / 1e9, vram_free_gb=free / 1e9))
    return tuple(found)


def versions() -> dict[str, str]:
    """What a recipe records about the software."""
    names = ("diffusers", "transformers", "av")
    return {"python": platform.python_version(), "torch": torch.__version__} | {n: version(n) for n in names}
