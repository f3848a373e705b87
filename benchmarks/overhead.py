"""What the engine adds to the bare pipeline, and what takes and their renders cost. Ratios measured in one run.

    python bootstrap.py -m benchmarks.overhead [--rounds 5] [--json] [--write]

Engine: a warm engine's wall time from asking to `Finished`, writing the MP4 apart. Bare: diffusers' own pipeline in
this process, the same parameters and seed, pixels included, with the worker's environment variables: how threads wait
is a choice for machines that do other things too (`engine/jobs/local_worker.py`), not a cost of the engine. The two
take turns, so that a busy machine slows both. Whole: a take and its approved render together, beside a render from
noise.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import torch
from diffusers import DiffusionPipeline

from benchmarks import publishing
from engine import APP, Engine, Finished, Request
from engine.jobs.local_worker import QUIET, worker_environment
from engine.schema import Job, Pass

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
    names = ("take", "bare_take", "scratch", "bare_scratch", "render", "first_part", "second_part")
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):  # the first round warms both up and is not counted
        (job,) = studio.make_takes(Request(prompt=PROMPT, seed=1))
        plan = job.plan
        row = {"take": through_engine(studio, job)[0], "bare_take": bare(pipe, plan.take, plan.max_tokens)}
        for name in ("scratch", "bare_scratch") if number % 2 else ("bare_scratch", "scratch"):  # by turns
            if name == "scratch":
                row[name] = through_engine(studio, studio.render(job.id, sigma=1.0))[0]
            else:
                row[name] = bare(pipe, plan.render, plan.max_tokens)
        row["render"] = through_engine(studio, studio.render(job.id))[0]
        (first,) = studio.make_takes(Request(prompt=PROMPT, seed=1, mode="continue"))
        row["first_part"] = through_engine(studio, first)[0]
        row["second_part"] = through_engine(studio, studio.render(first.id))[0]
        if number:
            for name, seconds in row.items():
                times[name].append(seconds)
    told = [ratios({name: values[number] for name, values in times.items()}) for number in range(rounds)]
    return {
        "rounds": rounds,
        **{name: round(median(row[name] for row in told), 3) for name in told[0]},
        "spread": {name: quarters([row[name] for row in told]) for name in told[0]},
        "steps": {"take": plan.take.steps, "render": plan.render.steps, "scratch": plan.render.num_inference_steps},
        "seconds": {name: round(median(values), 2) for name, values in times.items()},
    }


def ratios(seconds: dict[str, float]) -> dict[str, float]:
    return {
        "engine_over_bare_take": seconds["take"] / seconds["bare_take"],
        "engine_over_bare_render": seconds["scratch"] / seconds["bare_scratch"],
        "take_share_of_render": seconds["take"] / seconds["render"],
        "take_share_of_scratch": seconds["take"] / seconds["scratch"],
        "whole_refined": (seconds["take"] + seconds["render"]) / seconds["scratch"],
        "whole_continued": (seconds["first_part"] + seconds["second_part"]) / seconds["scratch"],
    }


def quarters(values: list[float]) -> tuple[float, float]:
    low, _, high = quantiles(values, n=4) if len(values) > 1 else values * 3
    return round(low, 3), round(high, 3)


def main() -> None:
    parser = publishing.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if os.environ | QUIET != os.environ:  # libraries read them once, while they load
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.overhead", *sys.argv[1:]], worker_environment())
    with tempfile.TemporaryDirectory() as home, Engine(Path(home)) as studio:
        studio.start()
        result = measure(studio, options.rounds)
    publishing.publish("overhead", result, options)


if __name__ == "__main__":
    main()
