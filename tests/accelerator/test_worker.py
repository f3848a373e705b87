"""A real worker process on the pretend card, planned for as for a real one: the second click, and a card too small."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import Adjusted, Engine, Finished, Overrides, Request
from engine.jobs import local_worker as process
from engine.jobs.scheduler import REPORTED, REPORTED_DEVICES
from engine.schema import Device
from tests.accelerator.worker import CONTEXT_GB
from tests.conftest import PROMPT

pytestmark = pytest.mark.slow
CARD = Device(
    id="pretend:0", kind="pretend", name="a pretend card", vram_gb=24, vram_free_gb=24, compute_capability="8.9"
)
QUICK = Overrides(num_inference_steps=2)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The card as the worker finds it when it starts."""
    return tmp_path_factory.mktemp("card") / "card.json"


@pytest.fixture(scope="module")
def studio(tiny_home: Path, seen: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    home = tmp_path_factory.mktemp("card-home")
    for folder in ("models", "presets"):
        shutil.copytree(tiny_home / folder, home / folder)
    seen.write_text(CARD.model_dump_json())
    with pytest.MonkeyPatch.context() as patch:
        ordinary = process.worker_command

        def command(*given: Any) -> list[str]:
            python, _, _, *rest = ordinary(*given)
            return [python, "-m", "tests.accelerator.worker", str(seen), *rest]

        patch.setattr(process, "worker_command", command)
        with Engine(home) as engine:
            engine.store.set(REPORTED, REPORTED_DEVICES.dump_json((CARD,)).decode())
            engine.start()
            yield engine


def asked(**fields: Any) -> Request:
    return Request(**{"prompt": PROMPT, "model": "tiny-wan", "seed": 7, "num_frames": 9, "take": QUICK,
                      "render": QUICK} | fields)  # fmt: skip


def test_the_second_take_is_planned_for_a_card_that_its_own_model_does_not_fill(studio: Engine) -> None:
    first = studio.plan(asked())
    assert first.placement.device == CARD.id and first.placement.dtype == "bfloat16"
    (job,) = studio.make_takes(asked())
    ended = list(studio.watch(job.id))[-1]
    assert isinstance(ended, Finished) and ended.vram_gb > 0
    (worker,) = studio.machine.hardware().workers or _read_again(studio)
    assert worker.vram_gb > 0 and worker.ram_gb > 0 and worker.loads == first.loads
    second = studio.plan(asked(seed=8))
    assert second.placement == first.placement and second.forecast.loading_seconds == (0.0, 0.0)


def _read_again(studio: Engine) -> Any:
    """The machine, read anew and not remembered from a moment ago."""
    studio.machine.forget()
    return studio.machine.hardware().workers


def test_a_render_on_the_card_is_made_from_its_take(studio: Engine) -> None:
    (job,) = studio.make_takes(asked(seed=9))
    assert isinstance(list(studio.watch(job.id))[-1], Finished)
    render = studio.render(job.id)
    assert isinstance(list(studio.watch(render.id))[-1], Finished)


def test_a_card_that_is_smaller_than_it_says_is_met_by_the_memory_fallback(studio: Engine, seen: Path) -> None:
    studio.let_go()
    small = json.loads(CARD.model_dump_json()) | {"vram_gb": 0.8 + 0.001}  # the model's weights, and little more
    seen.write_text(json.dumps(small))
    (job,) = studio.make_takes(asked(seed=10))
    events = list(studio.watch(job.id))
    assert isinstance(events[-1], Finished), events[-1]
    assert [event.change for event in events if isinstance(event, Adjusted)]


@pytest.fixture(scope="module")
def needed_gb(studio: Engine, seen: Path) -> float:
    """What a take's peak is where there is room."""
    studio.let_go()
    seen.write_text(CARD.model_dump_json())
    ended = list(studio.watch(studio.make_takes(asked(seed=11))[0].id))[-1]
    assert isinstance(ended, Finished)
    return ended.vram_gb


@pytest.mark.grid
@pytest.mark.parametrize("share", [0.9, 0.75, 0.6, 0.45, 0.3])
def test_every_shortage_is_met_by_the_memory_fallback_and_the_job_ends_well(
    share: float, needed_gb: float, studio: Engine, seen: Path
) -> None:
    """Of what a take needs, the card has this share, and says that it has much more."""
    studio.let_go()
    seen.write_text(json.dumps(json.loads(CARD.model_dump_json()) | {"vram_gb": CONTEXT_GB + share * needed_gb}))
    (job,) = studio.make_takes(asked(seed=11))
    ended = list(studio.watch(job.id))[-1]
    assert isinstance(ended, Finished), ended
    assert ended.vram_gb <= share * needed_gb + 0.001
    render = list(studio.watch(studio.render(job.id).id))[-1]
    assert isinstance(render, Finished), render
