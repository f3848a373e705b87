"""Two tables in benchmarks/results/: what became of each family in each placement (walk.md), and how much memory of a
card each took, beside what was forecast (card_memory.md)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
WALK = """# Every family in every placement, on the pretend card

`python3 bootstrap.py -m pytest -m grid`, at commit {commit}, torch {torch}: {good} of {count} cells are good.

A cell is a tiny random model of the family on a card in host memory (`tests/accelerator/pretend.cpp`), through a take,
a peek at it, its render on the warm model and on one that was loaded anew, both again, another pipeline over the same
weights and back (where there is one), a LoRA on and off, a run that stops and goes on, and a stretch that begins with
the last picture (where the model takes one). `ok`: every frame is that of the CPU, to a level of 255, and no memory was
given back while it could still be read.

| family | {ways} |
|---|{lines}|
"""


MEMORY = """# Memory of a card, counted and forecast

`python3 bootstrap.py -m pytest -m "grid or slow" tests/accelerator/test_capped.py`, at commit {commit}, torch {torch}.

Families at their real widths with few layers and random weights, in float32, on a card in host memory that counts every
byte: a call of the transformer and decoding, beside the weights of both; of the starter a whole take and render. Bar:
counted within 90 and 105 % of the forecast. The last column is what of the peak only imitates a real card: the
workspace that a convolution is given here, a copy of all that it touches.

| model | layers | clip | forecast GB | counted GB | counted / forecast | imitated |
|---|---|---|---|---|---|---|
"""


def write(cells: Iterable[dict[str, Any]]) -> None:
    """`cells`: the properties that tests recorded: of the walk's cells (family, way, and what is wrong, empty where
    nothing is), or of what was counted (model, layers, clip; forecast, counted and imitated bytes)."""
    told = list(cells)
    walked = [cell for cell in told if "way" in cell]
    counted = [cell for cell in told if "counted" in cell]
    if walked:
        (RESULTS / "walk.md").write_text(_walk(walked), encoding="utf-8")
    if any(cell["model"] == "starter" for cell in counted) and len(counted) > 1:
        (RESULTS / "card_memory.md").write_text(_memory(counted), encoding="utf-8")


def _walk(cells: list[dict[str, str]]) -> str:
    found = {(cell["family"], cell["way"]): cell["wrong"] or "ok" for cell in cells}
    families, ways = (list(dict.fromkeys(key[part] for key in found)) for part in (0, 1))
    good = sum(value == "ok" for value in found.values())
    text = WALK.format(commit=_commit(), torch=torch.__version__, good=good, count=len(found),
                       ways=" | ".join(ways), lines="|".join("---" for _ in ways))  # fmt: skip
    rows = (f"| {family} | {' | '.join(found.get((family, way), '') for way in ways)} |" for family in families)
    return text + "\n".join(rows) + "\n"


def _memory(cells: list[dict[str, Any]]) -> str:
    rows = (
        f"| {it['model']} | {it['layers']} | {it['clip']} | {it['forecast'] / 1e9:.3f} | {it['counted'] / 1e9:.3f} | "
        f"{it['counted'] / it['forecast']:.3f} | {it['imitated'] / it['counted']:.0%} |"
        for it in cells
    )
    return MEMORY.format(commit=_commit(), torch=torch.__version__) + "\n".join(rows) + "\n"


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=RESULTS)
    return done.stdout.strip() or "?"
