"""Kills, many of them aimed at the last writes of a job: nothing is lost, done twice or falsely failed.

    python -m benchmarks.kills [--count 100] [--seed 1] [--write]

A process that runs the queue of a data folder is killed with its worker, at a moment that is drawn from the seed: right
after the first file of a result shows, in the moments in which it is moved and recorded, or anywhere in a job. It is
started again, until every job has ended. Of each four kills three are aimed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import av

from benchmarks.publishing import RESULTS, keep_lines
from engine import APP, Engine, Failed, Finished, Job, Overrides, Request
from engine.paths import open_home

RESULT = RESULTS / "kills.md"
PROMPT = "a red ball rolls to the left on a blue background"
AIMED_MS = 60.0  # after the first file of a result: encoding, moving, recording all lie in it
ANYWHERE_MS = 1500.0  # after a job was taken up
ANYWHERE_EVERY = 4
LONGEST_SECONDS = 120.0


@dataclass
class Outcome:
    """What a campaign found. `wrong`: a sentence for each job that is not as it should be."""

    kills: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    wrong: list[str] = field(default_factory=list)


def own(home: Path) -> None:
    """Run the queue of a data folder until it is empty."""
    with Engine(home) as engine:
        engine.start()
        while engine.store.jobs("queued", "running"):
            time.sleep(0.02)


def campaign(home: Path, kills: int, seed: int) -> Outcome:
    """So many kills over one queue of takes of the starter."""
    drawn, outcome = random.Random(seed), Outcome()
    asked = Request(prompt=PROMPT, seed=seed, num_frames=9, take=Overrides(num_inference_steps=2))
    with Engine(home) as engine:
        jobs = [job for at in range(0, kills + 2, 10) for job in _queued(engine, asked, at, kills + 2)]
        outcome.jobs = len(jobs)
        while engine.store.jobs("queued", "running"):
            runs = subprocess.Popen([sys.executable, "-m", "benchmarks.kills", "--own", str(home)], cwd=APP,
                                    start_new_session=True)  # fmt: skip
            try:
                if outcome.kills.total() < kills:
                    aim = "anywhere" if (outcome.kills.total() + seed) % ANYWHERE_EVERY == 3 else "last writes"
                    if _moment(engine, home, aim, drawn):
                        outcome.kills[aim] += 1
                else:
                    runs.wait(LONGEST_SECONDS * len(jobs))
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(runs.pid, signal.SIGKILL)
                runs.wait()
        outcome.wrong = [wrong for job in jobs if (wrong := _wrong(engine, job))] + _left(home, jobs)
    return outcome


def _queued(engine: Engine, asked: Request, at: int, most: int) -> list[Job]:
    return engine.make_takes(asked.model_copy(update={"seed": (asked.seed or 0) + 1000 + at}), min(10, most - at))


def _moment(engine: Engine, home: Path, aim: str, drawn: random.Random) -> bool:
    """Wait for the moment of a kill; False when none came because the queue ran empty."""
    places, until = open_home(home), time.monotonic() + LONGEST_SECONDS
    begun = {path.name for path in places.takes.iterdir()}
    while time.monotonic() < until:
        running = engine.store.jobs("running")
        if aim == "anywhere" and running:
            time.sleep(drawn.uniform(0, ANYWHERE_MS) / 1000)
            return True
        shown = any((places.staging / job.id / "latents.safetensors").exists() for job in running)
        if aim == "last writes" and (shown or {path.name for path in places.takes.iterdir()} - begun):
            time.sleep(drawn.uniform(0, AIMED_MS) / 1000)
            return True
        if not running and not engine.store.jobs("queued"):
            return False
        time.sleep(0.001)
    return False


def _wrong(engine: Engine, job: Job) -> str:
    """What is not right about a job that has ended; empty when all is."""
    ends = [event for _, event in engine.store.events(job.id) if isinstance(event, Finished | Failed)]
    if [end.kind for end in ends] != ["finished"]:
        return f"{job.id} ended {len(ends)} times: {ends}"
    try:
        take = engine.library.exact_take(job.id)
        with av.open(take.video) as container:
            frames = sum(1 for _ in container.decode(video=0))
    except Exception as error:  # whatever it is, it is what the campaign looks for
        return f"{job.id} is not whole: {error!r}"
    sound = frames == job.plan.take.num_frames and Path(take.latents).stat().st_size > 0
    return "" if sound else f"{job.id} has {frames} frames"


def _left(home: Path, jobs: list[Job]) -> list[str]:
    """What lies where nothing should."""
    places = open_home(home)
    takes = {path.name for path in places.takes.iterdir()}
    strange = sorted(takes ^ {job.id for job in jobs})
    staged = sorted(path.name for path in places.staging.iterdir())
    aside = sorted(path.name for path in places.set_aside.iterdir()) if places.set_aside.is_dir() else []
    found = {"takes that no job made, or the other way round": strange, "left in staging": staged, "set aside": aside}
    return [f"{what}: {', '.join(names)}" for what, names in found.items() if names]


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill the queue at drawn moments and see what becomes of the jobs.")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--own", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help=f"Write {RESULT.relative_to(APP)}.")
    asked = parser.parse_args()
    if asked.own:
        return own(asked.own)
    with tempfile.TemporaryDirectory() as folder:
        outcome = campaign(Path(folder), asked.count, asked.seed)
    told = ", ".join(f"{count} {aim}" for aim, count in sorted(outcome.kills.items()))
    fine = "Every take is there once and whole, every job ended once and none failed."
    lines = [f"{outcome.kills.total()} kills ({told}) over {outcome.jobs} takes, seed {asked.seed}."]
    lines += outcome.wrong or [fine]
    print("\n".join(lines))
    if asked.write:
        keep_lines(RESULT, "Kills", f"python -m benchmarks.kills --count {asked.count}", lines)
    sys.exit(1 if outcome.wrong else 0)


if __name__ == "__main__":
    main()
