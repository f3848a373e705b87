"""A recipe from a stranger can ask for what a person could ask for, and for nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import BadFile, BadInput, Engine, Recipe, as_request, read_recipe
from engine.types import Plan

Recipes = Callable[..., Path]


@pytest.fixture
def recipe(tiny_plan: Plan, tmp_path: Path) -> Recipes:
    """Writes a recipe file, with changes by dotted name."""
    whole = Recipe(kind="render", id="a", plan=tiny_plan, seconds=1, versions={}, created="2026-01-01T00:00:00Z")

    def write(**changes: Any) -> Path:
        document = json.loads(whole.model_dump_json())
        for name, value in changes.items():
            place = document
            *way, last = name.split("__")
            for step in way:
                place = place[step]
            place[last] = value
        path = tmp_path / "recipe.json"
        path.write_text(json.dumps(document))
        return path

    return write


def test_a_recipe_comes_back_as_the_same_plan(recipe: Recipes, tiny_home: Path) -> None:
    found = read_recipe(recipe())
    with Engine(tiny_home) as studio:
        again = studio.plan(as_request(found))
    for field in ("seed", "take", "render", "sigma", "model", "placement", "negative_prompt", "max_tokens"):
        assert getattr(again, field) == getattr(found.plan, field)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("plan__request__prompt", "a ball\x00"),
        ("plan__request__prompt", ""),
        ("plan__request__prompt", "a" * 100_000),
        ("plan__seed", -1),
        ("plan__seed", 2**70),
        ("plan__request__model", "../../../etc"),
        ("plan__request__model", "nonesuch"),
        ("plan__take__width", 10**9),
        ("plan__render__height", -5),
        ("plan__take__num_frames", 10**6),
        ("plan__render__num_inference_steps", 10**8),
        ("plan__sigma", 50.0),
        ("plan__take__guidance_scale", float("nan")),
        ("plan__request__pictures", {"image": "../../secret"}),
        ("plan__request__pictures", {"/etc/passwd": "0" * 32}),
        ("plan__request__videos", {"video": "../../secret"}),
        ("plan__request__videos", {"video": "0" * 32}),
        ("plan__request__references", ["/etc/passwd"]),
        ("plan__request__references", ["0" * 32] * 9),
        ("plan__request__keyframes", {"-1": "0" * 32}),
        ("plan__request__keyframes", {"all": "0" * 32}),
        ("plan__request__fit", "stretch"),
        ("plan__request__strength", 1e9),
        ("plan__request__surprise", "x"),
        ("surprise", "x"),
        ("format", 99),
        ("plan", "text"),
        ("versions", [[[[]]]]),
    ],
)
def test_what_is_out_of_range_is_refused_and_nothing_is_queued(
    name: str, value: Any, recipe: Recipes, tiny_home: Path
) -> None:
    path = recipe(**{name: value})
    with Engine(tiny_home) as studio:
        before = len(studio.store.jobs())
        with pytest.raises(BadInput) as refusal:
            studio.make_takes(as_request(read_recipe(path)))
        assert len(studio.store.jobs()) == before
    assert len(refusal.value.cause) < 600 and refusal.value.remedy


def test_a_recipe_cannot_hand_arguments_to_the_pipeline(recipe: Recipes, tiny_home: Path) -> None:
    found = read_recipe(recipe(plan__take__arguments={"output_type": "pil", "attention_kwargs": "x"}))
    with Engine(tiny_home) as studio:
        assert studio.plan(as_request(found)).take.arguments == {}


def test_a_recipe_cannot_choose_its_licence_or_its_device(recipe: Recipes, tiny_home: Path) -> None:
    found = read_recipe(recipe(plan__licence="yours to sell", plan__placement__device="cuda:9"))
    with Engine(tiny_home) as studio:
        made = studio.plan(as_request(found))
    assert made.licence.startswith("Apache-2.0") and made.placement.device == "cpu"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "null", "[]", '"text"', "{", "1e999", " " * 300_000])
def test_a_bomb_is_no_recipe(text: str, tmp_path: Path) -> None:
    (tmp_path / "bomb.json").write_text(text)
    with pytest.raises(BadFile):
        read_recipe(tmp_path / "bomb.json")
