"""A redraw of the code changes nothing that programs, files and data folders see. `tests/golden/` says what that is."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, Look, Preset, Tier, as_request, read_recipe
from tests.golden import record


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return record.copy_of_home(tmp_path)


def kept(name: str) -> Any:
    return json.loads((record.HERE / name).read_text(encoding="utf-8"))


def test_each_model_is_planned_as_before_on_each_kind_of_machine(home: Path) -> None:
    before = (record.HERE / "plans.txt").read_text(encoding="utf-8").splitlines()
    known = {line.split()[0] for line in before}  # a model that came since was not planned before
    assert [line for line in record.plans(home) if line.split()[0] in known] == before


def test_the_endpoints_of_the_page_are_as_before(home: Path) -> None:
    assert json.loads(record.written(record.endpoints(home))) == kept("endpoints.json")


def test_the_mcp_tools_are_as_before(home: Path) -> None:
    assert json.loads(record.written(record.tools(home))) == kept("tools.json")


def test_the_events_of_a_job_have_the_same_form() -> None:
    assert json.loads(record.written(record.events())) == kept("events.json")


@pytest.mark.slow
def test_the_commands_that_look_tell_the_same_json(home: Path) -> None:
    assert record.documents(home) == kept("documents.json")


@pytest.mark.slow
def test_a_take_has_the_same_recipe(home: Path) -> None:
    assert record.take(home) == kept("take.json")


def test_a_data_folder_of_version_0_1_0_opens_with_all_that_is_in_it(home: Path) -> None:
    with Engine(home) as engine:
        takes, clips = engine.library.takes(), engine.library.clips()
        assert (len(takes), len(clips)) == (5, 3)
        assert sum(bool(clip.recipe.stretches) for clip in clips) == 1
        assert Counter(job.state for job in engine.store.jobs()) == {"finished": 9, "failed": 1, "queued": 1}
        (lora,) = engine.loras.kept()
        assert lora.licence == "CC-BY-4.0" and engine.queue.paused
        own = [(Preset, "evening-ball"), (Look, "my-noir"), (Tier, "night-shift")]
        assert all(engine.presets.get(kind, name) for kind, name in own) and not engine.presets.problems()
        for one in (*takes, *clips):
            assert read_recipe(Path(one.video)) == one.recipe and as_request(one.recipe)
