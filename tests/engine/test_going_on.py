"""Through the real worker: a take that is the render's first part, and renders that were killed and go on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import APP, Adjusted, BadSetting, Engine, Finished, Overrides, Progress, Request
from engine.schema import Job, StepCache
from engine.storage.library import STATE
from tests.conftest import PROMPT
from tests.engine.test_worker import ended, frames_of

pytestmark = pytest.mark.slow


def request(**fields: Any) -> Request:
    steps = Overrides(num_inference_steps=10)
    chosen = {"prompt": PROMPT, "model": "tiny-wan", "seed": 7, "num_frames": 9, "render": steps, "mode": "continue"}
    return Request(**chosen | fields)


def take_of(studio: Engine, **fields: Any) -> Any:
    (job,) = studio.make_takes(request(**fields))
    final = ended(studio, job)
    assert isinstance(final, Finished), final
    return studio.library.take(final.result_id)


def clip_of(studio: Engine, job: Job) -> np.ndarray:
    final = ended(studio, job)
    assert isinstance(final, Finished), final
    return frames_of(studio.library.clip(final.result_id).video)


def steps_of(studio: Engine, job: Job) -> set[int]:
    return {event.step for event in studio.watch(job.id) if isinstance(event, Progress) and event.steps}


@pytest.fixture
def uninterrupted(studio: Engine) -> np.ndarray:
    """The render by the same noise, from its first step to its last: its take's state is taken away."""
    take = take_of(studio)
    Path(take.latents).with_name(STATE).unlink()
    job = studio.render(take.id)
    frames = clip_of(studio, job)
    assert any("first step" in event.change for event in studio.watch(job.id) if isinstance(event, Adjusted))
    return frames


def test_a_continued_take_is_a_glimpse_and_its_render_the_uninterrupted_one(
    studio: Engine, uninterrupted: np.ndarray
) -> None:
    take = take_of(studio)
    assert frames_of(take.video).shape == (9, 96, 96, 3)  # half the sides of the render
    assert take.recipe.plan.take.part == (0, 3) and take.recipe.plan.render.part == (3, 10)
    job = studio.render(take.id)
    assert np.array_equal(clip_of(studio, job), uninterrupted)
    assert not ended(studio, job).resumed  # its first part was the take's, and nothing was cut off
    assert np.array_equal(clip_of(studio, studio.render(take.id)), uninterrupted)  # a take can be rendered again


def test_a_refined_take_keeps_no_state(studio: Engine) -> None:
    take = take_of(studio, mode="refine", take=Overrides(num_inference_steps=2))
    assert not Path(take.latents).with_name(STATE).exists()


def test_a_run_with_a_step_cache_is_not_recorded(studio: Engine) -> None:
    plan = studio.plan(request(mode="refine"))
    assert plan.recorded
    assert not plan.model_copy(update={"step_cache": StepCache(interval=2, whole_steps=1)}).recorded


def test_a_render_of_one_step_has_no_first_part(studio: Engine) -> None:
    with pytest.raises(BadSetting):
        studio.plan(request(render=Overrides(num_inference_steps=1)))


# ---- killed ----

LONG: dict[str, Any] = {
    "mode": "refine", "num_frames": 25, "take": Overrides(num_inference_steps=2),
    "render": Overrides(width=256, height=256, num_inference_steps=150),
}  # fmt: skip


def until_saved(studio: Engine, job: Job) -> Path:
    """Wait until the render has been saved on its way."""
    state = studio.places.staging / job.id / STATE
    deadline = time.monotonic() + 240
    while not state.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert state.exists(), "it was never saved"
    return state


@pytest.fixture(scope="module")
def whole(studio: Engine) -> Iterator[tuple[str, np.ndarray]]:
    """A take, and its render without a break."""
    take = take_of(studio, **LONG)
    return take.id, clip_of(studio, studio.render(take.id))


def test_a_render_whose_worker_is_killed_goes_on_to_the_same_clip(
    studio: Engine, whole: tuple[str, np.ndarray]
) -> None:
    take_id, expected = whole
    job = studio.render(take_id)
    until_saved(studio, job)
    os.kill(studio._lanes[0].worker.pid or 0, signal.SIGKILL)
    first_again = next(
        event.step
        for event in studio.watch(job.id, after=studio.store.events(job.id)[-1][0])
        if isinstance(event, Progress) and event.steps
    )
    assert first_again >= 1  # not from the beginning
    assert np.array_equal(clip_of(studio, job), expected)


APPLICATION = """
    import sys, time
    from pathlib import Path
    from engine import Engine
    with Engine(Path(sys.argv[1])) as studio:
        studio.start()
        studio.render(sys.argv[2])
        time.sleep(600)
"""


def test_a_render_goes_on_by_itself_when_the_app_was_killed(
    tiny_home: Path, tmp_path: Path, studio: Engine, whole: tuple[str, np.ndarray]
) -> None:
    take_id, expected = whole
    for folder in ("models", "presets"):
        shutil.copytree(tiny_home / folder, tmp_path / folder)
    shutil.copytree(studio.places.takes / take_id, tmp_path / "takes" / take_id)
    code = textwrap.dedent(APPLICATION)
    app = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), take_id], cwd=APP)
    with Engine(tmp_path) as second:
        while not second.store.jobs("running"):
            time.sleep(0.1)
        (job,) = second.store.jobs("running")
        until_saved(second, job)
        app.kill()
        app.wait()
        second.start()
        assert np.array_equal(clip_of(second, job), expected)
        final = ended(second, job)
        assert isinstance(final, Finished) and final.resumed
