"""The test of a card, in its own process: on this CPU and on the pretend card, with small sizes."""

from __future__ import annotations

import getpass
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import APP, BadSetting, CardTest, Engine, MachineProblem, Request
from engine.jobs import card_test
from engine.jobs.scheduler import REPORTED, REPORTED_DEVICES
from engine.planning.cost import Work
from engine.planning.forecast import link_gb, loaded, paces
from engine.planning.planner import plan
from engine.schema import Device, Measured
from engine.schema.machine import Reading
from engine.storage.catalog import Catalog
from tests.accelerator.build import library
from tests.engine.test_placing import machine

CARD = Device(id="pretend:0", kind="pretend", name="a card", vram_gb=24, vram_free_gb=23, compute_capability="8.9")
ON_CPU = {"placements", "formats", "decode", "products", "attention", "memory", "kernels", "disk"}
MEASURED = Measured(products=1e14, attention=5e13, memory_gb=800, kernel_seconds=5e-6, pinned_link_gb=20,
                    pageable_link_gb=9, disk_gb=1.5)  # fmt: skip


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "home") as engine:
        yield engine


def test_a_measurement_replaces_what_was_guessed_of_a_card() -> None:
    card = machine(24).devices[0]
    tested = card.model_copy(update={"measured": MEASURED})
    work = Work(products=1e15, attention=1e15)
    slowest, fastest = (pace.seconds(work) for pace in paces(tested, 8))
    assert fastest < 1e15 / 1e14 + 1e15 / 5e13 < slowest
    assert slowest / fastest < 2.2
    assert (link_gb(tested, pinned=True), link_gb(tested, pinned=False)) == (20, 9)
    assert paces(tested, 8) != paces(card, 8)


def test_a_processor_draws_no_faster_than_it_multiplies_and_a_small_model_far_slower() -> None:
    """As measured on two cores: 0.091 TFLOP/s in products, 0.033 in a render of the Starter."""
    cpu = Device(id="cpu", kind="cpu", name="a CPU", measured=Measured(products=0.091e12, attention=0.1e12))
    slowest, fastest = (pace.seconds(Work(products=192e9)) for pace in paces(cpu, 2))
    assert pytest.approx(fastest) == 192e9 / 0.091e12 and fastest < 5.87 < slowest < 5 * fastest


def test_a_disk_that_was_measured_narrows_how_long_loading_takes() -> None:
    wan = Catalog(APP / "presets" / "models").card("wan2.1-t2v-1.3b")
    made = plan(Request(prompt="a red ball", seed=1, model=wan.id), wan, machine(48))
    guessed, known = (loaded(made, wan, (), "", rate).forecast.loading_seconds for rate in (0.0, 1.5))
    assert known[0] == guessed[0] and known[1] < guessed[1] / 3


def test_a_card_that_was_changed_is_not_counted_as_tested(studio: Engine) -> None:
    card_test.keep(studio.places, CardTest(device=CARD, system="Linux", cpu_count=2, ram_gb=8))
    assert card_test.kept(studio.places, CARD)
    assert not card_test.kept(studio.places, CARD.model_copy(update={"name": "another"}))
    card_test.file_of(studio.places, CARD.id).write_text("{")
    assert not card_test.kept(studio.places, CARD)


def test_what_came_out_wrong_corrects_nothing() -> None:
    wrong = Reading(part="memory", name="copy", ok=False, value=900, unit="GB/s", problem="x")
    assert CardTest(device=CARD, system="", cpu_count=1, ram_gb=1, readings=(wrong,)).measured == Measured()


def test_an_unknown_part_is_refused_before_anything_starts(studio: Engine) -> None:
    with pytest.raises(BadSetting, match="speed is no part of the test"):
        list(studio.test_card("cpu", ("speed",)))
    assert not studio.machine.card_tests()


def test_a_test_that_dies_says_so_and_keeps_what_it_had_read(studio: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    code = 'import json; print(json.dumps({"reading": {"part": "disk", "name": "read", "ok": True, "value": 2.5, ' \
           '"unit": "GB/s"}})); import sys; sys.exit("/home/somebody/x: CUDA error: unknown error")'  # fmt: skip
    monkeypatch.setattr(card_test, "command", lambda *given: [sys.executable, "-c", code])
    with pytest.raises(MachineProblem) as dead:
        list(studio.test_card("cpu"))
    assert "unknown error" in dead.value.detail
    assert studio.machine.hardware().disk_gb == 2.5 and not studio.machine.card_tests()[0].done


def test_a_part_that_is_tested_again_leaves_the_others(studio: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for part, value in (("disk", 2.5), ("kernels", 7.0), ("disk", 3.5)):
        line = '{"reading": {"part": "%s", "name": "%s", "ok": true, "value": %s}}'
        said = line % (part, {"disk": "read", "kernels": "start"}[part], value)
        monkeypatch.setattr(card_test, "command", lambda *given, said=said: [sys.executable, "-c", f"print({said!r})"])
        list(studio.test_card("cpu", (part,)))
    measured = studio.machine.hardware().devices[-1].measured
    assert measured and (measured.disk_gb, measured.kernel_seconds) == (3.5, 7e-6)


@pytest.mark.slow
def test_the_processor_is_tested_and_its_forecast_counts_with_that(studio: Engine) -> None:
    asked = Request(prompt="a red ball", model="starter", seed=1)
    before = studio.plan(asked).forecast.render_seconds
    found = list(studio.test_card("cpu", small=True))
    assert {reading.part for reading in found} == ON_CPU and not [reading for reading in found if not reading.ok]
    (test,) = studio.machine.card_tests()
    assert test.readings == tuple(found) and test.versions["torch"] and test.done
    measured = studio.machine.hardware().devices[-1].measured
    assert measured and measured.products and measured.attention and measured.disk_gb
    after = studio.plan(asked).forecast.render_seconds
    # the faster end is measured; what small models reach stays a guess, which a test can only shorten
    assert after[0] != before[0] and after[1] <= before[1]
    assert "the test of the card" in studio.plan(asked).forecast.basis
    sent = card_test.file_of(studio.places, "cpu").read_text()
    assert not [name for name in (getpass.getuser(), platform.node(), str(studio.places.home)) if f'"{name}' in sent]


@pytest.mark.slow
@pytest.mark.skipif(library() is None, reason="there is no C++ compiler to build the pretend card with")
def test_every_placement_runs_on_a_card(studio: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(CARD.model_dump_json())
    plain, process = card_test.command, ["tests.accelerator.card_tester", str(tmp_path / "card.json")]
    monkeypatch.setattr(card_test, "command", lambda *given: [*plain(*given)[:2], *process, *plain(*given)[3:]])
    studio.store.set(REPORTED, REPORTED_DEVICES.dump_json((CARD,)).decode())
    parts = ("placements", "memory", "link", "pinned")
    found = list(studio.test_card(parts=parts, small=True))
    assert not [reading for reading in found if not reading.ok]
    assert {reading.part for reading in found} == set(parts)
    names = {reading.name for reading in found if reading.part == "placements"}
    assert {"resident", "model offload", "group offload, page-locked", "model offload, VAE on the CPU"} <= names
    peaks = {reading.name: reading.value for reading in found if reading.name.endswith("peak")}
    assert 0 < peaks["group offload, page-locked, peak"] < peaks["resident, peak"]  # type: ignore[operator]
