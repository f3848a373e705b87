"""How long the page's forecast takes, the machine and this machine's history included: it is made at every key.

    python -m benchmarks.planning

Writes benchmarks/results/planning.json. The bar is 100 ms. `cpu_ms` is what was computed; a clock on a busy machine
also counts other programs, so the load is written down beside it.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from engine import Engine, Request
from engine.schema import Run
from ui.page import app as page  # all that a served page has in memory, gradio above all
from ui.page.screens.form.forecast_line import outlook

MODELS = ("starter", "wan2.1-t2v-14b", "ltx-2.3")
ROUNDS = 200


def measured(studio: Engine, model: str) -> dict[str, float]:
    clock, cpu = [], []
    for letter in range(ROUNDS):
        request = Request(prompt="a red ball " * (1 + letter // 8), model=model, outcome="best")
        started, begun = time.perf_counter(), time.thread_time()
        outlook(studio, request, 3)
        clock.append(1000 * (time.perf_counter() - started))
        cpu.append(1000 * (time.thread_time() - begun))
    figures = {"first_ms": clock[0], "median_ms": statistics.median(clock), "worst_ms": max(clock[1:]),
               "median_cpu_ms": statistics.median(cpu), "worst_cpu_ms": max(cpu[1:])}  # fmt: skip
    return {name: round(value, 1) for name, value in figures.items()}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Engine(Path(folder)) as studio:
        for _ in range(200):  # a machine with a history
            studio.store.add_run(Run(model="starter", stage="take", device="cpu", operations=1e9, seconds=1, ram_gb=1,
                                     forecast_seconds=(1, 2), estimated_seconds=1.0))  # fmt: skip
        page.build(studio)
        gc.collect()
        gc.freeze()  # as the server does
        results = {"load_of_the_machine": round(os.getloadavg()[0], 1), "rounds": ROUNDS,
                   "models": {model: measured(studio, model) for model in MODELS}}  # fmt: skip
    print(json.dumps(results, indent=1))
    (Path(__file__).parent / "results" / "planning.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
