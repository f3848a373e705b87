"""What a card says of its architecture is what was traced of it: benchmarks/results/traces.json, fitted."""

from __future__ import annotations

import json
from typing import Any

import pytest
import tomlkit

from benchmarks.trace_cards import ARCHITECTURES, CARDS, RESULTS, fitted, keys
from engine.storage.catalog import Catalog

KNOWN = Catalog(CARDS).cards
TRACED = [name for name in ARCHITECTURES if name in KNOWN]
RESULT = json.loads(RESULTS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", TRACED)
def test_the_figures_of_a_card_are_those_of_the_committed_traces(name: str) -> None:
    table = fitted(KNOWN[name], RESULT)
    assert table is not None
    written: Any = tomlkit.parse((CARDS / f"{name}.toml").read_text(encoding="utf-8"))["traced"]
    for figure, value in table.unwrap().items():
        assert written[figure] == pytest.approx(value, rel=1e-3), figure


def test_a_card_that_is_not_traced_itself_has_the_figures_of_one_with_the_same_architecture() -> None:
    figures = [KNOWN[name].traced for name in TRACED]
    assert all(card.traced in figures for name, card in KNOWN.items() if card.traced and name not in TRACED)


@pytest.mark.parametrize("name", [name for name in TRACED if not KNOWN[name].size.only])
def test_tiles_are_traced_at_two_lengths_for_some_hold_every_frame(name: str) -> None:
    assert len({row["frames"] for row in RESULT[keys(KNOWN[name])[1]]["tiled"]}) == 2
