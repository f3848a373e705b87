"""What a job made comes into the library whole, wherever it was cut off, and is on the disk before anybody says so."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine import APP
from engine.jobs.kinds import Rooms, kind_of
from engine.jobs.scheduler import DeviceWorker, recover
from engine.paths import Places, open_home
from engine.schema import Job, ShotPlan, ShotStage
from engine.schema.errors import MachineProblem, WorkerDied
from engine.schema.events import Failed
from engine.storage.job_store import Store

NAMES: dict[ShotStage, tuple[str, ...]] = {
    "take": ("take.mp4", "latents.safetensors", "poster.jpg", "take.json"),
    "render": ("clip.mp4", "clip.jpg", "clip.json"),
}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return open_home(tmp_path)


def made(places: Places, plan: ShotPlan, stage: ShotStage, name: str = "job-1") -> tuple[Rooms, Job]:
    """A job that runs, whose result is complete in staging."""
    store, job = Store(places.database), Job(id=name, stage=stage, plan=plan, created="2026-01-01T00:00:00Z")
    store.add_jobs([job])
    claimed = store.claim("cpu")
    assert claimed
    folder = places.staging / name
    folder.mkdir(parents=True)
    for file in NAMES[stage]:
        (folder / file).write_text(file)
    return Rooms.of(places, store), claimed


def whole(places: Places, stage: ShotStage, name: str = "job-1") -> bool:
    found = {"take": lambda file: places.takes / name / file,
             "render": lambda file: places.clips / file.replace("clip", name)}[stage]  # fmt: skip
    return all(found(file).read_text() == file for file in NAMES[stage])


@pytest.mark.parametrize(("stage", "moves"), [("take", 0), ("take", 1), *(("render", n) for n in range(4))])
def test_a_kill_after_any_of_its_moves_loses_nothing_and_the_start_ends_the_job(
    stage: ShotStage, moves: int, places: Places, tiny_plan: ShotPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms, job = made(places, tiny_plan, stage)
    ordinary, left = Path.replace, [moves]

    def until_killed(self: Path, target: Any) -> Path:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return ordinary(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", until_killed)
        patch.setattr(shutil, "rmtree", lambda *given, **named: None)
        if moves < (1 if stage == "take" else 3):
            with pytest.raises(KeyboardInterrupt):
                kind_of(job.kind).adopt(job, rooms)
        else:  # killed between taking it in and recording it
            kind_of(job.kind).adopt(job, rooms)
    recover(rooms)
    assert rooms.store.job("job-1").state == "finished" and whole(places, stage)
    assert not (places.staging / "job-1").exists()


def test_what_cannot_be_taken_in_is_set_aside_and_the_next_one_is_taken_in(places: Places, tiny_plan: ShotPlan) -> None:
    rooms, _ = made(places, tiny_plan, "take")
    made(places, tiny_plan, "render", "job-2")
    (places.takes / "job-1").write_text("in the way")
    recover(rooms)
    event = rooms.store.events("job-1")[-1][1]
    assert isinstance(event, Failed) and "set-aside" in event.remedy
    assert {path.name for path in (places.set_aside / "job-1").iterdir()} == set(NAMES["take"])
    assert rooms.store.job("job-2").state == "finished" and whole(places, "render", "job-2")


@pytest.mark.parametrize("times", [1, 5])
def test_that_the_app_was_killed_is_no_fault_of_the_job(times: int, places: Places, tiny_plan: ShotPlan) -> None:
    rooms, _ = made(places, tiny_plan, "take")
    shutil.rmtree(places.staging / "job-1")
    for _ in range(times):
        recover(rooms)
        assert rooms.store.job("job-1").state == "queued" and rooms.store.claim("cpu")


RECORDS = """
import os
import sys
from pathlib import Path
from engine.jobs.scheduler import recover
from engine.jobs.kinds import Rooms
from engine.paths import open_home
from engine.storage.job_store import Store
places = open_home(Path(sys.argv[1]))
store = Store(places.database)
recover(Rooms.of(places, store))
os._exit(0)  # a store that is closed syncs once more
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("stage", ["take", "render"])
def test_files_and_folders_are_on_the_disk_before_the_record_says_so(
    stage: ShotStage, places: Places, tiny_plan: ShotPlan, tmp_path: Path
) -> None:
    made(places, tiny_plan, stage)
    log = tmp_path / "strace.log"
    tracing = ["strace", "-f", "-y", "-qq", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2", "-o", str(log)]
    subprocess.run([*tracing, sys.executable, "-c", RECORDS, str(places.home)], cwd=APP, check=True, timeout=120)
    lines = [line for line in log.read_text().splitlines() if str(places.home) in line]

    def position(*words: str) -> int:
        return next(number for number, line in enumerate(lines) if all(word in line for word in words))

    shown = position("rename", "clip.mp4") if stage == "render" else position("rename", "takes/job-1")
    assert all(position("fsync", file) < shown for file in NAMES[stage])
    entered = position("fsync", f"{places.clips if stage == 'render' else places.takes}>")
    recorded = max(number for number, line in enumerate(lines) if "sync" in line and places.database.name in line)
    assert shown < entered < recorded


@pytest.mark.parametrize("what", ["the record", "the lock"])
def test_a_lane_outlives_what_fails_while_it_deals_with_a_failure(
    what: str, places: Places, tiny_plan: ShotPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(places.database)
    lane, refusals = DeviceWorker(places, store, "cpu"), [2]

    def refusing(error: Exception, ordinary: Any) -> Any:
        def answer(*given: Any, **named: Any) -> Any:
            if refusals[0]:
                refusals[0] -= 1
                raise error
            return ordinary(*given, **named)

        return answer

    def dies(*given: Any) -> Any:
        raise WorkerDied("The worker died.", "Try again.")

    monkeypatch.setattr(lane.worker, "perform", dies)
    full = MachineProblem("The disk is full.", "Make room.")
    if what == "the record":
        monkeypatch.setattr(store, "add_event", refusing(full, store.add_event))
    else:
        too_many = OSError(errno.EMFILE, "Too many open files")
        monkeypatch.setattr(lane._moving, "acquire", refusing(too_many, lane._moving.acquire))
    store.add_jobs([Job(id=f"job-{n}", stage="take", plan=tiny_plan, created="2026-01-01T00:00:00Z") for n in range(3)])
    lane.start()
    try:
        waiting = time.monotonic() + 30
        while any(job.state != "failed" for job in store.jobs()) and time.monotonic() < waiting:
            time.sleep(0.05)
        assert [job.state for job in store.jobs()] == ["failed"] * 3 and not refusals[0] and lane.is_alive()
    finally:
        lane.close()
