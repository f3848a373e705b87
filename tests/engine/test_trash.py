"""The trash: what is thrown away leaves the library whole, and comes back whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import Engine, Recipe, Request
from engine.schema.errors import UnknownName
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
    full.library.throw_away(full.library.take(name) if name == TAKE else full.library.clip(name))
    assert name not in json.dumps(content(full.places.home))
    assert full.library.trash_bytes() > 0
    full.library.take_back(name)
    assert content(full.places.home) == before


def test_an_emptied_trash_gives_nothing_back(full: Engine) -> None:
    full.library.throw_away(full.library.take(TAKE))
    full.library.empty_trash()
    assert full.library.trash_bytes() == 0
    with pytest.raises(UnknownName):
        full.library.take_back(TAKE)


@pytest.mark.parametrize("name", ["../clips", "..", "", "/etc", "a/b", "nothing"])
def test_only_a_name_in_the_trash_comes_back(full: Engine, name: str) -> None:
    before = content(full.places.home)
    with pytest.raises(UnknownName):
        full.library.take_back(name)
    assert content(full.places.home) == before
