"""The published kept scores for people: docs/kept.md, from every benchmarks/results/kept-*.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.publishing import RESULTS
from engine import APP

HEAD = """# How well renders keep their takes

Written by `python bootstrap.py -m benchmarks.kept --write`, which says what is measured. Kept: 0 is another clip of the
same words, 1 is the take itself, enlarged. Path: how far the subject strays from its path in the take, of the width.
Detail: fineness beside that of the drawn scene. A model that is not here was not measured.

| Model | Render | Scenes | Kept, median | Worst tenth | Path, median | Nine of ten | Detail |
|---|---|---|---|---|---|---|---|"""


def ways(found: dict[str, Any]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Each way to render that was measured: its name, how many scenes, the figures."""
    yield f"refined from sigma {found['sigma']:g}, the default", found["prompts"], found
    sweep = found.get("sweep", {})
    for name, figures in sweep.items():
        if name != "prompts":
            yield name, sweep["prompts"], figures


def row(model: str, way: str, scenes: int, figures: dict[str, Any]) -> str:
    kept, path = figures["kept"], figures.get("path_error")
    paths = (f"{path['median']:.1%}", f"{path['nine_of_ten']:.1%}") if path else ("", "")
    cells = (
        model,
        way,
        scenes,
        f"{kept['median']:.2f}",
        f"{kept['worst_tenth']:.2f}",
        *paths,
        f"{figures['detail']:.2f}",
    )
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def write() -> None:
    lines = [HEAD]
    for file in sorted(RESULTS.glob("kept-*.json")):
        found = json.loads(file.read_text(encoding="utf-8"))
        lines += [row(found["model"], *way) for way in ways(found)]
    (APP / "docs" / "kept.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
