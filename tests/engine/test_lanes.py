"""A second card is a second lane, and a worker knows nothing of the page's machine but one artifact folder."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine import APP, Engine, Finished, LoraUse, Overrides, Request, read_recipe
from engine.jobs import local_worker
from engine.jobs.kinds import kind_of, new_job
from engine.jobs.local_worker import worker_command, worker_environment
from engine.jobs.scheduler import REPORTED, REPORTED_DEVICES
from engine.paths import open_home
from engine.schema import Device, Job
from engine.schema.json_lines import JobEvent, Ready, RunJob, line, read_by_engine
from tests.conftest import PROMPT
from tests.engine.test_worker import ended, frames_of
from tests.tiny import loras
from tests.ui.test_commands import command, document

QUICK = Overrides(num_inference_steps=2)
# This CPU under other names: what is planned and started for a card is real, and runs here.
CARDS = tuple(
    Device(
        id=f"cpu:{number}", kind="pretend", name=f"card {number}", vram_gb=24, vram_free_gb=23, compute_capability="8.9"
    )
    for number in (0, 1)
)


def request(**fields: object) -> Request:
    asked = {"prompt": PROMPT, "model": "tiny-wan", "seed": 7, "num_frames": 9, "take": QUICK}
    return Request.model_validate(asked | fields)


@pytest.fixture
def home(tiny_home: Path, tmp_path: Path) -> Path:
    for folder in ("models", "presets"):
        shutil.copytree(tiny_home / folder, tmp_path / "home" / folder)
    with Engine(tmp_path / "home") as engine:
        engine.store.set(REPORTED, REPORTED_DEVICES.dump_json(CARDS).decode())
    return tmp_path / "home"


@pytest.mark.slow
def test_two_cards_are_two_lanes_that_work_at_the_same_time(home: Path) -> None:
    with Engine(home) as engine:
        engine.start()
        jobs = [
            engine.make_takes(request(device=card.id, take=Overrides(num_inference_steps=200)))[0] for card in CARDS
        ]
        for job in jobs:  # both sample, neither has ended
            next(event for event in engine.watch(job.id) if getattr(event, "phase", "") == "sampling")
        assert [engine.store.job(job.id).state for job in jobs] == ["running", "running"]
        assert len({lane.worker.pid for lane in engine._lanes if lane.worker.pid}) == 2
        for job in jobs:
            engine.stop(job.id)
            list(engine.watch(job.id))


@pytest.mark.slow
def test_a_card_that_only_torch_sees_gets_a_lane_when_the_first_worker_has_started(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "faults.json").write_text("[]")
    monkeypatch.setattr(local_worker, "worker_command", seeing_a_card(home / "faults.json"))
    with Engine(home) as before:
        before.store.add_jobs([new_job(kind_of("take"), "take", before.plan(request(device="cpu:1")))])
        before.store.set(REPORTED, "[]")
    with Engine(home) as engine:
        engine.start()
        assert [lane.device for lane in engine._lanes] == ["cpu", "cpu:1"]  # what waited is not left waiting
        engine.warm_up()
        with Engine(home) as guest:
            while guest.machine.hardware().best.id == "cpu":
                time.sleep(0.1)
            (job,) = guest.make_takes(request(device="cpu:0"))
            assert ended(guest, job).result_id
        assert [lane.device for lane in engine._lanes] == ["cpu", "cpu:1", "cpu:0"]


def seeing_a_card(faults: Path) -> Callable[..., list[str]]:
    ordinary = local_worker.worker_command

    def command(*given: Any) -> list[str]:
        python, _, _, *rest = ordinary(*given)
        return [python, "-m", "tests.short_worker", str(faults), *rest]

    return command


@pytest.mark.slow
def test_make_runs_on_the_card_that_it_names(home: Path) -> None:
    words = ("make", PROMPT, "--model", "tiny-wan", "--frames", "9", "--steps", "2", "--take-only", "--json")
    made = document(command(home, *words, "--device", "cpu:1"))
    assert read_recipe(Path(made["file"])).plan.placement.device == "cpu:1"
    refused = command(home, *words, "--device", "cpu:2")
    assert refused.returncode == 2 and "no device called 'cpu:2'" in refused.stdout


def test_a_plan_for_a_second_card_counts_that_cards_memory(home: Path) -> None:
    small = CARDS[1].model_copy(update={"vram_gb": 6, "vram_free_gb": 5.5})
    with Engine(home) as engine:
        # not this computer's RAM: beside other work there may be too little to stream from
        found, roomy = engine.machine.hardware(), {"ram_gb": 32, "ram_free_gb": 24}
        machine = found.model_copy(update=roomy | {"devices": (CARDS[0], small, found.devices[-1])})
        plans = [engine.plan(Request(prompt=PROMPT, model="wan2.1-t2v-1.3b", seed=1, device=card.id), machine)
                 for card in CARDS]  # fmt: skip
    assert [plan.placement.device for plan in plans] == ["cpu:0", "cpu:1"]
    assert plans[0].placement.offload == "resident" != plans[1].placement.offload


@pytest.mark.slow
def test_a_worker_that_shares_no_path_makes_the_same_take(home: Path, tmp_path: Path) -> None:
    """What crosses to it is one line and one folder; its own copies of the models lie elsewhere."""
    loras.make(home / "models" / "tiny-wan", home / "mist.safetensors")
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(home / "noise.png")
    with Engine(home) as engine:
        plan = engine.plan(request(device="cpu"))
        worn = plan.model_copy(update={"request": plan.request.model_copy(update={
            "loras": (LoraUse(id=engine.keep_lora(home / "mist.safetensors").id),),
            "pictures": {"image": engine.media.keep_picture(home / "noise.png")},
        })})  # fmt: skip
        assert str(home) not in line(RunJob.of(new_job(kind_of("take"), "take", worn), kind_of("take").performer))
        engine.start()
        (here,) = engine.make_takes(request(device="cpu"))
        ours = engine.library.take(ended(engine, here).result_id)
        there = new_job(kind_of("take"), "take", plan)
        staged = engine.library.clear_workspace(there.id)
        kind_of("take").put(there, staged, engine.rooms)
        elsewhere = open_home(tmp_path / "another machine")
        shutil.copytree(home / "models", elsewhere.models, dirs_exist_ok=True)
        shutil.move(staged, elsewhere.staging / there.id)
        assert isinstance(run_by_hand(elsewhere.home, there), Finished)
        shutil.move(elsewhere.staging / there.id, staged)
        kind_of("take").adopt(there, engine.rooms)
        theirs = engine.library.take(there.id)
    assert np.array_equal(frames_of(theirs.video), frames_of(ours.video))
    assert str(tmp_path) not in Path(theirs.video).with_suffix(".json").read_text()


def run_by_hand(home: Path, job: Job) -> object:
    """A worker of that home, spoken to over its two pipes alone."""
    done = subprocess.Popen(
        worker_command(open_home(home), "cpu"), cwd=APP, env=worker_environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.stdin and done.stdout
    done.stdin.write(line(RunJob.of(job, kind_of(job.kind).performer)))
    done.stdin.flush()
    messages = (read_by_engine(text) for text in done.stdout)
    events = (message.event for message in messages if isinstance(message, JobEvent) and not isinstance(message, Ready))
    final = next(event for event in events if hasattr(event, "result_id") or hasattr(event, "cause"))
    done.stdin.close()
    done.wait(timeout=20)
    return final


def test_who_took_over_a_folder_gives_it_back_when_it_is_closed(tmp_path: Path) -> None:
    """The lock is taken by the thread that stood by, and given back by the one that closes."""
    first, second, third = Engine(tmp_path), Engine(tmp_path), Engine(tmp_path)
    first.start()
    second.start()
    assert second._watchman
    first.close()
    second._watchman.join(10)
    second.close()
    third.start()
    assert third._watchman is None
    third.close()
