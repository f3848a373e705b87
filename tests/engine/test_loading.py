"""A model that is not warm has to come from the disk first: the forecast counts that, and learns how fast it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import APP, Engine, Finished, Overrides, Request
from engine.planning.forecast import SECONDS_AT_LEAST, SECONDS_PER_GB, loaded
from engine.planning.planner import plan
from engine.schema import Run, ShotPlan
from engine.schema.card import ModelCard
from engine.storage.catalog import Catalog
from tests.engine.test_placing import machine

WAN = Catalog(APP / "presets" / "models").card("wan2.1-t2v-1.3b")
READER_GB = WAN.components["text_encoder"].size_gb
FAST, SLOW = SECONDS_PER_GB
SOON, LATE = SECONDS_AT_LEAST
Range = tuple[float, float]


@pytest.fixture
def made() -> ShotPlan:
    return plan(Request(prompt="a red ball", seed=1, model=WAN.id), WAN, machine(48))


def loading(made: ShotPlan, card: ModelCard = WAN, runs: tuple[Run, ...] = (), warm: str = "") -> Range:
    return loaded(made, card, runs, warm).forecast.loading_seconds


def test_a_cold_model_costs_its_bytes_over_the_rate_of_a_disk_with_or_without_its_text_encoder(made: ShotPlan) -> None:
    assert loading(made) == pytest.approx(
        (SOON + (WAN.size_gb - READER_GB) * FAST, LATE + WAN.size_gb * SLOW), abs=0.06
    )


def test_a_warm_model_costs_nothing_and_one_of_another_kind_does(made: ShotPlan) -> None:
    assert loading(made, warm=made.loads) == (0, 0)
    smaller = made.model_copy(update={"placement": made.placement.model_copy(update={"precision": "nf4"})})
    tiled = made.model_copy(update={"placement": made.placement.model_copy(update={"vae_tiling": True})})
    assert loading(smaller, warm=made.loads) == loading(made) and loading(tiled, warm=made.loads) == (0, 0)


def test_a_text_encoder_that_was_dropped_comes_again_for_new_words(made: ShotPlan) -> None:
    placement = made.placement.model_copy(update={"text_encoder": "dropped"})
    dropping = made.model_copy(update={"placement": placement})
    assert loading(dropping, warm=dropping.loads) == pytest.approx((0, LATE + READER_GB * SLOW), abs=0.06)


def test_a_stage_that_starts_now_takes_both(made: ShotPlan) -> None:
    cold = loaded(made, WAN, (), "")
    for stage, drawing in (("take", cold.forecast.take_seconds), ("render", cold.forecast.render_seconds)):
        both = [sum(ends) for ends in zip(drawing, cold.forecast.loading_seconds, strict=True)]
        assert cold.seconds(stage) == pytest.approx(both, abs=0.002)  # type: ignore[arg-type]
        assert cold.when_warm.seconds(stage) == drawing  # type: ignore[arg-type]


def test_what_this_machine_took_to_load_takes_over(made: ShotPlan) -> None:
    seconds = 0.5 * WAN.size_gb
    run = Run(model=WAN.id, stage="take", device="cuda:0", operations=1, seconds=9, ram_gb=1, loading_seconds=seconds,
              loaded_gb=WAN.size_gb)  # fmt: skip
    low, high = loading(made, runs=(run,) * 5)
    assert low <= seconds <= high < 1.5 * seconds
    other = run.model_copy(update={"model": "another"})
    assert loading(made, runs=(other,) * 5)[1] > high
    tiny = other.model_copy(update={"loaded_gb": 0.01, "loading_seconds": 3.0})  # says nothing about the disk
    assert loading(made, runs=(tiny,) * 5) == loading(made)
    elsewhere = run.model_copy(update={"device": "cpu"})
    assert loading(made, runs=(elsewhere,) * 5) == loading(made)


# ---- through the real worker ----


@pytest.fixture(scope="module")
def studio(tiny_home: Path) -> Iterator[Engine]:
    with Engine(tiny_home) as engine:
        engine.start()
        yield engine


@pytest.mark.slow
def test_the_engine_knows_what_is_warm_and_remembers_what_loading_took(studio: Engine) -> None:
    quick = Overrides(num_inference_steps=2)
    words = "words that no other test speaks, so that the text encoder is loaded too"
    request = Request(prompt=words, model="tiny-wan", num_frames=5, seed=1, take=quick, render=quick)
    jobs = studio.make_takes(request, 2)
    assert jobs[1].plan.forecast.loading_seconds == (0, 0)  # the first one brings the model
    ends = [list(studio.watch(job.id))[-1] for job in jobs]
    assert all(isinstance(end, Finished) for end in ends)
    cold, warm = studio.store.runs()[-2:]
    weights = sum(file.stat().st_size for file in (studio.places.models / "tiny-wan").rglob("*.safetensors")) / 1e9
    assert cold.loading_seconds > 0 and cold.loaded_gb == pytest.approx(weights, rel=0.01)
    assert (warm.loading_seconds, warm.loaded_gb) == (0, 0)
    assert studio.machine.hardware().loaded_on("cpu") == studio.plan(request).loads
    with Engine(studio.places.home) as guest:  # a command beside the studio
        assert guest.machine.hardware().loaded_on("cpu") == guest.plan(request).loads
    studio.let_go()
    assert studio.machine.hardware().loaded_on("cpu") == ""
