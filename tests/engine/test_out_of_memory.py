"""Memory runs out under a real worker, at the border of torch's allocator: the job goes on by itself, or asks."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from engine import APP, Adjusted, Cancelled, Engine, Event, Failed, Finished, NeedsConsent, Overrides, Request
from engine.jobs import local_worker as process
from engine.jobs.kinds import kind_of, new_job
from engine.jobs.scheduler import REPORTED, REPORTED_DEVICES, WARM
from engine.planning import memory_fallback
from engine.schema import Device, Job
from engine.storage.catalog import Catalog
from tests.conftest import PROMPT
from tests.engine.test_every_card import shrunk_card
from tests.engine.test_worker import frames_of
from tests.tiny import ltx

pytestmark = pytest.mark.slow
CARD = Device(id="cpu:0", kind="pretend", name="a card", vram_gb=24, vram_free_gb=23, compute_capability="8.9")
QUICK = Overrides(num_inference_steps=2)
LTX = Catalog(APP / "presets" / "models").card("ltx-video-2b-0.9.5")


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faults") / "faults.json"
    path.write_text("[]")
    return path


@pytest.fixture(scope="module")
def studio(tiny_home: Path, faults: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine whose worker is tests.short_worker, on a machine whose card is this CPU by another name."""
    home = tmp_path_factory.mktemp("short")
    for folder in ("models", "presets"):
        shutil.copytree(tiny_home / folder, home / folder)
    (home / "presets" / "models" / f"{LTX.id}.toml").write_text(shrunk_card(LTX))
    ltx.build(home / "models" / LTX.id)
    with pytest.MonkeyPatch.context() as patch:
        ordinary = process.worker_command

        def command(*given: Any) -> list[str]:
            python, _, _, *rest = ordinary(*given)
            return [python, "-m", "tests.short_worker", str(faults), *rest]

        patch.setattr(process, "worker_command", command)
        with Engine(home) as engine:
            engine.store.set(REPORTED, REPORTED_DEVICES.dump_json((CARD,)).decode())
            engine.start()
            yield engine


@pytest.fixture
def plain(studio: Engine) -> np.ndarray:
    """The clip as it is when there is memory enough."""
    return clip(studio, finished(list(studio.watch(begin(studio).id))))


@pytest.fixture(autouse=True)
def nothing_learned(studio: Engine) -> Iterator[None]:
    yield
    with studio.store._writing() as db:
        db.execute("delete from runs")
    studio.store.set(WARM + CARD.id, "")  # else the next plan keeps the model as this one left it
    studio.machine.forget()


def begin(studio: Engine, **fields: Any) -> Job:
    asked = {"prompt": PROMPT, "model": "tiny-wan", "seed": 7, "num_frames": 9, "take": QUICK, "device": "cpu:0"}
    (job,) = studio.make_takes(Request(**asked | fields))
    return job


def finished(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1]


def clip(studio: Engine, final: Finished) -> np.ndarray:
    return frames_of(studio.library.take(final.result_id).video)


def changes(events: list[Event]) -> list[str]:
    return [event.change for event in events if isinstance(event, Adjusted)]


ROWS: dict[str, tuple[list[list[str]], list[str]]] = {
    "loading": ([["loading", "vram"]], ["model"]),
    "loading, twice": ([["loading", "vram"], ["loading", "vram"]], ["model", "group"]),
    "drawing": ([["denoising", "vram"]], ["streamed"]),
    "drawing, twice": ([["denoising", "vram"], ["denoising", "vram"]], ["streamed", "model"]),
    "drawing, in pieces": ([["denoising", "fragmented"], ["denoising", "vram"]], ["fresh", "streamed"]),
    "decoding": ([["decoding", "vram"]], ["vae_tiling"]),
    "decoding, twice": ([["decoding", "vram"], ["decoding", "vram"]], ["vae_tiling", "vae_on_cpu"]),
    "decoding, short of RAM": ([["decoding", "ram"]], ["vae_tiling"]),
    "drawing, short of RAM": ([["denoising", "ram"]], ["text_encoder"]),
    "drawing, the page file is full": ([["denoising", "page_file"]], ["text_encoder"]),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_job_goes_on_by_itself_and_the_picture_is_the_same(
    name: str, studio: Engine, faults: Path, plain: np.ndarray
) -> None:
    injected, rungs = ROWS[name]
    if "loading" in name:
        studio._lanes[0].worker.stop()  # the model is warm
    faults.write_text(json.dumps(injected))
    events = list(studio.watch(begin(studio).id))
    expected = [memory_fallback.FRESH if rung == "fresh" else memory_fallback.CHANGES[rung] for rung in rungs]
    assert changes(events) == expected and json.loads(faults.read_text()) == []
    take = studio.library.take(finished(events).result_id)
    assert take.recipe.plan.adjusted == tuple(expected)  # said, and written into the recipe
    seen = frames_of(take.video)  # smaller than a tile and decoded in the same format: the same to the last bit
    tolerance = 3 if "vae_on_cpu" in rungs else 0  # the CPU decodes in float32; bfloat16 keeps 8 bits of each number
    assert np.abs(seen.astype(int) - plain).mean() <= tolerance


def test_pinned_memory_that_runs_out_is_left_and_the_picture_is_the_same(
    studio: Engine, faults: Path, plain: np.ndarray
) -> None:
    asked = {"prompt": PROMPT, "model": "tiny-wan", "seed": 7, "num_frames": 9, "take": QUICK, "device": "cpu:0"}
    made = studio.plan(Request.model_validate(asked | {"offload": "group"}))
    pinned = made.placement.model_copy(update={"pin_memory": True})
    faults.write_text(json.dumps([["loading", "pinned"]]))
    (job,) = studio._queue([new_job(kind_of("take"), "take", made.model_copy(update={"placement": pinned}))])
    events = list(studio.watch(job.id))
    assert changes(events) == [memory_fallback.CHANGES["pin_memory"]]
    assert "pinned RAM" in next(event.reason for event in events if isinstance(event, Adjusted))
    assert np.array_equal(clip(studio, finished(events)), plain)


def test_a_vae_that_decodes_at_once_is_sliced_and_the_picture_is_the_same(studio: Engine, faults: Path) -> None:
    sizes = {"take": Overrides(width=128, height=64, num_inference_steps=2), "render": Overrides(width=256, height=128)}
    plain = clip(studio, finished(list(studio.watch(begin(studio, model=LTX.id, **sizes).id))))
    faults.write_text(json.dumps([["decoding", "vram"]]))
    events = list(studio.watch(begin(studio, model=LTX.id, **sizes).id))
    assert changes(events) == [memory_fallback.CHANGES["vae_slicing"]]
    assert np.array_equal(clip(studio, finished(events)), plain)  # shorter than a slice


def test_the_next_plan_starts_there_and_says_why(studio: Engine, faults: Path) -> None:
    faults.write_text(json.dumps([["denoising", "vram"], ["decoding", "vram"]]))
    finished(list(studio.watch(begin(studio).id)))
    again = begin(studio, seed=8)
    assert again.plan.placement.text_encoder == "streamed" and again.plan.placement.vae_tiling
    assert any("ran out here before" in reason for reason in again.plan.reasons)
    assert not changes(list(studio.watch(again.id)))


def test_a_render_that_runs_short_while_its_take_is_enlarged_goes_on_in_tiles(studio: Engine, faults: Path) -> None:
    take = finished(list(studio.watch(begin(studio, render=QUICK).id)))
    faults.write_text(json.dumps([["encoding", "vram"]]))
    events = list(studio.watch(studio.render(take.result_id).id))
    assert changes(events) == [memory_fallback.CHANGES["vae_tiling"]] and finished(events)


# ---- what alters the picture ----

ALTERS = [["denoising", "vram"]] * 4  # past the text encoder, one part at a time and block by block


def asked(studio: Engine, job: Job) -> NeedsConsent:
    for event in studio.watch(job.id):
        if isinstance(event, NeedsConsent):
            return event
    raise AssertionError("it did not ask")


def test_it_asks_before_the_picture_changes_and_goes_on_after_a_yes(studio: Engine, faults: Path) -> None:
    faults.write_text(json.dumps(ALTERS))
    job = begin(studio)
    question = asked(studio, job)
    assert memory_fallback.CHANGES["fp8"] in question.question
    with Engine(studio.places.home) as guest:  # a second tab, a command, a page after a refresh: the store remembers
        assert guest.store.job(job.id).state == "asking"
        guest.answer(job.id, yes=True)
    events = list(studio.watch(job.id))
    take = studio.library.take(finished(events).result_id)
    assert take.recipe.plan.placement.precision == "fp8"
    assert changes(events)[-1] == memory_fallback.CHANGES["fp8"] == take.recipe.plan.adjusted[-1]


def test_others_run_while_it_waits_and_a_no_ends_it_in_a_sentence(studio: Engine, faults: Path) -> None:
    faults.write_text(json.dumps(ALTERS))
    job = begin(studio)
    asked(studio, job)
    finished(list(studio.watch(begin(studio, seed=8).id)))
    studio.answer(job.id, yes=False)
    final = list(studio.watch(job.id))[-1]
    assert isinstance(final, Failed) and final.remedy
    studio.answer(job.id, yes=True)  # too late, and harmless
    assert studio.store.job(job.id).state == "failed" and not list(studio.places.staging.iterdir())


def test_stop_works_while_it_waits(studio: Engine, faults: Path) -> None:
    faults.write_text(json.dumps(ALTERS))
    job = begin(studio)
    asked(studio, job)
    studio.stop(job.id)
    assert isinstance(list(studio.watch(job.id))[-1], Cancelled)
    assert not list(studio.places.staging.iterdir())


def test_consent_given_beforehand_is_not_asked_for(studio: Engine, faults: Path) -> None:
    faults.write_text(json.dumps(ALTERS))
    events = list(studio.watch(begin(studio, make_it_fit=True).id))
    assert finished(events) and not any(isinstance(event, NeedsConsent) for event in events)
    assert changes(events)[-1] == memory_fallback.CHANGES["fp8"]


def test_what_was_agreed_to_goes_on_to_a_shorter_clip_and_then_to_a_smaller_picture(
    studio: Engine, faults: Path
) -> None:
    faults.write_text(json.dumps([["denoising", "vram"]] * 6))
    large = Overrides(width=128, height=128, num_inference_steps=2)
    events = list(studio.watch(begin(studio, make_it_fit=True, take=large).id))
    shorter, smaller = changes(events)[-2:]
    assert "5 frames instead of 9" in shorter and "96x96 pixels instead of 128x128" in smaller
    assert clip(studio, finished(events)).shape[:3] == (5, 96, 96)


def test_the_foot_of_the_ladder_is_a_sentence(studio: Engine, faults: Path) -> None:
    faults.write_text(json.dumps([["denoising", "ram"]] * 30))
    final = list(studio.watch(begin(studio, make_it_fit=True).id))[-1]
    assert isinstance(final, Failed) and "(RAM) ran out while the shot was being drawn" in final.cause and final.remedy
    faults.write_text("[]")


# ---- the kernel's own killer ----


@pytest.fixture
def tight_group() -> Iterator[Path]:
    """A control group of this machine's kernel whose 60 MB are too few for torch, and of this test run alone."""
    groups = Path("/sys/fs/cgroup/memory")
    for left in groups.glob("rushes-test-*"):  # by a run that was interrupted
        if not psutil.pid_exists(int(left.name.rpartition("-")[2])):
            with contextlib.suppress(OSError):
                left.rmdir()
    group = groups / f"rushes-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text("60000000")
    except OSError:
        pytest.skip("making a memory group needs root and version 1 of control groups")
    yield group
    for number in (group / "cgroup.procs").read_text().split():  # a worker that the test left behind
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(int(number)).kill()
    for _ in range(100):
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.1)


def test_a_worker_killed_by_the_kernel_is_named_as_ram(
    tiny_home: Path, tmp_path: Path, tight_group: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("models", "presets"):
        shutil.copytree(tiny_home / folder, tmp_path / folder)
    ordinary: Callable[..., list[str]] = process.worker_command

    def command(*given: Any) -> list[str]:
        return ["sh", "-c", f'echo $$ > {tight_group}/cgroup.procs; exec "$@"', "sh", *ordinary(*given)]

    monkeypatch.setattr(process, "worker_command", command)
    with Engine(tmp_path) as studio:
        studio.start()
        (job,) = studio.make_takes(Request(prompt=PROMPT, model="tiny-wan", num_frames=5))
        question = asked(studio, job)
        first = next(event for event in studio.watch(job.id) if isinstance(event, Adjusted))
        assert "(RAM) ran out" in first.reason and "(RAM) ran out" in question.question
        studio.stop(job.id)
