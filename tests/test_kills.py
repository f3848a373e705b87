"""The kill campaign in small: 15 kills aimed at the last writes of a job, 5 at any moment (`python -m benchmarks.kills`
is the long one)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.kills import campaign

HALF = 10  # two halves, one for each core
AIMED = {1: 8, 2: 7}  # of the seeds


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills a group of processes")
@pytest.mark.parametrize("seed", AIMED)
def test_nothing_is_lost_done_twice_or_falsely_failed_by_kills(seed: int, tmp_path: Path) -> None:
    outcome = campaign(tmp_path, HALF, seed)
    assert outcome.kills == {"last writes": AIMED[seed], "anywhere": HALF - AIMED[seed]}
    assert outcome.wrong == []
