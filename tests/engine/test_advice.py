"""What can this machine do: honest rows for every model, something that fits where the request does not, two picks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import APP, Engine, HardwareProfile, Overrides, Request, ShotPlan
from engine.planning.planner import plan
from engine.planning.recommendations import RUNS, Planner, instead, recommend, table
from engine.storage.catalog import Catalog, machines

CARDS = Catalog(APP / "presets" / "models").cards
MACHINES = machines(APP / "presets" / "machines")


def planner(machine: str) -> Planner:
    def planned(request: Request, other: HardwareProfile | None) -> ShotPlan:
        return plan(request, CARDS[request.model], other or MACHINES[machine])

    return planned


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("home")) as engine:
        yield engine


def test_the_table_has_a_row_for_every_model_machine_and_outcome(studio: Engine) -> None:
    some = {name: MACHINES[name] for name in ("cpu-16gb", "rtx-3060", "h100-80gb")}
    rows = list(table(studio.plan, studio.models.cards(), some))
    able = [card for card in studio.models.cards() if not card.not_yet]
    assert len({(row.model, row.hardware, row.outcome) for row in rows}) == len(rows) == len(able) * 9
    assert all(row.reasons and row.basis for row in rows), [row for row in rows if not row.basis]
    assert all("estimated" in row.basis for row in rows)


def test_what_does_not_fit_gets_something_that_does() -> None:
    cards = list(CARDS.values())
    request = Request(prompt="a red ball", model="hunyuanvideo-t2v-13b", seed=1, aspect="wide", num_frames=129,
                      render=Overrides(width=1280, height=1280))  # fmt: skip
    planned = planner("rtx-3070")
    assert planned(request, None).forecast.verdict not in RUNS
    found = instead(planned, request, cards)
    assert any("instead of" in suggestion.text for suggestion in found)
    assert any("Another model" in suggestion.text for suggestion in found)
    for suggestion in found:
        assert planned(suggestion.request, None).forecast.verdict in RUNS


def test_a_recorded_machine_gets_what_would_run_there(studio: Engine) -> None:
    request = Request(prompt="a red ball", model="wan2.1-t2v-14b", seed=1, aspect="wide")
    assert studio.planning.instead(request, MACHINES["h100-80gb"]) == []
    laptop = MACHINES["rtx-4060-laptop"].model_copy(update={"ram_gb": 8.0, "ram_free_gb": 6.0})
    found = studio.planning.instead(request, laptop)
    assert found and all(studio.plan(one.request, laptop).forecast.verdict in RUNS for one in found)


def test_a_model_for_which_the_disk_has_no_room_says_so(studio: Engine) -> None:
    full = MACHINES["h100-80gb"].model_copy(update={"disk_free_gb": 500.0, "models_disk_free_gb": 20.0})
    asked = Request(prompt="a red ball", model="wan2.1-t2v-14b", seed=1)
    assert "20 GB are free on the disk for models" in studio.plan(asked, full).reasons[0]
    roomy = full.model_copy(update={"models_disk_free_gb": None})
    assert not any("free on the disk" in reason for reason in studio.plan(asked, roomy).reasons)


def test_what_fits_is_left_alone() -> None:
    assert (
        instead(planner("h100-80gb"), Request(prompt="a", model="wan2.1-t2v-1.3b", seed=1), list(CARDS.values())) == []
    )


@pytest.mark.parametrize("machine", MACHINES)
def test_the_picks_run_and_the_quick_one_is_the_quicker(machine: str) -> None:
    planned = planner(machine)
    picks = recommend(planned, CARDS.values())
    assert [pick.what_for for pick in picks] in ([], ["quick tries", "best results"])
    for pick in picks:
        made = planned(Request(prompt="a", model=pick.model, seed=1, aspect="wide"), None)
        assert made.forecast.verdict in RUNS and pick.licence and pick.download_gb > 0
    if picks:
        assert picks[0].seconds[0] <= picks[1].seconds[1]


def test_this_machine_is_told_from_the_front_door(studio: Engine) -> None:
    assert {row.hardware for row in studio.planning.table()} == {"this machine"}
    assert studio.planning.instead(Request(prompt="a red ball", model="starter")) == []


def test_kinds_of_machines_are_data_that_can_be_read(tmp_path: Path) -> None:
    assert len(MACHINES) >= 16 and machines(tmp_path) == {}
    assert all("Constructed" in " ".join(machine.notes) for machine in MACHINES.values())
