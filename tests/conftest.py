"""Shared ground: a data folder with a tiny random model in it, and an engine over it. Nothing here is a mock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine import APP, Engine, HardwareProfile, Request
from engine.schema import Device, ShotPlan
from engine.schema.card import ModelCard
from engine.storage.catalog import Catalog, read_card

TESTS = Path(__file__).parent
PROCESS_BYTES = 3_000_000_000  # a test process, its worker, its page and its browser
PROMPT = "a red ball rolls to the left on a blue background"
os.environ.pop("RUSHES_HOME", None)  # no test may touch a person's own data
# Torch's threads wait asleep, as in a worker, and test processes that share the cores take one thread each: spinning
# for each other, the families' tests took 99 s instead of 59 (2 processes, 2 cores). Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One for each core, where there is memory for so many; a file that is named alone needs no second process."""
    named = {Path(argument.partition("::")[0]) for argument in config.args}
    if len(named) == 1 and named.pop().suffix == ".py":
        return 0
    return max(1, min(os.cpu_count() or 1, psutil.virtual_memory().available // PROCESS_BYTES))


def is_journey(item: Any) -> bool:
    """The slow tests of what a person meets, and every test with a house, which is really set up."""
    inside = item.path.relative_to(TESTS).parts[0] in ("engine", "accelerator", "starter")
    return "house" in item.fixturenames or (item.get_closest_marker("slow") is not None and not inside)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Fast tests first; those of a whole grid only when they are asked for."""
    for item in filter(is_journey, items):
        item.add_marker("journey")
    if "grid" not in config.option.markexpr:
        items[:] = [item for item in items if item.get_closest_marker("grid") is None]
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write the tables of a grid that was walked."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    cells = [dict(report.user_properties) for report in reports if report.when == "call" and report.user_properties]
    expression = terminalreporter.config.option.markexpr
    if cells and "grid" in expression and "not grid" not in expression:
        from tests.accelerator import table

        table.write(cells)


@pytest.fixture
def card() -> ModelCard:
    return Catalog(APP / "presets" / "models").card("starter")


@pytest.fixture
def machine() -> HardwareProfile:
    cpu = Device(id="cpu", name="test CPU")
    return HardwareProfile(system="Linux", devices=(cpu,), cpu_count=2, ram_gb=16, ram_free_gb=12, page_file_gb=4,
                           disk_free_gb=100)  # fmt: skip


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the tiny model `tiny-wan`, known by a card of the person's own: one file and no code."""
    from tests.tiny import wan

    home = tmp_path_factory.mktemp("home")
    wan.build(home / "models" / "tiny-wan")
    card = (APP / "presets" / "models" / "starter.toml").read_text().replace('id = "starter"', 'id = "tiny-wan"')
    (home / "presets" / "models").mkdir(parents=True)
    (home / "presets" / "models" / "tiny-wan.toml").write_text(card)
    read_card(home / "presets" / "models" / "tiny-wan.toml")
    return home


@pytest.fixture(scope="module")
def studio(tiny_home: Path) -> Iterator[Engine]:
    """A started engine over the tiny home, its worker warm between the tests of a module."""
    with Engine(tiny_home) as engine:
        engine.start()
        yield engine


@pytest.fixture
def tiny_plan(tiny_home: Path) -> ShotPlan:
    with Engine(tiny_home) as engine:
        return engine.plan(Request(prompt=PROMPT, model="tiny-wan", seed=1))
