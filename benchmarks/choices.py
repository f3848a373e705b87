"""What careful users of other programs choose on five cards, and what a plan of ours chooses there.

    python -m benchmarks.choices [--write]

A row of benchmarks/choices.csv names a public source, what it chooses, the nearest placement that we have, and what of
it we have not. Both are forecast for the same clip, from noise, by our own forecast: ours must not be slower. --write
keeps the table as docs/choices.md.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.published import machine_of, placement_of
from benchmarks.publishing import publish_text
from engine import APP, Overrides, Request
from engine.planning.forecast import Range, forecast
from engine.planning.planner import plan
from engine.schema import Placement
from engine.schema.card import ModelCard
from engine.storage.catalog import Catalog

ROWS = Path(__file__).with_name("choices.csv")
RESULT = APP / "docs" / "choices.md"
HEAD = """# What careful users choose, and what Rushes plans

Written by `python -m benchmarks.choices --write`, from `benchmarks/choices.csv`. Seconds: by our own forecast, of a
render from noise of the same clip, theirs in the nearest placement that we have; nothing was measured by us, and what
their kernels gain beyond ours is not in it. SageAttention and FlashAttention are used here where they are installed and
the test of the card says that they are faster.

| Machine | Model | Clip | Source | Its choice | Our plan | Theirs, s | Ours, s | What we have not |
|---|---|---|---|---|---|---|---|---|"""


class Row(NamedTuple):
    """One choice and ours for the same clip; seconds as (shortest, longest)."""

    machine: str
    model: str
    clip: str
    source: str
    choice: str
    missing: str
    ours: Placement
    theirs_seconds: Range
    ours_seconds: Range


def rows() -> Iterator[Row]:
    cards = Catalog(APP / "presets" / "models").cards
    with ROWS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield _forecast(row, cards[row["model"]])


def _forecast(row: dict[str, str], card: ModelCard) -> Row:
    machine = machine_of(row["machine"])
    size = Overrides(width=int(row["width"]), height=int(row["height"]), num_inference_steps=int(row["steps"]))
    pictures = {"image": "0" * 32} if "image" in card.needs else {}
    asked = Request(prompt="a red ball", seed=1, model=card.id, num_frames=int(row["frames"]), sigma=1.0, render=size,
                    pictures=pictures)  # fmt: skip
    made = plan(asked, card, machine)
    theirs = placement_of(row["nearest"], machine.best)
    said = forecast(card, {"take": made.render, "render": made.render}, theirs, machine, [])
    return Row(
        row["machine"], card.id, f"{made.render.size}, {made.render.num_frames} frames, {row['steps']} steps",
        row["source"], row["choice"], row["missing"], made.placement, said.render_seconds, made.forecast.render_seconds,
    )  # fmt: skip


def ours(placement: Placement) -> str:
    said = [placement.precision, placement.offload]
    said += [f"words in {placement.precision_of('text_encoder')}"] * (placement.text_precision is not None)
    said += [f"{placement.resident_gb:.1f} GB on the card"] * bool(placement.resident_gb)
    said += ["page-locked"] * placement.pin_memory + ["tiles"] * placement.vae_tiling
    said += [f"text encoder {placement.text_encoder}"] * (placement.text_encoder != "resident")
    return ", ".join(said)


def table(found: list[Row]) -> str:
    lines = [HEAD]
    for row in found:
        theirs, own = (f"{low:.0f} to {high:.0f}" for low, high in (row.theirs_seconds, row.ours_seconds))
        lines.append(f"| {row.machine} | {row.model} | {row.clip} | {row.source} | {row.choice} | {ours(row.ours)} | "
                     f"{theirs} | {own} | {row.missing} |")  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    publish_text(__doc__, table(list(rows())), RESULT)


if __name__ == "__main__":
    main()
