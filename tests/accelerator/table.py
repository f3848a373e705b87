"""The walk's table: what became of each family in each placement, as benchmarks/results/walk.md."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

import torch

RESULT = Path(__file__).parents[2] / "benchmarks" / "results" / "walk.md"
HEAD = """# Every family in every placement, on the pretend card

`python3 bootstrap.py -m pytest -m grid`, at commit {commit}, torch {torch}: {good} of {count} cells are good.

A cell is a tiny random model of the family on a card in host memory (`tests/accelerator/pretend.cpp`), through a take,
a peek at it, its render on the warm model and on one that was loaded anew, both again, another pipeline over the same
weights and back (where there is one), a LoRA on and off, a run that stops and goes on, and a stretch that begins with
the last picture (where the model takes one). `ok`: every frame is that of the CPU, to a level of 255, and no memory was
given back while it could still be read.

| family | {ways} |
|---|{lines}|
"""


def write(cells: Iterable[dict[str, str]]) -> None:
    """`cells`: family, way and wrong (empty where nothing is) of each."""
    found = {(cell["family"], cell["way"]): cell["wrong"] or "ok" for cell in cells}
    families, ways = (list(dict.fromkeys(key[part] for key in found)) for part in (0, 1))
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=RESULT.parent)
    good = sum(value == "ok" for value in found.values())
    text = HEAD.format(commit=done.stdout.strip() or "?", torch=torch.__version__, good=good, count=len(found),
                       ways=" | ".join(ways), lines="|".join("---" for _ in ways))  # fmt: skip
    rows = (f"| {family} | {' | '.join(found.get((family, way), '') for way in ways)} |" for family in families)
    RESULT.write_text(text + "\n".join(rows) + "\n", encoding="utf-8")
