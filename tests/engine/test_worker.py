"""The whole path through the real worker on a tiny random model: takes, renders, stops, deaths, damaged files."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline

from engine import BadFile, Cancelled, Engine, Failed, Finished, Overrides, Progress, Request, as_request, read_recipe
from engine.jobs.local_worker import LocalWorker
from engine.paths import open_home
from engine.schema import Job
from engine.schema.errors import WorkerDied
from engine.schema.events import Adjusted
from tests.conftest import PROMPT

pytestmark = pytest.mark.slow
QUICK = Overrides(num_inference_steps=2)


def request(**fields: Any) -> Request:
    chosen = {"prompt": PROMPT, "model": "tiny-wan", "seed": 7, "num_frames": 9, "take": QUICK, "render": QUICK}
    return Request(**chosen | fields)


def ended(studio: Engine, job: Job) -> Any:
    return list(studio.watch(job.id))[-1]


def take_of(studio: Engine, **fields: Any) -> Any:
    (job,) = studio.make_takes(request(**fields))
    final = ended(studio, job)
    assert isinstance(final, Finished), final
    return studio.library.take(final.result_id)


def frames_of(video: str) -> np.ndarray:
    with av.open(video) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def wait_for_step(studio: Engine, job: Job) -> None:
    for event in studio.watch(job.id):
        if isinstance(event, Progress) and event.phase == "sampling" and event.step:
            return


def test_watching_a_job_that_has_ended_ends(studio: Engine) -> None:
    (job,) = studio.make_takes(request())
    ended(studio, job)
    last, _ = studio.store.events(job.id)[-1]
    assert list(studio.watch(job.id, after=last)) == []


@pytest.fixture
def long_job(studio: Engine) -> Iterator[Job]:
    """A take that would run for minutes."""
    (job,) = studio.make_takes(request(take=Overrides(width=384, height=384, num_inference_steps=200), num_frames=49))
    yield job
    studio.stop(job.id)


def test_a_take_is_a_whole_folder_with_its_recipe(studio: Engine) -> None:
    take = take_of(studio)
    frames = frames_of(take.video)
    assert frames.shape == (9, 96, 96, 3)
    assert take.recipe == read_recipe(Path(take.video))
    assert take.recipe.plan.seed == 7 and take.recipe.versions["diffusers"]
    assert Path(take.poster).is_file()
    assert not list(studio.places.staging.iterdir())


def test_a_take_is_the_bare_pipelines_video(studio: Engine, tiny_home: Path) -> None:
    """The engine adds nothing: the same latents as diffusers alone with the same seed, to the last bit."""
    from safetensors.torch import load_file

    take = take_of(studio)
    plan = take.recipe.plan
    pipe = DiffusionPipeline.from_pretrained(str(tiny_home / "models" / "tiny-wan"))
    pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=plan.take.flow_shift)
    with torch.no_grad():
        expected = pipe(
            prompt=PROMPT, height=96, width=96, num_frames=9, num_inference_steps=2,
            guidance_scale=plan.take.guidance_scale, max_sequence_length=plan.max_tokens,
            generator=torch.Generator("cpu").manual_seed(7), output_type="latent",
        ).frames  # fmt: skip
    assert torch.equal(expected, load_file(take.latents)["latents"])


def test_several_takes_are_several_seeds(studio: Engine) -> None:
    jobs = studio.make_takes(request(), count=3)
    assert [job.plan.seed for job in jobs] == [7, 8, 9]
    videos = [frames_of(studio.library.take(ended(studio, job).result_id).video) for job in jobs]
    assert not np.array_equal(videos[0], videos[1]) and not np.array_equal(videos[1], videos[2])


def test_a_render_is_the_full_size_clip_of_its_take(studio: Engine) -> None:
    take = take_of(studio)
    final = ended(studio, studio.render(take.id))
    clip = studio.library.clip(final.result_id)
    assert frames_of(clip.video).shape == (9, 192, 192, 3)
    assert clip.recipe.take_id == take.id and clip.recipe == read_recipe(Path(clip.video))


def test_a_render_near_sigma_0_is_the_enlarged_take(studio: Engine) -> None:
    """With hardly any noise added the render must be what the take enlarges to; at sigma 1 it ignores the take."""
    take = take_of(studio)
    small, other = (studio.library.clip(ended(studio, studio.render(t.id, sigma=s)).result_id)
                    for t, s in ((take, 0.001), (take_of(studio, seed=99), 1.0)))  # fmt: skip
    scratch = studio.library.clip(ended(studio, studio.render(take.id, sigma=1.0)).result_id)
    assert not np.array_equal(frames_of(small.video), frames_of(scratch.video))
    again = studio.library.clip(ended(studio, studio.render(take.id, sigma=0.001)).result_id)
    assert np.array_equal(frames_of(small.video), frames_of(again.video))
    assert not np.array_equal(frames_of(other.video), frames_of(scratch.video))  # another seed, another noise


def test_a_recipe_repeats_its_clip_to_the_last_bit(studio: Engine) -> None:
    take = take_of(studio, dial=0.8)
    clip = studio.library.clip(ended(studio, studio.render(take.id)).result_id)
    repeated = take_of(studio, **as_request(read_recipe(Path(clip.video))).model_dump())
    again = studio.library.clip(ended(studio, studio.render(repeated.id)).result_id)
    assert np.array_equal(frames_of(clip.video), frames_of(again.video))
    assert as_request(again.recipe) == as_request(clip.recipe)


@pytest.mark.parametrize("shape", ["square", "wide", "tall"])
def test_every_shape_comes_out_as_planned(studio: Engine, shape: Any) -> None:
    take = take_of(studio, aspect=shape)
    plan = take.recipe.plan
    assert frames_of(take.video).shape == (9, plan.take.height, plan.take.width, 3)
    clip = studio.library.clip(ended(studio, studio.render(take.id)).result_id)
    assert frames_of(clip.video).shape == (9, plan.render.height, plan.render.width, 3)


def test_the_mp4_plays_everywhere(studio: Engine) -> None:
    take = take_of(studio)
    with av.open(take.video) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt, stream.average_rate) == ("h264", "yuv420p", 12)
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)  # BT.709, said so
    head = Path(take.video).read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")  # faststart: a browser plays it before it has all of it


def test_stop_ends_a_job_within_a_step_and_leaves_nothing(studio: Engine, long_job: Job) -> None:
    wait_for_step(studio, long_job)
    studio.stop(long_job.id)
    seen = list(studio.watch(long_job.id))
    assert isinstance(seen[-1], Cancelled)
    steps = [event.step for event in seen if isinstance(event, Progress) and event.step]
    assert len(steps) <= 3, steps  # what was waited for, the one that was running, and one about to be told
    assert not list(studio.places.staging.iterdir())
    assert take_of(studio, seed=1000)  # the next job starts at once


def test_stopping_a_waiting_job_ends_it(studio: Engine, long_job: Job) -> None:
    (waiting,) = studio.make_takes(request())
    studio.stop(waiting.id)
    assert isinstance(ended(studio, waiting), Cancelled)


def test_a_killed_worker_costs_a_second_try_and_the_job_is_done(studio: Engine) -> None:
    (job,) = studio.make_takes(request(take=Overrides(num_inference_steps=60), num_frames=49))
    wait_for_step(studio, job)
    pid = studio._lanes[0].worker.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    events = list(studio.watch(job.id))
    assert any(isinstance(event, Adjusted) for event in events)
    assert isinstance(events[-1], Finished)


def test_a_worker_killed_twice_fails_the_job_and_not_the_next(studio: Engine) -> None:
    (job,) = studio.make_takes(request(take=Overrides(width=384, height=384, num_inference_steps=200), num_frames=49))
    wait_for_step(studio, job)
    seen = studio.store.events(job.id)[-1][0]
    os.kill(studio._lanes[0].worker.pid or 0, signal.SIGKILL)
    again = studio.watch(job.id, after=seen)  # killed before it got further than the first time
    next(event for event in again if isinstance(event, Progress) and event.phase == "loading")
    os.kill(studio._lanes[0].worker.pid or 0, signal.SIGKILL)
    final = ended(studio, job)
    assert isinstance(final, Failed) and "memory" in final.cause and final.remedy
    assert take_of(studio)


def test_a_render_of_a_take_whose_latents_are_damaged_is_a_sentence(studio: Engine) -> None:
    take = take_of(studio)
    Path(take.latents).write_bytes(Path(take.latents).read_bytes()[:100])
    final = ended(studio, studio.render(take.id))
    assert isinstance(final, Failed) and "latents" in final.cause and final.remedy
    shutil.rmtree(Path(take.latents).parent)


def test_a_truncated_weights_file_is_a_sentence(tiny_home: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_home / "models", tmp_path / "models")
    shutil.copytree(tiny_home / "presets", tmp_path / "presets")
    weights = tmp_path / "models" / "tiny-wan" / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with Engine(tmp_path) as studio:
        studio.start()
        (job,) = studio.make_takes(request())
        final = ended(studio, job)
    assert isinstance(final, Failed) and "damaged or cut short" in final.cause and "again" in final.remedy


def test_jobs_survive_a_restart(tiny_home: Path, tmp_path: Path) -> None:
    """Queued by an engine that never ran them; a later engine on the same folder does."""
    shutil.copytree(tiny_home / "models", tmp_path / "models")
    shutil.copytree(tiny_home / "presets", tmp_path / "presets")
    with Engine(tmp_path) as first:
        (job,) = first.make_takes(request())
    with Engine(tmp_path) as second:
        second.start()
        assert isinstance(ended(second, job), Finished)


def test_a_second_engine_uses_the_first_ones_queue(studio: Engine) -> None:
    with Engine(studio.places.home) as guest:
        guest.start()
        assert not guest.owns
        (job,) = guest.make_takes(request(seed=11))
        assert isinstance(ended(guest, job), Finished)
        assert guest.library.take(job.id)


def test_a_foreign_file_is_not_a_recipe(studio: Engine, tmp_path: Path) -> None:
    for name, content in (("a.mp4", b"not a video"), ("a.json", b"{}"), ("b.json", b"[" * 50_000), ("c.json", b"\xff")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(BadFile):
            read_recipe(path)
    with pytest.raises(BadFile):
        read_recipe(tmp_path / "missing.mp4")


def test_a_full_disk_is_a_sentence(tiny_home: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or os.system(f"mount -t tmpfs -o size=3m rushes {disk} 2>/dev/null"):
        pytest.skip("mounting a small disk needs root on Linux")
    try:
        shutil.copytree(tiny_home / "models", disk / "models")
        shutil.copytree(tiny_home / "presets", disk / "presets")
        with Engine(disk) as studio:
            studio.start()
            # enough for the job list, far too little for a large clip of noise
            (disk / "filler").write_bytes(b"\0" * (shutil.disk_usage(disk).free - 700_000))
            (job,) = studio.make_takes(request(seed=2, num_frames=49, take=Overrides(width=384, height=384)))
            final = ended(studio, job)
            assert isinstance(final, Failed) and "disk is full" in final.cause
            assert not studio.library.takes()
            (disk / "filler").unlink()
            assert take_of(studio)
    finally:
        os.system(f"umount -l {disk}")


def test_a_closed_worker_is_not_started_again(tmp_path: Path) -> None:
    """A lane may claim a job in the moment in which its engine closes: nothing would end that worker."""
    worker = LocalWorker(open_home(tmp_path), "cpu")
    worker.close()
    with pytest.raises(WorkerDied, match="closed"):
        worker.start()
    assert worker.pid is None
