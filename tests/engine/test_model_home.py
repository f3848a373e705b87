"""Where models live: another folder is chosen, models move there, and nothing on the way loses one."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from safetensors.numpy import save_file

from engine import APP, BadFile, Engine, Finished, InUse, MachineProblem, Request
from engine.install.model_location import size_of
from tests.conftest import PROMPT

MODEL = "tiny-wan"


@pytest.fixture
def home(tiny_home: Path, tmp_path: Path) -> Path:
    """A data folder of its own, with the tiny model in it."""
    return Path(shutil.copytree(tiny_home, tmp_path / "home", ignore=shutil.ignore_patterns("*.lock", "caches")))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another disk."""
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has one disk only")
    with tempfile.TemporaryDirectory(dir=other, prefix="rushes-") as folder:
        yield Path(folder)


def found(engine: Engine) -> bool:
    return engine.models.installed(engine.models.card(MODEL))


@pytest.mark.slow
def test_a_running_studio_goes_on_with_models_that_moved_to_another_disk(home: Path, disk: Path) -> None:
    with Engine(home) as engine:
        engine.start()
        asked = Request(prompt=PROMPT, model=MODEL, seed=1)
        (before,) = engine.make_takes(asked)
        assert isinstance(list(engine.watch(before.id))[-1], Finished)
        size = size_of(home / "models" / MODEL)
        quote = engine.location.quote(str(disk / "models"))
        assert (quote.models, quote.bytes, quote.bytes_to_write) == ((MODEL,), size, size)
        seen = []
        engine.location.move(str(disk / "models"), seen.append)
        assert (seen[-1].bytes_done, seen[-1].ended) == (size, True)
        assert found(engine) and not (home / "models" / MODEL).exists()
        (after,) = engine.make_takes(asked.model_copy(update={"seed": 2}))
        assert isinstance(list(engine.watch(after.id))[-1], Finished)
    with Engine(home) as again:
        assert [place.folder for place in again.location.folders()] == [str(disk / "models")]


def test_a_folder_for_new_models_leaves_the_old_ones_where_they_are(home: Path, tmp_path: Path) -> None:
    with Engine(home) as engine:
        engine.location.use(str(tmp_path / "new"))
        assert engine.places.models == tmp_path / "new" and found(engine)
        assert [place.models for place in engine.location.folders()] == [(), (MODEL,)]
        engine.location.move(str(home / "models"))
        assert engine.places.models == home / "models" and found(engine)


def test_a_move_that_is_killed_leaves_every_model_usable_and_goes_on(home: Path, disk: Path) -> None:
    weights = home / "models" / "large" / "weights.safetensors"
    weights.parent.mkdir()
    (weights.parent / "model_index.json").write_text("{}")
    save_file({"w": np.zeros(300_000_000, dtype=np.uint8)}, weights)
    size, half = weights.stat().st_size, disk / "models" / ".removed-half-large" / weights.name
    script = f"from pathlib import Path; from engine import Engine; Engine(Path({str(home)!r})).location.move(" \
             f"{str(disk / 'models')!r})"  # fmt: skip
    mover = subprocess.Popen([sys.executable, "-c", script], cwd=APP)
    while not (half.exists() and 0 < half.stat().st_size < size):
        assert mover.poll() is None
        time.sleep(0.001)
    mover.send_signal(signal.SIGKILL)
    mover.wait()
    with Engine(home) as engine:
        assert found(engine) and weights.stat().st_size == size
        engine.location.move(str(disk / "models"))
        assert found(engine) and not (home / "models" / MODEL).exists()
    assert sorted(path.name for path in (disk / "models").iterdir()) == ["large", MODEL]
    assert (disk / "models" / "large" / weights.name).stat().st_size == size


def test_a_copy_that_was_not_removed_in_time_is_removed_by_the_next_move(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "models" / MODEL, tmp_path / "new" / MODEL)
    with Engine(home) as engine:
        engine.location.move(str(tmp_path / "new"))
        assert found(engine) and not (home / "models" / MODEL).exists()


def test_another_model_of_that_name_is_not_written_over(home: Path, tmp_path: Path) -> None:
    (tmp_path / "new" / MODEL).mkdir(parents=True)
    (tmp_path / "new" / MODEL / "thesis.txt").write_text("mine")
    with Engine(home) as engine, pytest.raises(MachineProblem, match="another tiny-wan is there"):
        engine.location.move(str(tmp_path / "new"))
    assert (tmp_path / "new" / MODEL / "thesis.txt").read_text() == "mine"
    assert (home / "models" / MODEL / "model_index.json").is_file()


def test_models_do_not_move_while_a_shot_is_made_with_one(home: Path, tmp_path: Path) -> None:
    with Engine(home) as engine:
        engine.make_takes(Request(prompt=PROMPT, model=MODEL, seed=1))
        engine.store.claim("cpu")
        with pytest.raises(InUse, match="A shot is being made with tiny-wan"):
            engine.location.move(str(tmp_path / "new"))
        assert engine.places.models == home / "models" and found(engine)


def test_models_do_not_move_to_a_disk_without_room(home: Path, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.schema.manifest.MARGIN_BYTES", shutil.disk_usage(disk).free)
    with Engine(home) as engine, pytest.raises(MachineProblem, match="not enough room"):
        engine.location.move(str(disk / "models"))
    assert (home / "models" / MODEL).is_dir() and not (disk / "models").exists()


def test_a_disk_that_is_unplugged_is_said_and_nothing_is_written_in_its_place(home: Path, tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    with Engine(home) as engine:
        engine.location.move(str(drive / "models"))
        shutil.move(drive, tmp_path / "unplugged")
    with Engine(home) as engine:
        engine.downloads.start()
        assert not found(engine) and not engine.location.folders()[0].there
        with pytest.raises(MachineProblem, match="is not there"):
            engine.downloads.quote(engine.models.card(MODEL))
        assert not drive.exists()
        shutil.move(tmp_path / "unplugged", drive)
        assert found(engine)


HOSTILE = ["", "   ", "models", "../models", "~nobody-of-that-name/models", "/nowhere/at/all/models", "/dev/null",
           "/tmp/a\0b", "/tmp/a\nb", "/tmp/" + "x" * 5000, "/proc/1", str(APP), str(APP / "presets"),
           "HOME", "HOME/takes", "HOME/models/../takes/inside", "HOME/models/deeper"]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_can_be_no_folder_for_models_is_refused_and_changes_nothing(name: str, tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        with pytest.raises(BadFile):
            engine.location.use(name.replace("HOME", str(tmp_path / "home")))
        assert engine.places.models == tmp_path / "home" / "models"
    assert not (tmp_path / "home" / "models" / "deeper").exists()


@pytest.mark.slow
def test_the_worker_of_an_idle_studio_lets_go_of_its_model_and_works_again(home: Path) -> None:
    with Engine(home) as engine:
        engine.start()
        asked = Request(prompt=PROMPT, model=MODEL, seed=1)
        (job,) = engine.make_takes(asked)
        assert isinstance(list(engine.watch(job.id))[-1], Finished)
        worker = psutil.Process(engine._lanes[0].worker.pid)
        engine.let_go()
        assert not worker.is_running()
        (job,) = engine.make_takes(asked)
        assert isinstance(list(engine.watch(job.id))[-1], Finished)


def test_a_worker_does_not_let_go_in_the_middle_of_a_shot(home: Path) -> None:
    with Engine(home) as engine:
        engine.make_takes(Request(prompt=PROMPT, model=MODEL, seed=1))
        engine.store.claim("cpu")
        with pytest.raises(InUse, match="A shot is being made"):
            engine.let_go()
