"""Runs one job after the other by the function that its kind names, and keeps what the next one can use."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import psutil
import torch

from engine.schema import Held, Job, Work
from engine.schema.errors import JobCancelled, RushesError, not_written
from engine.schema.events import Cancelled, Failed, FinalEvent, Finished
from engine.schema.json_lines import RanOut
from engine.schema.message import Message
from engine.worker.accelerator import Accelerator
from engine.worker.loading import pipeline_loader
from engine.worker.loading.text_encoding import PromptCache
from engine.worker.memory_limits import Gauge, shortage
from engine.worker.sampling import denoise

Performer = Callable[["JobRunner", Job, denoise.StepReporter], Finished]
log = logging.getLogger(__name__)


class JobRunner:
    """Keeps the last model warm between jobs. `accelerator`, `pipelines`, `artifacts`: for those who perform one."""

    def __init__(
        self, accelerator: Accelerator, model_roots: list[Path], artifacts: Path, prompts: Path, caches: Path
    ) -> None:
        self.accelerator, self.artifacts = accelerator, artifacts
        self.pipelines = pipeline_loader.PipelineCache(model_roots, PromptCache(prompts), caches)

    def perform(self, job: Job, performer: Performer, watch: denoise.StepReporter) -> FinalEvent | RanOut:
        """Run a job to its end, or until memory ran out. Never raises: what goes wrong becomes words with a remedy."""
        try:
            with Gauge(self.accelerator) as gauge:
                self.pipelines.intake.reset()
                with torch.no_grad():
                    done = performer(self, job, watch)
            return done.but(ram_gb=gauge.ram_gb, vram_gb=gauge.vram_gb)
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
        self.accelerator.free()
        held = psutil.Process().memory_full_info()
        return Held(pid=os.getpid(), device=self.accelerator.device, loads=self.pipelines.loads,
                    vram_gb=self.accelerator.held_gb, ram_gb=held.uss / 1e9)  # fmt: skip

    def _free(self, doing: Work) -> None:
        """Let go of what the next try does not need."""
        if doing != "decoding":
            self.pipelines.clear()
        self.accelerator.free()


def performer(name: str) -> Performer:
    """The function "module:function"; importing its module brings the class of its plans."""
    module, _, function = name.partition(":")
    found: Performer = getattr(import_module(module), function)
    return found


def failed(error: Exception) -> Failed:
    """What to say of an error that ended a job."""
    if isinstance(error, OSError):
        error = not_written(error)
    if isinstance(error, RushesError):
        return Failed(cause=error.cause, remedy=error.remedy, detail=error.detail)
    return Failed(
        cause=Message("The model stopped with an error that Rushes does not know."),
        remedy=Message("Try again with the model's own settings; the details are in the logs folder."),
        detail=f"{type(error).__name__}: {error}",
    )


def versions() -> dict[str, str]:
    """What a recipe records about the software."""
    names = ("diffusers", "transformers", "av")
    return {"python": platform.python_version(), "torch": torch.__version__} | {n: version(n) for n in names}
