"""Forecasts answer to what others published: benchmarks/published.csv, row by row."""

from __future__ import annotations

import pytest

from benchmarks.published import NEAR, WIDEST, Row, rows


@pytest.fixture(scope="module")
def found() -> list[Row]:
    return list(rows())


def test_four_times_in_five_the_time_of_a_row_that_nothing_was_fitted_to_is_in_its_range(found: list[Row]) -> None:
    unfitted = [row for row in found if row.kind in ("diffusers", "same") and row.seconds]
    assert len(unfitted) >= 18
    assert sum(row.inside for row in unfitted) >= 0.8 * len(unfitted), [row for row in unfitted if not row.inside]


def test_no_range_says_less_than_it_must(found: list[Row]) -> None:
    assert all(row.forecast_seconds[1] <= WIDEST * row.forecast_seconds[0] for row in found)


def test_the_rows_that_constants_come_from_are_in_their_ranges(found: list[Row]) -> None:
    assert all(row.inside for row in found if row.kind == "fitted" and row.seconds)


def test_three_times_in_four_the_memory_of_a_run_of_diffusers_is_within_a_tenth(found: list[Row]) -> None:
    shares = [row.share for row in found if row.kind == "diffusers" and row.vram_gb]
    assert len(shares) >= 9 and sum(abs(share - 1) <= NEAR for share in shares) >= 0.75 * len(shares), shares


def test_memory_is_not_said_a_tenth_too_low(found: list[Row]) -> None:
    assert not [row.name for row in found if row.kind == "diffusers" and row.vram_gb and row.share < 1 - NEAR]
