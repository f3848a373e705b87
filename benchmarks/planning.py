"""How long a plan takes, the machine and this machine's history included: the page plans at every key.

    python -m benchmarks.planning

Writes benchmarks/results/planning.json. The bar is 100 ms.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

from engine import Engine, Request
from engine.types import Run

MODELS = ("starter", "wan2.1-t2v-14b", "ltx-2.3")
ROUNDS = 40


def main() -> None:
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, Engine(Path(folder)) as studio:
        for _ in range(200):  # a machine with a history
            studio.store.add_run(Run(model="starter", stage="take", device="cpu", operations=1e9, seconds=1, ram_gb=1,
                                     forecast_seconds=(1, 2), estimated_seconds=1.0))  # fmt: skip
        for model in MODELS:
            spent = []
            for letter in range(ROUNDS):
                request = Request(prompt="a red ball " * (1 + letter // 8), model=model, outcome="best")
                started = time.perf_counter()
                studio.plan(request)
                spent.append(1000 * (time.perf_counter() - started))
            results[model] = {"first_ms": round(spent[0], 1), "median_ms": round(statistics.median(spent), 1),
                              "worst_ms": round(max(spent[1:]), 1)}  # fmt: skip
    print(json.dumps(results, indent=1))
    (Path(__file__).parent / "results" / "planning.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
