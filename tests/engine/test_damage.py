"""Whatever is damaged in a data folder, the studio opens, and says what it cannot read where that matters."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from engine import (
    Cancelled,
    Engine,
    InUse,
    Look,
    MachineProblem,
    Request,
    RushesError,
    examine,
    lost_lane,
    not_written,
    support_file,
)
from engine.storage.temporary_folders import sweep
from tests.golden.record import copy_of_home

ENDLESS = 'format = 1\nkind = "look"\nx = ' + "1" * 5000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return copy_of_home(tmp_path)


def sql(home: Path, text: str, file: str = "rushes.sqlite3") -> None:
    with sqlite3.connect(home / file) as db:
        db.executescript(text)


def put(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def folder(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.mkdir()


ROW = (
    "into jobs (id, stage, device, plan, state, created)"
    " select id || 'x', {}, device, {}, {}, created from jobs limit 1"
)
DAMAGE: dict[str, Callable[[Path], object]] = {
    "a run without fields": lambda home: sql(home, "insert into runs (model, body) values ('starter', '{}')"),
    "half a run": lambda home: sql(home, "insert into runs (model, body) values ('starter', '{')"),
    "a run of bytes": lambda home: sql(home, "insert into runs (model, body) values ('starter', x'ff00')"),
    "a queued job of an unknown stage": lambda home: sql(home, "insert " + ROW.format("'odd'", "plan", "'queued'")),
    "a running job of an unknown stage": lambda home: sql(home, "insert " + ROW.format("'odd'", "plan", "'running'")),
    "a running job without a plan": lambda home: sql(home, "insert " + ROW.format("stage", "'{'", "'running'")),
    "a job in an unknown state": lambda home: sql(home, "insert " + ROW.format("stage", "plan", "'thinking'")),
    "events of another version": lambda home: sql(
        home, """insert into events (job_id, body) select id, '{"kind":"new"}' from jobs"""
    ),
    "half an event": lambda home: sql(home, "insert into events (job_id, body) select id, '{' from jobs"),
    **{
        f"setting {name} = {value}": lambda home, name=name, value=value: sql(  # type: ignore[misc]
            home, f"insert or replace into settings values ('{name}', '{value}')"
        )
        for name in ("torch_devices", "warm cpu", "model_folders", "lora_folders", "lost_lane", "tier")
        for value in ("{", "[1]", "x")
    },
    "a download without fields": lambda home: sql(
        home, "insert into downloads (model, job, state, download) values ('m', '{}', 'queued', '{}')",
        "models/.downloads.sqlite3",
    ),
    "LoRA notes of other kinds": lambda home: put(home / "loras" / "a.json", '{"file": {}, "origin": 5}'),
    "LoRA notes without a bottom": lambda home: put(home / "loras" / "a.json", "[" * 100_000),
    "a folder among card tests": lambda home: folder(home / "card-tests" / "cpu.json"),
    "a card test of bytes": lambda home: put(home / "card-tests" / "x.json", b"\xff\xfe\x00"),
    "a folder among logs": lambda home: folder(home / "logs" / "worker-cpu.log"),
    "a model card with an endless number": lambda home: put(home / "presets" / "models" / "a.toml", ENDLESS),
    "a look with an endless number": lambda home: put(home / "presets" / "looks" / "a.toml", ENDLESS),
    "an upload of nobody": lambda home: (home / "staging" / f"brought-{'9' * 23}-x").mkdir(parents=True),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_one_damaged_thing_keeps_nothing_from_opening(home: Path, what: str) -> None:
    with Engine(home):
        pass  # the folders of a data root are made
    DAMAGE[what](home)
    with Engine(home) as engine:
        engine.start()
        assert engine.owns
        assert engine.plan(Request(prompt="a red ball")).take.num_frames
        assert len(engine.library.takes()) == 5 and len(engine.store.jobs()) >= 11 and engine.loras.kept()
        assert (
            engine.presets.requests()
            and engine.presets.looks()
            and engine.machine.tiers()
            and engine.loras.shared() == []
        )
        assert engine.downloads.queue() == [] and engine.presets.problems() is not None
        assert lost_lane(engine.store) is None and list(examine(engine, with_take=False)) and support_file(engine)
        for job in engine.store.jobs("finished", "failed", "cancelled"):
            assert list(engine.watch(job.id))


def test_a_preset_with_an_endless_number_is_refused_in_a_sentence(home: Path, tmp_path: Path) -> None:
    put(tmp_path / "big.toml", ENDLESS)
    with Engine(home) as engine, pytest.raises(RushesError, match=r"big\.toml"):
        engine.presets.receive(tmp_path / "big.toml")


def test_a_job_that_cannot_be_read_ends_and_the_queue_goes_on(home: Path) -> None:
    sql(home, "insert " + ROW.format("'odd'", "plan", "'running'"))
    with Engine(home) as engine:
        engine.start()
    with sqlite3.connect(home / "rushes.sqlite3") as db:
        assert db.execute("select state from jobs where stage = 'odd'").fetchall() == [("failed",)]


@pytest.mark.parametrize("left", ["", '{"id'])
def test_a_clip_and_a_take_whose_notes_are_damaged_are_read_from_their_videos(home: Path, left: str) -> None:
    for notes in (*(home / "clips").glob("*.json"), *(home / "takes").glob("*/take.json")):
        notes.write_text(left)
    with Engine(home) as engine:
        assert (len(engine.library.takes()), len(engine.library.clips())) == (5, 3)


def test_what_cannot_be_read_at_all_is_found_by_the_doctor(home: Path) -> None:
    put(home / "clips" / "half.mp4", b"\x00" * 100)
    with Engine(home) as engine:
        (found,) = (one for one in examine(engine, with_take=False) if one.name == "library")
        assert not found.ok and "half.mp4" in found.finding


@pytest.mark.parametrize("kind", ["folder", "loop"])
def test_a_lock_that_cannot_be_opened_is_a_sentence(home: Path, kind: str) -> None:
    if kind == "folder":
        (home / "engine.lock").mkdir()
    else:
        (home / "engine.lock").symlink_to(home / "engine.lock")
    with Engine(home) as engine, pytest.raises(MachineProblem, match=r"engine\.lock"):
        engine.start()


def test_stopping_a_job_that_waits_says_so_in_the_same_moment(home: Path) -> None:
    with Engine(home) as engine:
        (waiting,) = engine.store.jobs("queued")
        assert engine.store.ask_to_stop(waiting.id)  # and killed here
        assert list(engine.watch(waiting.id)) == [Cancelled()]


def test_what_jobs_that_are_over_left_behind_is_swept_at_the_start(home: Path) -> None:
    with Engine(home) as engine:
        over, waiting = engine.store.jobs("finished")[0].id, engine.store.jobs("queued")[0].id
        for name in (over, waiting):
            put(home / "staging" / name / "state.safetensors", b"x")
        engine.start()
        assert [path.name for path in (home / "staging").iterdir()] == [waiting]


def test_what_could_not_be_taken_in_is_swept_by_no_start(home: Path) -> None:
    with Engine(home) as engine:
        failed = engine.store.jobs("failed")[0].id
        put(home / "staging" / failed / "take.json", b"{}")
        engine.start()
        assert (home / "staging" / failed / "take.json").exists()


def test_a_copy_of_a_lora_that_was_cut_off_long_ago_is_swept(home: Path) -> None:
    for name, hours in (("old", 30), ("new", 1)):
        put(home / "loras" / f"{name}.part", b"x")
        os.utime(home / "loras" / f"{name}.part", (time.time() - hours * 3600,) * 2)
    with Engine(home) as engine:
        engine.start()
    assert [path.name for path in (home / "loras").glob("*.part")] == ["new.part"]


def test_an_upload_of_another_process_with_the_same_number_is_swept(tmp_path: Path) -> None:
    mine, others = f"brought-{os.getpid()}-x", f"brought-{os.getpid()}-y"
    for name in (mine, others, "brought-9999999999-z", "preset-y"):
        (tmp_path / name).mkdir()
    before = psutil.Process().create_time() - 3600
    os.utime(tmp_path / others, (before, before))
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [mine]


def test_what_is_brought_back_onto_its_like_stays_in_the_trash(home: Path) -> None:
    with Engine(home) as engine:
        take = engine.library.takes()[0]
        engine.library.trash.throw(take)
        put(home / "takes" / take.id / "mine.txt", b"x")
        with pytest.raises(InUse, match="cannot be brought back"):
            engine.library.trash.take_back(take.id)
        assert (home / "trash" / take.id).is_dir()


def test_a_home_of_a_person_that_nobody_knows_is_a_sentence() -> None:
    with pytest.raises(MachineProblem, match="nobody of that name"):
        Engine(Path("~nobody_by_that_name/x"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can mount")
def test_on_a_disk_that_is_write_protected_every_change_is_refused_in_one_true_sentence(home: Path) -> None:
    disk = home.parent / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs none {disk}"):
        pytest.skip("nothing can be mounted here")
    try:
        shutil.copytree(home, disk / "home")
        with Engine(disk / "home"):
            pass
        assert os.system(f"mount -o remount,ro {disk}") == 0
        with Engine(disk / "home") as engine:
            look = engine.presets.get(Look, "my-noir")
            (lora,) = engine.loras.kept()
            for change in (
                engine.start,
                lambda: engine.presets.keep("New", look),
                lambda: engine.presets.delete(Look, "my-noir"),
                lambda: engine.loras.remove(lora.id),
                lambda: engine.loras.set_half(lora.id, "high"),
                lambda: engine.presets.export(Look, "my-noir", disk),
                engine.let_go,
            ):
                with pytest.raises(MachineProblem) as refused:
                    change()  # type: ignore[operator]
                assert "full" not in refused.value.cause
    finally:
        os.system(f"umount -l {disk}")


def test_a_file_that_cannot_be_written_says_why() -> None:
    said = {number: not_written(OSError(number, os.strerror(number))).cause for number in (13, 28, 30, 5)}
    assert "full" in said[28] and "protected" in said[13] == said[30] and "Input/output" in said[5]
    assert json.dumps(said)


def test_a_lock_that_another_holds_is_no_error(home: Path) -> None:
    with FileLock(home / "engine.lock"), Engine(home) as engine:
        engine.start()
        assert not engine.owns
