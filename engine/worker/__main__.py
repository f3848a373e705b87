"""The worker's loop: one job at a time from stdin, events to stdout, logs to stderr.

It leaves when stdin ends, even in the middle of a job, so that no orphan keeps the GPU.
"""

from __future__ import annotations

import argparse
import os
import queue
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from engine.schema import FrozenModel, Job
from engine.schema.json_lines import CancelJob, Holds, JobEvent, RanOut, Ready, RunJob, line, read_by_worker

# Torch's companions know these where they find them, and importing them takes two fifths of a worker's start. scipy is
# there for those who measure clips, and no model draws otherwise for it.
OPTIONAL = ("bitsandbytes", "peft", "scipy")


class Wire:
    """Messages out. Lines never mix: one lock, one flush a line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def send(self, message: FrozenModel) -> None:
        with self._lock:
            self._stream.write(line(message))
            self._stream.flush()


def claim_stdout() -> Wire:
    """Keep the real stdout for messages and point fd 1 at stderr: a library's stray print cannot break the protocol."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return Wire(stream)


def listen(jobs: queue.Queue[RunJob], cancelled: set[str]) -> None:
    """Runs in a thread of its own, so that a stop arrives while a step is being computed."""
    for text in sys.stdin:
        message = read_by_worker(text)
        if isinstance(message, CancelJob):
            cancelled.add(message.job_id)
        else:
            jobs.put(message)
    os._exit(0)


def _hide(libraries: Iterable[str]) -> None:
    """Let nothing find these libraries: diffusers looks for them once, when it is imported."""
    if "diffusers" not in sys.modules:  # as in a test that changed it before
        for name in libraries:
            sys.modules[name] = None  # type: ignore[assignment]  # which Python reads as: there is none


def main() -> None:
    parser = argparse.ArgumentParser(prog="engine.worker")
    parser.add_argument("--device", required=True)
    parser.add_argument("--artifacts", type=Path, required=True)
    parser.add_argument("--caches", type=Path, required=True)
    parser.add_argument("--models", type=Path, action="append", required=True)
    parser.add_argument("--prompts", type=Path, required=True)
    parser.add_argument("--library", choices=OPTIONAL, action="append", default=[])
    options = parser.parse_args()
    wire = claim_stdout()
    jobs: queue.Queue[RunJob] = queue.Queue()
    cancelled: set[str] = set()
    threading.Thread(target=listen, args=(jobs, cancelled), daemon=True).start()

    _hide(set(OPTIONAL) - set(options.library))
    from engine.worker.accelerator import Accelerator, described
    from engine.worker.job_runner import JobRunner, failed, performer, versions  # torch and diffusers: seconds
    from engine.worker.sampling.denoise import StepReporter

    runner = JobRunner(Accelerator(options.device), options.models, options.artifacts, options.prompts, options.caches)
    wire.send(Ready(versions=versions(), devices=described()))
    while True:
        message = jobs.get()
        try:
            perform = performer(message.performer)  # first: it brings the class of the plan
            job = Job.model_validate(message.job)
        except Exception as error:  # the boundary: of another version, or a kind whose module cannot be imported
            wire.send(JobEvent(job_id=str(message.job.get("id")), event=failed(error)))
            continue
        watch = StepReporter(
            emit=lambda event, job_id=job.id: wire.send(JobEvent(job_id=job_id, event=event)),  # type: ignore[misc]
            stop_asked=lambda job_id=job.id: job_id in cancelled,  # type: ignore[misc]
        )
        end = runner.perform(job, perform, watch)
        wire.send(Holds(held=runner.holds()))
        wire.send(end if isinstance(end, RanOut) else JobEvent(job_id=job.id, event=end))


if __name__ == "__main__":
    main()
