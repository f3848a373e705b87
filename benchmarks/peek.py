"""What peeks, and saving where a run stands, cost: the share of its time, with and without by turns in one process.

    python bootstrap.py -m benchmarks.peek [--model starter] [--steps 30] [--rounds 5] [--json] [--write]

The run is a render from scratch. `cost` is the ratio of the medians of the processor's seconds (on a graphics card: of
the clock's), less 1, so that a busy machine does not count; `spent` is the share of the clock that the peeks took.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks import publishing
from engine import Engine, Overrides, Request
from engine.schema import ShotPlan
from engine.schema.events import Peek
from engine.worker import families
from engine.worker.families.family import Shot
from engine.worker.loading import pipeline_loader
from engine.worker.sampling import denoise, preview
from engine.worker.sampling.checkpointing import Checkpointer

PROMPT = "a red ball rolls to the left on a blue background"


def run(model: pipeline_loader.Model, plan: ShotPlan, folder: Path, extra: str = "") -> tuple[float, float, int]:
    """Seconds of one render, the share of the clock that went into its `extra`, and how often that was done."""
    family, told = families.of(plan.family), []
    shot = Shot(plan, plan.render, torch.Generator("cpu").manual_seed(1))
    watch = denoise.StepReporter(told.append, lambda: False)
    if extra == "peeks":
        watch.peeker = preview.peeker(model, family, shot, folder, watch.emit)
    if extra == "saves":
        (folder / "state").unlink(missing_ok=True)
        watch.recording = Checkpointer(folder / "state", "benchmark")
    clock = time.process_time if plan.placement.device == "cpu" else time.perf_counter
    model.prompts.encoded(model.pipe, family, shot, watch.emit)  # reading the words is not what is measured
    told.clear()
    started, began = clock(), time.perf_counter()
    with torch.no_grad():
        denoise.draw(model, family, shot, watch)
    spent = watch.peeker.spent_seconds if watch.peeker else watch.recording.spent_seconds
    times = sum(isinstance(event, Peek) for event in told) if watch.peeker else watch.recording.saves
    return clock() - started, spent / (time.perf_counter() - began), times


def measure(home: Path, name: str, steps: int, rounds: int) -> dict[str, Any]:
    with Engine(home) as studio:
        whole = Overrides(num_inference_steps=steps)
        plan = studio.plan(Request(prompt=PROMPT, model=name, seed=1, render=whole, sigma=1.0))
        model = pipeline_loader.PipelineCache(list(studio.places.model_roots)).get(plan, home)
    run(model, plan, home, "peeks")  # warms up
    rows = [{extra: run(model, plan, home, extra) for extra in ("", "peeks", "saves")} for _ in range(rounds)]
    without = median(row[""][0] for row in rows)
    found: dict[str, Any] = {"model": name, "steps": steps, "rounds": rounds, "seconds": round(without, 2)}
    for extra in ("peeks", "saves"):
        found[extra] = {
            "cost": round(median(row[extra][0] for row in rows) / without - 1, 4),
            "spent_median": round(median(row[extra][1] for row in rows), 4),
            "spent_most": round(max(row[extra][1] for row in rows), 4),
            "times": round(sum(row[extra][2] for row in rows) / rounds, 1),
        }
    return found


def main() -> None:
    parser = publishing.parser(__doc__)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        result = measure(Path(home), options.model, options.steps, options.rounds)
    publishing.publish("peek", result, options)


if __name__ == "__main__":
    main()
