"""The judging of the harness for real cards, on rows constructed for it: one half sets the time, the other reports."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from benchmarks.gpu_fit import judged
from engine import APP


def row(slowness: float = 2.0, vram: float = 1.0, **fields: Any) -> dict[str, Any]:
    """A row that took so many times what arithmetic said, and this share of the VRAM that was forecast."""
    return {"model": "m", "ran": True, "verdict": "comfortable", "vram_gb": vram * 10, "forecast_vram_gb": 10.0,
            "ram_gb": 4.0, "forecast_ram_gb": 5.0, "call_seconds": slowness * 3, "estimated_call_seconds": 3.0
            } | fields  # fmt: skip


def test_one_half_sets_the_time_and_only_the_other_half_is_reported() -> None:
    found = judged([row(2.0), row(2.2), row(2.0), row(1.0), row(2.0), row(9.0)])
    assert found["slower_than_arithmetic"] == 2.0
    assert found["time_error_on_the_other_half"] == [0.1, -0.5, 3.5]
    moved = judged([row(2.0), row(50.0), row(2.0), row(50.0), row(2.0), row(50.0)])
    assert moved["slower_than_arithmetic"] == 2.0  # what is held out sets nothing


def test_the_share_of_times_in_the_range_is_that_of_the_products_own_range() -> None:
    rows = [row(2.0) for _ in range(8)]
    assert judged(rows)["time_in_the_range_on_the_other_half"] == 1.0
    rows[1] = row(9.0)
    assert judged(rows)["time_in_the_range_on_the_other_half"] == 0.75


def test_memory_is_judged_on_every_row_against_the_bar() -> None:
    name = "vram_within_10_percent_and_never_5_over"
    assert judged([row(vram=0.91), row(vram=1.04)])[name]
    assert not judged([row(vram=0.85), row()])[name] and not judged([row(), row(vram=1.06)])[name]
    assert judged([row(forecast_vram_gb=0.0)] * 2)[name] is None  # a CPU says nothing about cards
    assert judged([row(), row()])["ram_used_of_forecast"] == [0.8, 0.8]


def test_a_comfortable_verdict_that_did_not_run_is_named() -> None:
    fell = row(model="fell", ran=False)
    assert judged([row(), row(), fell])["comfortable_but_did_not_run"] == ["fell"]
    assert judged([row(), row(), fell | {"verdict": "tight"}])["comfortable_but_did_not_run"] == []


def test_too_few_rows_are_not_judged() -> None:
    assert judged([row()]) == {} and judged([row(), row(ran=False)]) == {}


def test_a_bare_card_machine_is_given_all_that_the_harness_imports() -> None:
    """What `gpu_all.sh --pack` brings is a list of its own: what the engine imports anew must be added to it."""
    ask = """
import sys
import benchmarks.gpu_fit, benchmarks.gpu_smoke, engine.worker.__main__, engine.worker.card_checks
from importlib.metadata import packages_distributions
owners = packages_distributions()
print(*{owner for name in list(sys.modules) if "." not in name for owner in owners.get(name, ())})
"""
    done = subprocess.run([sys.executable, "-c", ask], cwd=APP, capture_output=True, text=True, check=True)
    used = {name.casefold().replace("_", "-") for name in done.stdout.split()}
    pinned = (APP / "benchmarks" / "gpu_all.txt").read_text().splitlines()
    packed = {line.partition("==")[0] for line in pinned if not line.startswith("#")}
    with_torch = {
        "torch",
        "bitsandbytes",
        "sympy",
        "mpmath",
        "networkx",
        "jinja2",
        "markupsafe",
        "setuptools",
        "triton",
    }
    if_there = {"scipy", "brotli"}  # libraries use them where they find them
    assert used - packed <= with_torch | if_there
    locks = ((APP / name).read_text() for name in ("requirements.txt", "requirements-dev.txt"))
    locked = {line.split()[0] for lock in locks for line in lock.splitlines()}
    assert {line for line in pinned if "==" in line} <= locked
