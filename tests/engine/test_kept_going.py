"""What stops by itself, is told to end or finds no room: the queue goes on; what is there is read and deleted."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import APP, Engine, Overrides, Request, lost_lane
from engine.diagnostics import examine
from engine.jobs.scheduler import DeviceWorker
from engine.paths import open_home
from engine.schema.errors import MachineProblem
from engine.storage import temporary_folders
from tests.conftest import PROMPT
from tests.engine.test_worker import ended


class End(BaseException):
    """What no handler of the lane catches."""


@pytest.mark.slow
def test_a_lane_that_ends_by_itself_is_said_and_started_again_with_its_job(
    tiny_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordinary, times = DeviceWorker._attempt, []

    def once_gone(self: DeviceWorker, job: object) -> object:
        times.append(job)
        if len(times) == 1:
            raise End("by itself")
        return ordinary(self, job)  # type: ignore[arg-type]

    monkeypatch.setattr(DeviceWorker, "_attempt", once_gone)
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    with Engine(tiny_home) as engine:
        engine.start()
        (job,) = engine.make_takes(
            Request(prompt=PROMPT, model="tiny-wan", seed=7, num_frames=9, take=Overrides(num_inference_steps=2))
        )
        assert ended(engine, job).kind == "finished"
        lost = lost_lane(engine.store)
        assert lost and lost.device == "cpu" and "by itself" in lost.why
        (finding,) = (found for found in examine(engine, with_take=False) if found.name == "queue")
        assert not finding.ok and "stopped by itself" in finding.finding


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends programs without a word")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_job_whose_terminal_is_closed_waits_for_the_next_start_and_is_no_failure(
    number: signal.Signals, tiny_home: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_home / "models", tmp_path / "models")
    shutil.copytree(tiny_home / "presets", tmp_path / "presets")
    words = ["make", PROMPT, "--model", "tiny-wan", "--frames", "9", "--steps", "200", "--take-only", "--seed", "3"]
    for _ in range(3):  # one more than the attempts that a job has
        running = subprocess.Popen(
            [sys.executable, str(APP / "app.py"), *words], env=os.environ | {"RUSHES_HOME": str(tmp_path)},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        engine = Engine(tmp_path)
        try:
            until = time.monotonic() + 120
            while not engine.store.jobs("running") and time.monotonic() < until:
                time.sleep(0.05)
            running.send_signal(number)
            assert running.wait(60) == 128 + number
            jobs = engine.store.jobs()
            assert jobs and {job.state for job in jobs} == {"queued"} and {job.attempts for job in jobs} == {0}
            assert "Traceback" not in running.stderr.read()  # type: ignore[union-attr]
        finally:
            running.kill()
            engine.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no nohup")
def test_a_command_that_is_to_outlive_its_terminal_does() -> None:
    ask = "terminal.run(lambda: print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN), False)"
    words = ["nohup", sys.executable, "-c", f"import signal; from ui import terminal; {ask}"]
    assert "True" in subprocess.run(words, cwd=APP, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A data folder with a take, on a disk without a byte left."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("needs a disk of its own, which only root may mount here")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("a disk cannot be mounted here")
    try:
        with Engine(disk / "home") as engine:
            engine.store.set("a", "word")
        (disk / "home" / "trash" / "old").mkdir()
        (disk / "home" / "trash" / "old" / "take.mp4").write_bytes(bytes(200_000))
        with (disk / "rest").open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(bytes(4096))
                except OSError as error:
                    assert error.errno == errno.ENOSPC
                    break
        yield disk / "home"
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def test_a_full_disk_is_read_and_planned_on_and_refuses_a_job_in_a_sentence(full: Path) -> None:
    with Engine(full) as engine:
        assert engine.library.takes() == [] and engine.store.setting("a") == "word"
        assert engine.plan(Request(prompt="a red ball", seed=1)).model == "starter"
        assert engine.downloads.queue() == [] and engine.loras.kept() == []
        with pytest.raises(MachineProblem, match="The disk is full"):
            engine.make_takes(Request(prompt="a red ball", seed=1))


def test_deleting_frees_a_full_disk_and_then_it_can_be_written_again(full: Path) -> None:
    with Engine(full) as engine:
        engine.library.trash.empty()
        (full.parent / "rest").unlink()
        engine.store.set("a", "new word")
        assert engine.store.setting("a") == "new word"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system that is mounted read-only")
def test_a_folder_that_may_not_be_written_is_read_all_the_same(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    with Engine(tmp_path / "home") as engine:
        engine.store.set("a", "word")
    if subprocess.run(["mount", "--bind", tmp_path, tmp_path], capture_output=True).returncode:
        pytest.skip("a folder cannot be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", tmp_path], check=True)
        with Engine(tmp_path / "home") as engine:
            assert engine.store.setting("a") == "word" and engine.library.clips() == []
            assert engine.plan(Request(prompt="a red ball", seed=1)).seed == 1
            with pytest.raises(MachineProblem):
                engine.store.set("a", "no")
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=False)


def test_what_a_killed_upload_left_is_swept_and_one_that_is_under_way_is_not(tmp_path: Path) -> None:
    staging = open_home(tmp_path).staging
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for name in (f"brought-{gone.pid}-abc", "brought-old", "preset-xyz"):
        (staging / name).mkdir()
        (staging / name / "large.mp4").write_bytes(b"x")
    (staging / "20260101-120000-a-job-1a2b").mkdir()
    with temporary_folders.folder(staging, "brought") as mine:
        temporary_folders.sweep(staging)
        assert {path.name for path in staging.iterdir()} == {mine.name, "20260101-120000-a-job-1a2b"}
    assert not mine.exists()
