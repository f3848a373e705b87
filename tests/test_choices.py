"""What we plan on five cards beside what careful users of other programs choose there: benchmarks/choices.csv."""

from __future__ import annotations

from benchmarks.choices import RESULT, rows, table

SLACK = 1.01  # more precise weights may travel a little longer


def test_no_plan_is_slower_by_its_own_forecast_than_what_others_choose() -> None:
    found = list(rows())
    assert {row.machine for row in found} == {"rtx-3060", "rtx-3090", "rtx-4090", "rtx-5090", "h100-80gb"}
    assert [row for row in found if row.ours_seconds[1] > SLACK * row.theirs_seconds[1]] == []


def test_the_published_table_is_what_is_planned_now() -> None:
    assert RESULT.read_text(encoding="utf-8") == table(list(rows()))
