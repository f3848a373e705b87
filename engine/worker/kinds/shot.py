"""A take or a render: from its plan to its files, told in order."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

from engine.media import resize
from engine.schema import Job, Recipe
from engine.schema.events import Adjusted, Finished, Progress
from engine.schema.message import Message
from engine.storage.job_store import now
from engine.storage.library import GIVEN, START, STATE
from engine.worker import families
from engine.worker.families.family import Latents, Shot
from engine.worker.job_runner import JobRunner, versions
from engine.worker.loading.pipeline_loader import Model
from engine.worker.output import concat, decode, mp4
from engine.worker.sampling import denoise, noise, preview
from engine.worker.sampling.checkpointing import Checkpointer

LOST = Message("What the take had saved is missing, or was made by another version or on another device.")


def perform(runner: JobRunner, job: Job, watch: denoise.StepReporter) -> Finished:
    """A take or a clip, from its plan to its files. Raises JobCancelled, RushesError, and what torch raises."""
    started = time.perf_counter()
    plan, folder = job.shot, runner.artifacts / job.id
    # 1. the model, warm if it was used last
    model = runner.pipelines.get(plan, folder / GIVEN, watch.emit)
    family = families.of(plan.family)
    run = plan.run(job.stage)
    given = resize.read(folder / GIVEN, plan.request, run)
    shot = Shot(plan, run, noise.of(plan), given, glimpse=run.stops_after is not None)
    watch.peeker = preview.peeker(model, family, shot, folder, watch.emit)
    watch.doing = "denoising"
    # 2. the latents
    watch.recording = recording(job, folder, model.fingerprint, shot)
    behind = family.steps_up_to(shot, run.first_step)
    resumed = watch.recording.done > behind
    if watch.recording.done < behind:
        watch.emit(Adjusted(change=Message("The render starts from the first step."), reason=LOST))
    latents = _latents(job, folder, model, shot, watch)
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
        kind="take" if job.stage == "take" else "render",
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
        loading_seconds=round(runner.pipelines.intake.seconds, 3),
        loaded_gb=round(runner.pipelines.intake.gb, 6),
        versions=recipe.versions,
        resumed=resumed,
    )


def _latents(job: Job, folder: Path, model: Model, shot: Shot, watch: denoise.StepReporter) -> Latents:
    """Drawn from noise or refined from the approved take, from where the run stood if it was begun."""
    family = families.of(shot.plan.family)
    if job.stage == "render" and not shot.run.part:
        take = denoise.load(folder / "take.safetensors", shot.plan.placement.device)
        return denoise.refine(model, family, shot, watch, take)
    latents = denoise.draw(model, family, shot, watch)
    if job.stage == "take":
        denoise.save(latents, folder / "latents.safetensors")
    return latents


def recording(job: Job, folder: Path, fingerprint: str, shot: Shot) -> Checkpointer:
    """What is saved of a run, or was."""
    if not job.shot.recorded:
        return Checkpointer()
    last = shot.run.stops_after
    stop_after = last and families.of(job.shot.family).steps_up_to(shot, last)
    return Checkpointer(folder / STATE, computation(job, fingerprint), stop_after)


def computation(job: Job, fingerprint: str) -> str:
    """A name for what is computed up to the pixels: a saved state belongs to it and to nothing else."""
    plan, run = job.shot, job.shot.run(job.stage)
    same = {"model", "pipeline", "revision", "seed", "prompt", "negative_prompt", "max_tokens", "strength", "loras"}
    asked = {"prompt", "pictures", "references", "keyframes", "videos", "fit", "extends", "variations"}
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
