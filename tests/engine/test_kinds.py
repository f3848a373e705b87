"""A kind of work that nothing else knows of: it runs, stops, dies and goes on, is forecast, asked for less memory, is
shown on the page and refused, and its whole code is in this file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import psutil
import pytest

from engine import Engine, Failed, Finished, Job
from engine.jobs.kinds import DONE, Kind, Planning, Rooms, kind_of, new_job, register
from engine.planning.forecast import corrected
from engine.planning.memory_fallback import FallbackStep
from engine.schema import Forecast, FrozenModel, Placement, Plan, Shortage, Stage, Work
from engine.schema.errors import BadSetting
from engine.schema.events import Adjusted, Cancelled, NeedsConsent, Progress
from engine.schema.message import Message
from engine.storage.library import STATE
from tests.engine.test_worker import ended
from ui.page.model.snapshot import look
from ui.page.screens.queue import line

WAIT_SECONDS = 0.05  # a step


class CountRequest(FrozenModel):
    """Count to a number; `at_most`: how much of that memory has room for."""

    number: int
    at_most: int = 10**6


class CountPlan(Plan):
    form: Literal["count"] = "count"
    number: int
    at_most: int
    expected: tuple[float, float]

    @property
    def title(self) -> str:
        return f"to {self.number}"

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Fingers, then toes."""
        half, (low, high) = self.number // 2, self.expected
        each: dict[str, Any] = {"seconds": (low / 2, high / 2), "estimated_seconds": half * WAIT_SECONDS}
        return tuple(Stage(name=name, steps=half, operations=half, **each) for name in ("fingers", "toes"))


class CountKind(Kind):
    name, performer = "count", "tests.engine.test_kinds:perform"
    label, heading = "Counting", "It is being counted"

    def jobs(self, request: Any, asked: Planning) -> list[Job]:
        assert isinstance(request, CountRequest)
        if request.number < 2:
            raise BadSetting(f"There is nothing to count up to {request.number}.", "Choose 2 or more.")
        runs = [run.slowness for run in asked.rooms.store.runs() if run.stage == self.name and run.estimated_seconds]
        guess = request.number * WAIT_SECONDS
        expected = corrected((guess / 2, guess * 2), runs, [])
        basis = f"from {len(runs)} runs on this machine" if runs else "estimated"
        forecast = Forecast(verdict="comfortable", vram_gb=0, ram_gb=0.1, disk_gb=0, download_gb=0, basis=basis)
        place = Placement(device="cpu", kind="cpu", dtype="float32", precision="full", offload="resident")
        plan = CountPlan(
            placement=place, forecast=forecast, number=request.number, at_most=request.at_most, expected=expected
        )
        return [new_job(self, self.name, plan)]

    def again(self, job: Job) -> FrozenModel:
        assert isinstance(job.plan, CountPlan)
        return CountRequest(number=job.plan.number, at_most=job.plan.at_most)

    def step_down(self, job: Job, shortage: tuple[Shortage, Work], rooms: Rooms) -> FallbackStep | None:
        plan = job.plan
        assert isinstance(plan, CountPlan)
        if plan.number == plan.at_most:
            return None
        change = Message("It is counted to {number}.", number=plan.at_most)
        smaller = plan.but(number=plan.at_most, adjusted=(*plan.adjusted, change))
        return FallbackStep(smaller, change, alters=True)


def perform(runner: Any, job: Job, watch: Any) -> Finished:
    """In the worker: every number is a step, and is saved."""
    plan, folder, started = job.plan, runner.artifacts / job.id, time.perf_counter()
    assert isinstance(plan, CountPlan)
    watch.doing = "denoising"
    state = folder / STATE
    begun = int(state.read_text()) if state.is_file() else 0
    for number in range(begun, plan.number):
        watch.check()
        if number >= plan.at_most:
            raise MemoryError
        time.sleep(WAIT_SECONDS)
        state.write_text(str(number + 1))
        watch.emit(Progress(phase="sampling", step=number + 1, steps=plan.number))
    state.unlink()
    (folder / DONE).write_text(json.dumps({"counted": plan.number, "begun": begun}))
    return Finished(result_id=job.id, seconds=time.perf_counter() - started, resumed=begun > 0)


register(CountKind())
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Engine(tmp_path_factory.mktemp("home")) as engine:
        engine.start()
        yield engine


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < end, "it never came so far"
        time.sleep(0.02)


def result(studio: Engine, job: Job) -> dict[str, int]:
    found: dict[str, int] = json.loads((kind_of("count").result(job, studio.rooms) / DONE).read_text())
    return found


def under_way(studio: Engine, job: Job) -> int:
    """The step that it has reached, as soon as it has reached one."""

    def reached() -> int:
        events = [event for _, event in studio.store.events(job.id)]
        return max((event.step for event in events if isinstance(event, Progress)), default=0)

    until(lambda: reached() > 0)
    return reached()


def test_it_runs_and_the_next_one_is_forecast_by_it(studio: Engine) -> None:
    (first,) = studio.submit("count", CountRequest(number=10))
    assert isinstance(ended(studio, first), Finished) and result(studio, first) == {"counted": 10, "begun": 0}
    assert not first.plan.forecast.measured and studio.is_there(first)
    (second,) = studio.submit("count", CountRequest(number=10))
    assert second.plan.forecast.measured
    low, high = second.plan.seconds("count")
    assert low <= 10 * WAIT_SECONDS * 1.5 and high >= 10 * WAIT_SECONDS
    assert isinstance(ended(studio, second), Finished)


def test_it_stops_within_a_step_and_leaves_nothing(studio: Engine) -> None:
    (job,) = studio.submit("count", CountRequest(number=1000))
    under_way(studio, job)
    studio.stop(job.id)
    assert isinstance(ended(studio, job), Cancelled)
    assert not studio.library.workspace(job.id).exists() and not studio.is_there(job)


def test_a_worker_that_dies_under_it_goes_on_where_it_stood(studio: Engine) -> None:
    (job,) = studio.submit("count", CountRequest(number=60))
    assert under_way(studio, job)
    psutil.Process(studio._lanes[0].worker.pid).kill()  # type: ignore[attr-defined]
    end = ended(studio, job)
    assert isinstance(end, Finished) and end.resumed and result(studio, job)["begun"] > 0


def test_it_waits_in_the_queue_over_a_restart_and_is_asked_for_again(tmp_path: Path) -> None:
    with Engine(tmp_path) as before:
        (job,) = before.submit("count", CountRequest(number=4))
    with Engine(tmp_path) as after:
        assert after.store.job(job.id).plan == job.plan
        after.start()
        assert isinstance(ended(after, job), Finished)
        (again,) = after.retry(job.id)
        assert again.plan.model_dump(exclude={"forecast", "expected"}) == job.plan.model_dump(
            exclude={"forecast", "expected"}
        )
        assert isinstance(ended(after, again), Finished)


def test_where_memory_runs_out_it_asks_and_goes_on_with_less_after_a_yes(studio: Engine) -> None:
    (job,) = studio.submit("count", CountRequest(number=8, at_most=4))
    until(lambda: studio.store.job(job.id).state == "asking")
    (question,) = [event for _, event in studio.store.events(job.id) if isinstance(event, NeedsConsent)]
    assert "counted to 4" in question.question and isinstance(question.plan, CountPlan)
    studio.answer(job.id, yes=True)
    assert isinstance(ended(studio, job), Finished) and result(studio, job)["counted"] == 4
    assert any(isinstance(event, Adjusted) for _, event in studio.store.events(job.id))


def test_what_it_cannot_do_is_refused_with_a_remedy(studio: Engine) -> None:
    with pytest.raises(BadSetting) as refused:
        studio.submit("count", CountRequest(number=1))
    assert refused.value.remedy == "Choose 2 or more."


def test_the_page_shows_it_while_it_waits_runs_and_has_ended(studio: Engine) -> None:
    studio.queue.pause(True)
    (job,) = studio.submit("count", CountRequest(number=1000))
    assert "Counting" in line(look(studio)) and "to 1000" in line(look(studio))
    studio.queue.pause(False)
    under_way(studio, job)
    assert "It is being counted" in line(look(studio))
    studio.stop(job.id)
    assert isinstance(ended(studio, job), Cancelled | Failed)
    assert 'data-state="cancelled"' in line(look(studio))
