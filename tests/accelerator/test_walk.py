"""Every family in every placement on the pretend card, through everything a person does: as on the CPU, to a level.

    python3 bootstrap.py -m pytest -m grid       the whole table, an hour and more; writes benchmarks/results/walk.md

What runs otherwise is a choice in which every family, every placement and every action is there at least once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.accelerator.pretend import CARDS
from tests.accelerator.walk import ACTIONS, CASES, OTHERS, WAYS, steps

# One case of each family module, and one of each pipeline that is run in a way of its own; the placements take turns.
CHOSEN = ("wan-2.1", "wan-2.2-5b", "wan-vace-repaint", "wan-animate", "ltx", "ltx-2", "mochi", "cogvideox",
          "hunyuan-video", "hunyuan-video-1.5-image", "framepack", "kandinsky-5-image", "wan-2.2-moe",
          "wan-2.2-5b-image")  # fmt: skip
TURNS = list(zip(CHOSEN, WAYS, strict=True))
# The kinds of fault that were found here once, each where it was.
FAULTS = [("ltx", "model", "switched"), ("wan-2.2-5b", "model", "made"), ("framepack", "group, pinned", "made"),
          ("hunyuan-video-1.5-image", "group, pinned", "made"), ("cogvideox", "group, pinned", "switched"),
          ("ltx-image", "group, VAE on the CPU", "made")]  # fmt: skip
ONE_AFTER_ANOTHER = [action for action in ACTIONS if action != "made"]


def test_the_choice_has_every_family_every_placement_and_every_action() -> None:
    assert {CASES[name].family for name in CHOSEN} == {case.family for case in CASES.values()}
    assert {way for _, way in TURNS} == set(WAYS)
    assert {action for number, _ in enumerate(TURNS) for action in _actions(number)} == set(ACTIONS)


def _actions(number: int) -> tuple[str, ...]:
    """A take and its render everywhere, and what comes after it in turns."""
    return "made", ONE_AFTER_ANOTHER[number % len(ONE_AFTER_ANOTHER)]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(TURNS)), ids=[f"{name}: {way}" for name, way in TURNS])
def test_a_placement_changes_no_picture(number: int, tmp_path: Path) -> None:
    name, way = TURNS[number]
    card = CARDS[number % 2]  # the second one too: nothing may count on the first
    assert {action: wrong for action, wrong in steps(name, way, tmp_path, _actions(number), card) if wrong} == {}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "way", "action"), FAULTS)
def test_what_failed_once_does_not_fail_again(name: str, way: str, action: str, tmp_path: Path) -> None:
    assert [wrong for _, wrong in steps(name, way, tmp_path, (action,)) if wrong] == []


@pytest.mark.grid
@pytest.mark.parametrize(("name", "way"), itertools.product(CASES, WAYS))
def test_the_whole_grid(name: str, way: str, tmp_path: Path, record_property: Callable[[str, str], None]) -> None:
    found = dict(steps(name, way, tmp_path))
    wrong = {action: text for action, text in found.items() if text}
    for key, value in {
        "family": name,
        "way": way,
        "wrong": "; ".join(f"{key}: {text}" for key, text in wrong.items()),
    }.items():
        record_property(key, value)
    assert wrong == {} and (name in OTHERS) == ("switched" in found)
