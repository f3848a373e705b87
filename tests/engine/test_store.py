"""The store: what was committed is there after a kill, and several processes may look at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from engine import APP
from engine.schema import Job, Run, ShotPlan
from engine.schema.errors import MachineProblem, UnknownName
from engine.schema.events import Failed, Finished, Progress
from engine.storage.job_store import PAUSED, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "jobs.sqlite3")


def job(plan: ShotPlan, name: str = "job-1") -> Job:
    return Job(id=name, stage="take", plan=plan, created="2026-01-01T00:00:00Z")


def test_a_job_comes_back_as_it_went_in(store: Store, tiny_plan: ShotPlan) -> None:
    store.add_jobs([job(tiny_plan)])
    assert store.job("job-1") == job(tiny_plan)


def test_jobs_are_claimed_once_and_in_order(store: Store, tiny_plan: ShotPlan) -> None:
    store.add_jobs([job(tiny_plan, "first"), job(tiny_plan, "second")])
    claimed = [store.claim("cpu"), store.claim("cpu")]
    assert [j.id for j in claimed if j] == ["first", "second"]
    assert store.claim("cpu") is None


def test_a_lane_takes_only_its_own_device(store: Store, tiny_plan: ShotPlan) -> None:
    store.add_jobs([job(tiny_plan)])
    assert store.claim("cuda:0") is None


def test_a_batch_is_queued_whole_or_not_at_all(store: Store, tiny_plan: ShotPlan) -> None:
    with pytest.raises(MachineProblem):
        store.add_jobs([job(tiny_plan, "twice"), job(tiny_plan, "twice")])
    assert store.jobs() == []


def test_the_end_of_a_job_forgets_its_progress(store: Store, tiny_plan: ShotPlan) -> None:
    store.add_jobs([job(tiny_plan)])
    store.add_event("job-1", Progress(phase="sampling", step=1, steps=8))
    store.add_event("job-1", Progress(phase="sampling", step=2, steps=8))
    assert [event for _, event in store.events("job-1")] == [Progress(phase="sampling", step=2, steps=8)]
    store.finish("job-1", Failed(cause="c", remedy="r"))
    assert [event for _, event in store.events("job-1")] == [Failed(cause="c", remedy="r")]
    assert store.job("job-1").state == "failed"


def test_stopping_a_queued_job_ends_it_at_once(store: Store, tiny_plan: ShotPlan) -> None:
    store.add_jobs([job(tiny_plan)])
    assert store.ask_to_stop("job-1")
    assert store.claim("cpu") is None


def test_stopping_a_finished_job_changes_nothing(store: Store, tiny_plan: ShotPlan) -> None:
    store.add_jobs([job(tiny_plan)])
    store.claim("cpu")
    store.finish("job-1", Finished(result_id="job-1", seconds=1))
    assert not store.ask_to_stop("job-1")
    assert store.job("job-1").state == "finished"


def test_an_unknown_job_is_named(store: Store) -> None:
    with pytest.raises(UnknownName, match="ghost"):
        store.job("ghost")


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    with sqlite3.connect(path) as db:
        db.execute("pragma user_version = 999")
    with pytest.raises(MachineProblem, match="newer"):
        Store(path)


def test_a_damaged_database_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(MachineProblem, match="cannot be used"):
        Store(path)


def test_what_was_committed_survives_a_kill_of_the_writer(tmp_path: Path, tiny_plan: ShotPlan) -> None:
    """A process adds jobs as fast as it can and is killed; every job that it reported is there, none is half there."""
    path = tmp_path / "jobs.sqlite3"
    code = (
        "import sys; from pathlib import Path\n"
        "from engine.storage.job_store import Store; from engine.schema import Job\n"
        "store, one = Store(Path(sys.argv[1])), Job.model_validate_json(sys.argv[2])\n"
        "for n in range(10**6):\n"
        "    store.add_jobs([one.model_copy(update={'id': f'job-{n}'})]); print(n, flush=True)\n"
    )
    arguments = [sys.executable, "-c", code, str(path), job(tiny_plan).model_dump_json()]
    with subprocess.Popen(arguments, cwd=APP, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        reported = [int(next(writer.stdout)) for _ in range(25)]
        writer.kill()
        reported += [int(line) for line in writer.stdout]
    kept = {j.id for j in Store(path).jobs(limit=10**6)}
    assert {f"job-{n}" for n in reported} <= kept
    assert len(kept) <= len(reported) + 1


def test_a_run_in_which_memory_ran_out_is_remembered_however_many_follow(store: Store) -> None:
    short = Run(model="large", stage="take", device="cuda:0", operations=1, seconds=1, ram_gb=1, adjusted=True)
    store.add_run(short)
    other = short.model_copy(update={"model": "starter", "adjusted": False})
    for number in range(60):
        store.add_run(other.model_copy(update={"seconds": float(number)}))
    assert store.runs()[0] == short
    assert [run.seconds for run in store.runs()[1:]] == [float(number) for number in range(20, 60)]


def test_a_job_of_another_version_is_ended_and_the_next_one_runs(store: Store, tiny_plan: ShotPlan) -> None:
    store.add_jobs([job(tiny_plan, "old"), job(tiny_plan, "new")])
    with sqlite3.connect(store._path) as db:
        db.execute("""update jobs set plan = '{"request": {}}' where id = 'old'""")
    assert [found.id for found in store.jobs()] == ["new"]
    claimed = store.claim("cpu")
    assert claimed and claimed.id == "new"
    assert isinstance(store.events("old")[-1][1], Failed)


def order(store: Store) -> list[str]:
    return [job.id for job in reversed(store.jobs("queued"))]


def test_a_queued_job_changes_places_with_its_neighbour_and_stays_at_the_ends(
    store: Store, tiny_plan: ShotPlan
) -> None:
    store.add_jobs([job(tiny_plan, name) for name in ("a", "b", "c")])
    store.move("c", earlier=True)
    assert order(store) == ["a", "c", "b"]
    store.move("a", earlier=False)
    assert order(store) == ["c", "a", "b"]
    store.move("c", earlier=True)
    store.move("b", earlier=False)
    assert order(store) == ["c", "a", "b"]
    claimed = store.claim("cpu")
    assert claimed and claimed.id == "c"


def test_a_running_job_keeps_its_place(store: Store, tiny_plan: ShotPlan) -> None:
    store.add_jobs([job(tiny_plan, "a"), job(tiny_plan, "b")])
    store.claim("cpu")
    store.move("a", earlier=False)
    store.move("b", earlier=True)
    assert [job.id for job in store.jobs()] == ["b", "a"]


def test_a_paused_queue_hands_out_nothing_until_it_goes_on(store: Store, tiny_plan: ShotPlan) -> None:
    store.add_jobs([job(tiny_plan)])
    store.set(PAUSED, "yes")
    assert store.claim("cpu") is None
    store.set(PAUSED, "")
    assert store.claim("cpu")
