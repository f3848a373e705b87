"""One job from its plan to its files, told in order."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import psutil
import torch

from engine import fitting
from engine.errors import JobCancelled, RushesError, disk_full
from engine.events import Cancelled, Event, Failed, FinalEvent, Finished, Progress
from engine.library import GIVEN
from engine.store import now
from engine.types import Device, Job, Recipe
from engine.worker import families, sampling, video, weights
from engine.worker.families.latent_video import Shot

log = logging.getLogger(__name__)


class Studio:
    """Keeps the last model warm between jobs."""

    def __init__(self, model_roots: list[Path], artifacts: Path) -> None:
        self._shelf = weights.Shelf(model_roots)
        self._artifacts = artifacts

    def perform(self, job: Job, emit: Callable[[Event], None], stop_asked: Callable[[], bool]) -> FinalEvent:
        """Run a job to its end. Never raises: whatever goes wrong becomes a final event with a remedy."""
        try:
            return self._perform(job, sampling.Watch(emit, stop_asked))
        except JobCancelled:
            return Cancelled()
        except RushesError as error:
            return Failed(cause=error.cause, remedy=error.remedy, detail=error.detail)
        except OSError as error:
            log.exception("job %s", job.id)
            full = disk_full(error)
            return Failed(cause=full.cause, remedy=full.remedy, detail=full.detail)
        except Exception as error:  # the boundary
            log.exception("job %s", job.id)
            return Failed(
                cause="The model stopped with an error that Rushes does not know.",
                remedy="Try again with the model's own settings; the details are in the logs folder.",
                detail=f"{type(error).__name__}: {error}",
            )

    @torch.no_grad()
    def _perform(self, job: Job, watch: sampling.Watch) -> Finished:
        started = time.perf_counter()
        plan, folder = job.plan, self._artifacts / job.id
        # 1. the model, warm if it was used last
        watch.emit(Progress(phase="loading"))
        model = self._shelf.get(plan, folder / GIVEN)
        family = families.of(plan.family)
        # Noise is drawn on the CPU, so that a seed means the same on every device.
        run, generator = plan.stage(job.stage), torch.Generator("cpu").manual_seed(plan.seed)
        shot = Shot(plan, run, generator, fitting.read(folder / GIVEN, plan.request, run))
        # 2. the latents: drawn from noise, or continued from the approved take
        if job.stage == "take":
            latents = sampling.draw(model, family, shot, watch)
            sampling.save(latents, folder / "latents.safetensors")
        else:
            take = sampling.load(folder / "take.safetensors", model.pipe.device)
            latents = sampling.refine(model, family, shot, watch, take)
        # 3. pixels
        watch.emit(Progress(phase="decoding"))
        watch.check()
        footage = family.decode(model.pipe, latents, shot)
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
        video.write(footage, shot.run.fps, folder / ("take" if job.stage == "take" else "clip"), recipe)
        encode_seconds = time.perf_counter() - started - seconds
        ram_gb = psutil.Process().memory_info().rss / 1e9
        return Finished(
            result_id=job.id,
            seconds=round(seconds, 3),
            encode_seconds=round(encode_seconds, 3),
            ram_gb=round(ram_gb, 3),
            versions=recipe.versions,
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
