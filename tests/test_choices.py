"""What we plan on five cards beside what careful users of other programs choose there: benchmarks/choices.csv."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks.choices import RESULT, rows, table
from benchmarks.publishing import RESULTS
from ui.locale import SPOKEN, languages
from ui.texts import EXPERT

SLACK = 1.01  # more precise weights may travel a little longer


def test_no_plan_is_slower_by_its_own_forecast_than_what_others_choose() -> None:
    found = list(rows())
    assert {row.machine for row in found} == {"rtx-3060", "rtx-3090", "rtx-4090", "rtx-5090", "h100-80gb"}
    assert [row for row in found if row.ours_seconds[1] > SLACK * row.theirs_seconds[1]] == []


def test_the_published_table_is_what_is_planned_now() -> None:
    assert RESULT.read_text(encoding="utf-8") == table(list(rows()))


@pytest.mark.parametrize("language", languages())
def test_what_the_picker_says_of_number_formats_was_measured(language: str) -> None:
    found = json.loads((RESULTS / "number_formats.json").read_text())["formats"]
    token = SPOKEN.set(language)
    said = dict(re.findall(r"(fp8|int8|nf4|Q4)\s([01][.,]\d\d)", EXPERT.precision_cost))
    SPOKEN.reset(token)
    named = {"Q4": "Q4_0"}
    assert {name: float(value.replace(",", ".")) for name, value in said.items()} == {
        name: round(found[named.get(name, name)]["ssim"], 2) for name in ("fp8", "int8", "nf4", "Q4")
    }
