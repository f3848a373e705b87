"""What the engine adds to the bare pipeline, and what a take costs beside its render. Ratios measured in one run.

    python bootstrap.py -m benchmarks.overhead [--rounds 5] [--json] [--write]

Engine: a warm engine's wall time from asking to `Finished`, writing the MP4 apart. Bare: diffusers' own pipeline in
this process, the same parameters and seed, pixels included, with the worker's environment variables: how threads wait
is a choice for machines that do other things too (`engine/worker_process.py`), not a cost of the engine. The two take
turns, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from diffusers import DiffusionPipeline

from engine import APP, Engine, Finished, Request
from engine.types import Job, Pass
from engine.worker_process import QUIET, worker_environment

PROMPT = "a red ball rolls to the left on a blue background"


def through_engine(studio: Engine, job: Job) -> tuple[float, Finished]:
    """Wall seconds of a job just queued, without the MP4, and its final event."""
    started = time.perf_counter()
    final = list(studio.watch(job.id))[-1]
    if not isinstance(final, Finished):
        raise SystemExit(f"a job did not finish: {final}")
    return time.perf_counter() - started - final.encode_seconds, final


def bare(pipe: Any, run: Pass, max_tokens: int) -> float:
    started = time.perf_counter()
    with torch.no_grad():
        pipe(
            prompt=PROMPT, height=run.height, width=run.width, num_frames=run.num_frames,
            num_inference_steps=run.num_inference_steps, guidance_scale=run.guidance_scale,
            max_sequence_length=max_tokens, generator=torch.Generator("cpu").manual_seed(1), output_type="np",
        )  # fmt: skip
    return time.perf_counter() - started


def measure(studio: Engine, rounds: int) -> dict[str, Any]:
    pipe = DiffusionPipeline.from_pretrained(APP / "models" / "starter")
    pipe.set_progress_bar_config(disable=True)
    times: dict[str, list[float]] = {name: [] for name in ("take", "bare_take", "scratch", "bare_scratch", "render")}
    for number in range(rounds + 1):  # the first round warms both up and is not counted
        (job,) = studio.make_takes(Request(prompt=PROMPT, seed=1))
        plan = job.plan
        row = {"take": through_engine(studio, job)[0], "bare_take": bare(pipe, plan.take, plan.max_tokens)}
        row["scratch"] = through_engine(studio, studio.render(job.id, sigma=1.0))[0]
        row["bare_scratch"] = bare(pipe, plan.render, plan.max_tokens)
        row["render"] = through_engine(studio, studio.render(job.id))[0]
        if number:
            for name, seconds in row.items():
                times[name].append(seconds)
    middle = {name: median(values) for name, values in times.items()}
    return {
        "rounds": rounds,
        "engine_over_bare_take": round(middle["take"] / middle["bare_take"], 3),
        "engine_over_bare_render": round(middle["scratch"] / middle["bare_scratch"], 3),
        "take_share_of_render": round(middle["take"] / middle["render"], 3),
        "seconds": {name: round(value, 2) for name, value in middle.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="keep the result in benchmarks/results/")
    options = parser.parse_args()
    if os.environ | QUIET != os.environ:  # libraries read them once, while they load
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.overhead", *sys.argv[1:]], worker_environment())
    with tempfile.TemporaryDirectory() as home, Engine(Path(home)) as studio:
        studio.start()
        result = measure(studio, options.rounds)
    if options.write:
        (APP / "benchmarks" / "results" / "overhead.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
