"""The trash: what is thrown away leaves the library whole, and comes back whole."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine import Clip, Engine, Recipe, Request, Take
from engine.schema.errors import InUse, UnknownName
from engine.storage.library import TAKE_FILES

TAKE, CLIP = "20260101-120000-a-red-ball-ab12", "20260101-120100-a-red-ball-cd34"


@pytest.fixture
def full(tmp_path: Path) -> Engine:
    """A library with one take and one clip."""
    engine = Engine(tmp_path)
    plan = engine.plan(Request(prompt="a red ball", seed=1))
    recipe = Recipe(kind="take", id=TAKE, plan=plan, seconds=1, versions={}, created="2026-01-01T12:00:00Z")
    folder = engine.places.takes / TAKE
    folder.mkdir()
    for name in TAKE_FILES:
        (folder / name).write_text(recipe.model_dump_json() if name.endswith(".json") else name)
    clip = recipe.model_copy(update={"kind": "render", "id": CLIP})
    for suffix in ("mp4", "json", "jpg"):
        (engine.places.clips / f"{CLIP}.{suffix}").write_text(clip.model_dump_json())
    return engine


def content(home: Path) -> dict[str, str]:
    names = ("takes", "clips")
    return {str(p.relative_to(home)): p.read_text() for n in names for p in (home / n).rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", [TAKE, CLIP])
def test_what_is_thrown_away_leaves_the_library_and_comes_back_as_it_was(full: Engine, name: str) -> None:
    before = content(full.places.home)
    full.library.trash.throw(full.library.take(name) if name == TAKE else full.library.clip(name))
    assert name not in json.dumps(content(full.places.home))
    assert full.library.trash.bytes() > 0
    full.library.trash.take_back(name)
    assert content(full.places.home) == before


def test_an_emptied_trash_gives_nothing_back(full: Engine) -> None:
    full.library.trash.throw(full.library.take(TAKE))
    full.library.trash.empty()
    assert full.library.trash.bytes() == 0
    with pytest.raises(UnknownName):
        full.library.trash.take_back(TAKE)


@pytest.mark.parametrize("name", ["../clips", "..", "", "/etc", "a/b", "nothing"])
def test_only_a_name_in_the_trash_comes_back(full: Engine, name: str) -> None:
    before = content(full.places.home)
    with pytest.raises(UnknownName):
        full.library.trash.take_back(name)
    assert content(full.places.home) == before


def test_what_is_in_the_trash_is_listed_with_its_kind_size_and_time(full: Engine) -> None:
    before = sum(len(text) for name, text in content(full.places.home).items() if CLIP in name)
    os.utime(full.places.takes / TAKE, (0, 0))  # a folder that moves keeps its time, and this is not when it was made
    full.library.trash.throw(full.library.take(TAKE))
    full.library.trash.throw(full.library.clip(CLIP))
    found = {item.id: item for item in full.library.trash.items()}
    assert {name: item.kind for name, item in found.items()} == {TAKE: "take", CLIP: "clip"}
    assert found[CLIP].bytes == before and full.library.trash.bytes() == sum(item.bytes for item in found.values())
    for item in found.values():
        assert abs((datetime.now(UTC) - datetime.fromisoformat(item.deleted)).total_seconds()) < 60
        assert item.recipe and item.recipe.plan.request.prompt == "a red ball"


def test_one_goes_for_good_and_the_other_stays(full: Engine) -> None:
    full.library.trash.throw(full.library.take(TAKE))
    full.library.trash.throw(full.library.clip(CLIP))
    size = next(item.bytes for item in full.library.trash.items() if item.id == TAKE)
    assert full.library.trash.empty(TAKE) == size
    assert [item.id for item in full.library.trash.items()] == [CLIP]
    with pytest.raises(UnknownName):
        full.library.trash.empty(TAKE)


@pytest.mark.parametrize("name", [TAKE, CLIP])
def test_nothing_is_brought_back_over_its_like(full: Engine, name: str) -> None:
    mine = full.library.take(name) if name == TAKE else full.library.clip(name)
    full.library.trash.throw(mine)
    there = full.places.takes / TAKE / "take.mp4" if name == TAKE else full.places.clips / f"{CLIP}.mp4"
    there.parent.mkdir(exist_ok=True)
    there.write_text("another")
    with pytest.raises(InUse, match="cannot be brought back"):
        full.library.trash.take_back(name)
    assert there.read_text() == "another" and [item.id for item in full.library.trash.items()] == [name]


def test_a_clip_that_was_taken_back_by_half_comes_back_whole(full: Engine) -> None:
    before = content(full.places.home)
    full.library.trash.throw(full.library.clip(CLIP))
    (full.places.trash / CLIP / f"{CLIP}.json").replace(full.places.clips / f"{CLIP}.json")
    full.library.trash.take_back(CLIP)
    assert content(full.places.home) == before


def test_what_is_damaged_in_the_trash_is_listed_and_goes(full: Engine) -> None:
    (full.places.trash / "broken").mkdir()
    (full.places.trash / "broken" / "take.json").write_text("{")
    (item,) = full.library.trash.items()
    assert (item.id, item.bytes, item.recipe) == ("broken", 1, None)
    assert full.library.trash.empty() == 1 and full.library.trash.items() == []


@pytest.mark.parametrize("name", [TAKE, CLIP])
def test_a_favourite_stays_one_through_a_restart_and_the_trash(full: Engine, name: str) -> None:
    def there(engine: Engine) -> Take | Clip:
        return engine.library.take(name) if name == TAKE else engine.library.clip(name)

    assert not there(full).favourite
    full.library.mark(there(full), favourite=True)
    assert there(Engine(full.places.home)).favourite and full.library.unreadable() == []
    full.library.trash.throw(there(full))
    full.library.trash.take_back(name)
    assert there(full).favourite
    full.library.mark(there(full), favourite=False)
    full.library.mark(there(full), favourite=False)
    assert not there(full).favourite
