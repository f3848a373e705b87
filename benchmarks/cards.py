"""The table of cards that people tested, and a test of one's own.

    python -m benchmarks.cards                             benchmarks/results/cards/*.json into results/cards.md
    python -m benchmarks.cards --test cuda:0 --out FOLDER  test a card; FOLDER/card-<device>.json is written as it goes

The files are those of `app.py doctor --card` (data/card-tests/). One that says nothing of a card is left out, with a
word.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from engine import CardTest, Engine
from engine.jobs.card_test import file_of
from engine.schema.machine import PARTS

RESULTS = Path(__file__).parent / "results"
HEAD = ("card", "software", "16-bit TFLOP/s", "attention TFLOP/s", "memory GB/s", "link GB/s, locked", "disk GB/s",
        "decoding megapixels/s", "went wrong")  # fmt: skip


def tested(device: str, out: Path, parts: Iterable[str], small: bool) -> CardTest | None:
    """Test a device in a data root of its own; the file in `out` is there after the first reading."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, Engine(Path(home)) as studio:
        made = out / f"card-{device.replace(':', '-')}.json"
        for reading in studio.test_card(device, tuple(parts), small):
            shutil.copy(file_of(studio.places, device), made)
            print("ok   " if reading.ok else "WRONG", reading.line, flush=True)
        return CardTest.model_validate_json(made.read_bytes()) if made.exists() else None


def row(test: CardTest) -> list[str]:
    found, wrong = test.measured, [f"{r.part}: {r.name}" for r in test.readings if not r.ok]
    decoded = next((r.value for r in test.readings if r.part == "decode" and r.ok), None)
    figures = (found.products / 1e12, found.attention / 1e12, found.memory_gb, found.pinned_link_gb, found.disk_gb,
               decoded or 0.0)  # fmt: skip
    software = f"torch {test.versions.get('torch', '?')}, {test.system}, driver {test.device.driver or 'none'}"
    return [f"{test.device.name}, {test.device.vram_gb:.0f} GB", software,
            *(f"{figure:.3g}" if figure else "" for figure in figures), ", ".join(wrong) or "nothing"]  # fmt: skip


def table(paths: Iterable[Path]) -> str:
    lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    for path in paths:
        try:
            lines.append(f"| {' | '.join(row(CardTest.model_validate_json(path.read_bytes())))} |")
        except (OSError, ValidationError):
            print(f"{path.name} is no test of a card", file=sys.stderr)
    return "\n".join(lines) + "\n"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--test", metavar="DEVICE")
    options.add_argument("--out", type=Path, default=RESULTS / "cards")
    options.add_argument("--parts", nargs="*", default=list(PARTS))
    options.add_argument("--small", action="store_true", help="sizes that take seconds on a CPU")
    asked = options.parse_args()
    if asked.test:
        test = tested(asked.test, asked.out, asked.parts, asked.small)
        raise SystemExit(not test or not all(reading.ok for reading in test.readings))
    words = "# Cards that were tested\n\nMade by `python -m benchmarks.cards` from what people sent.\n\n"
    (RESULTS / "cards.md").write_text(words + table(sorted((RESULTS / "cards").glob("*.json"))))


if __name__ == "__main__":
    main()
