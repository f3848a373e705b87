"""What peeks cost: the share of a run's time, measured with and without them by turns in one process.

    python bootstrap.py -m benchmarks.peek [--model starter] [--steps 30] [--rounds 5] [--json] [--write]

The run is a render from scratch. `cost` is the ratio of the medians of the processor's seconds (on a graphics card: of
the clock's), less 1, so that a busy machine does not count; `spent` is the share of the clock that the peeks took.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch

from engine import APP, Engine, Overrides, Request
from engine.events import Peek
from engine.types import Plan
from engine.worker import families, peek, sampling, weights
from engine.worker.families.latent_video import Shot

PROMPT = "a red ball rolls to the left on a blue background"


def run(model: weights.Model, plan: Plan, folder: Path | None) -> tuple[float, float, int]:
    """Seconds of one render, the share of the clock that went into peeks, and how many peeks there were."""
    family, told = families.of(plan.family), []
    shot = Shot(plan, plan.render, torch.Generator("cpu").manual_seed(1))
    watch = sampling.Watch(told.append, lambda: False)
    watch.peeker = peek.peeker(model, family, shot, folder, watch.emit) if folder else None
    clock = time.process_time if plan.placement.device == "cpu" else time.perf_counter
    model.prompts.encoded(model.pipe, family, shot, watch.emit)  # reading the words is not what is measured
    told.clear()
    started, began = clock(), time.perf_counter()
    with torch.no_grad():
        sampling.draw(model, family, shot, watch)
    share = watch.peeker.spent_seconds / (time.perf_counter() - began) if watch.peeker else 0.0
    return clock() - started, share, sum(isinstance(event, Peek) for event in told)


def measure(home: Path, name: str, steps: int, rounds: int) -> dict[str, Any]:
    with Engine(home) as studio:
        plan = studio.plan(Request(prompt=PROMPT, model=name, seed=1, render=Overrides(num_inference_steps=steps)))
        model = weights.Shelf(list(studio.places.model_roots)).get(plan, home)
    run(model, plan, home)  # warms up
    pairs = [(run(model, plan, home), run(model, plan, None)) for _ in range(rounds)]
    with_peeks, without = (median(pair[side][0] for pair in pairs) for side in (0, 1))
    return {
        "model": name,
        "steps": steps,
        "rounds": rounds,
        "cost": round(with_peeks / without - 1, 4),
        "spent_median": round(median(seen[1] for seen, _ in pairs), 4),
        "spent_most": round(max(seen[1] for seen, _ in pairs), 4),
        "peeks_a_run": round(sum(seen[2] for seen, _ in pairs) / rounds, 1),
        "seconds": {"with": round(with_peeks, 2), "without": round(without, 2)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="keep the result in benchmarks/results/")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        result = measure(Path(home), options.model, options.steps, options.rounds)
    if options.write:
        (APP / "benchmarks" / "results" / "peek.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
