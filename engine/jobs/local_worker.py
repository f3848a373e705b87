"""One `python -m engine.worker`: started when first needed, spoken to in JSON lines, asked and then made to stop; and
why one ended without an answer, from what the system and its log tell.
"""

from __future__ import annotations

import os
import platform
import queue
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from engine.jobs.kinds import kind_of
from engine.paths import Places
from engine.schema import Held, Job
from engine.schema.errors import WorkerDied
from engine.schema.events import Cancelled, Event, FinalEvent
from engine.schema.json_lines import CancelJob, Holds, JobEvent, RanOut, Ready, RunJob, line, read_by_engine
from engine.schema.message import Message
from engine.subprocess_lines import LineProcess, Program

COUNTERS = (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events"))  # Linux: the machine's, and a container's own
KILLED = (-9, 137)
# Windows: STATUS_NO_MEMORY and STATUS_COMMITMENT_LIMIT, which is what a page file that cannot grow ends in.
PAGE_FILE_CODES = (0xC0000017, 0xC000012D)
# bitsandbytes ends the process by itself, with this line, when the card's memory runs out.
BITSANDBYTES = re.compile(r"^Error out of memory at line \d+ in file \S+\s*\Z", re.M)
ROOM = Message("Close other programs, or make the clip smaller or shorter, then try again.")


def oom_kills(counters: tuple[Path, ...] = COUNTERS) -> int:
    """A count that grows whenever the kernel ends a process because memory ran out; 0 on other systems."""
    return sum(_count(path) for path in counters)


def _count(path: Path) -> int:
    try:
        found = re.search(r"^oom_kill (\d+)$", path.read_text(), re.M)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def of(code: int, oom_killed: bool, log: str) -> WorkerDied:
    """The death of a worker with this exit code. `oom_killed`: the kernel ended a process while it ran."""
    detail = f"exit code {code}"
    if code in KILLED and oom_killed:
        return WorkerDied(
            Message("The computer's memory (RAM) ran out, so the system ended the engine."), ROOM, detail, what="ram"
        )
    if code in KILLED:
        return WorkerDied(
            Message("The engine process was ended from outside, most likely because memory was short."), ROOM, detail
        )
    if code % 2**32 in PAGE_FILE_CODES:
        return WorkerDied(
            Message("The page file of Windows (virtual memory) is full, so the engine could not go on."),
            Message("Let Windows manage the size of the page file, or close other programs, then try again."),
            detail,
            what="page_file",
        )
    if BITSANDBYTES.search(log):
        return WorkerDied(
            Message("The graphics card's memory (VRAM) ran out while its weights were made smaller."),
            ROOM,
            detail,
            what="vram",
        )
    return WorkerDied(
        Message("The engine process stopped unexpectedly."),
        Message("Try again; if it happens again, run `app.py doctor` and look at the logs folder."),
        detail,
    )


# ---- the process ----

CANCEL_GRACE_SECONDS = 8.0
POLL_SECONDS = 0.2  # how soon a lane sees a job or a stop that another process wrote
TRUSTING = ("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "DIFFUSERS_TRUST_REMOTE_KERNELS")  # Pinokio sets the first one
ALLOCATOR = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF", "PYTORCH_ALLOC_CONF")
LEAVING_SECONDS = 3.0
DYING_SECONDS = 5.0
LOG_BYTES = 5_000_000
Told = Ready | Holds | JobEvent | RanOut
PINNED_IN_ONE_PIECE = (2, 13)  # the first torch that was seen to know pinned_max_cached_size_mb
QUIET = {  # no library of the worker may call home, and none may be told to trust a pickle
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
    "PYTHONUTF8": "1",
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # torch counts cards as NVML does
    # Threads of a parallel region wait asleep and not spinning: beside another program that keeps the cores busy, a
    # take of the starter took 40 s with spinning threads and 0.9 s with sleeping ones (2 cores, measured).
    "OMP_WAIT_POLICY": "PASSIVE",
}


def worker_environment() -> dict[str, str]:
    """The variables a worker starts with: none lets a library run code from a model, or talk."""
    own = {name: value for name, value in os.environ.items() if name not in TRUSTING}
    return allocator_settings() | own | QUIET


def allocator_settings() -> dict[str, str]:
    """What torch's allocators must be told before they start; a person's own settings stand.

    Blocks of page-locked RAM above 1 MB are neither rounded up to a power of two (1.5 to 1.8 times the weights) nor
    kept when they are freed. Segments of VRAM that grow in place (Linux; WSL fails with them) break up less.
    """
    if any(name in os.environ for name in ALLOCATOR) or torch_version() < PINNED_IN_ONE_PIECE:
        return {}
    grows = sys.platform == "linux" and "microsoft" not in platform.release().casefold()
    settings = ["pinned_max_cached_size_mb:1", *(["expandable_segments:True"] if grows else [])]
    return {"PYTORCH_CUDA_ALLOC_CONF": ",".join(settings)}


def torch_version() -> tuple[int, ...]:
    """(0,) where there is none."""
    try:
        return tuple(int(part) for part in version("torch").partition("+")[0].split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return (0,)


def worker_command(places: Places, device: str) -> list[str]:
    """How the worker of a device is started."""
    roots = [part for root in places.model_roots for part in ("--models", str(root))]
    folders = ("--artifacts", str(places.staging), "--prompts", str(places.prompts), "--caches", str(places.caches))
    return [sys.executable, "-m", "engine.worker", "--device", device, *folders, *roots]


def _likely(places: Places) -> frozenset[str]:
    """What a worker is started with before there is a job: a person with LoRAs may use one."""
    return frozenset(["peft"] if any(places.loras.glob("*.safetensors")) else [])


class LocalWorker:
    """One `python -m engine.worker`, started when first needed, spoken to in JSON lines: an `Executor`.

    Importing the large libraries that only some jobs need takes two fifths of its start: it starts anew for one that
    it came without.
    """

    def __init__(self, places: Places, device: str, heard: Callable[[Ready], None] = lambda _: None) -> None:
        self._places, self._device, self._heard = places, device, heard
        self._log = places.logs / f"worker-{device.replace(':', '')}.log"
        self._oom_kills = 0
        self._libraries: frozenset[str] = frozenset()
        self._process: LineProcess[Told] | None = None
        self._starting, self._closed = threading.Lock(), False
        self.ready = Ready(versions={})
        self.held: Held | None = None  # after its last job
        self._cancelled_at: float | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it unless it runs. Importing torch takes it some seconds; nobody waits for that here.

        Raises WorkerDied once this is closed: a lane may claim a job in the moment in which its engine closes.
        """
        with self._starting:
            if self._closed:
                raise WorkerDied(Message("The studio was closed."), Message("Open it again; the job waits."))
            if not (self._process and self._process.runs):
                self._libraries |= _likely(self._places)
            known = [part for name in sorted(self._libraries) for part in ("--library", name)]
            command = [*worker_command(self._places, self._device), *known]
            if self._process and self._process.command != command:  # a library more, or models in another folder
                self.stop()
            if not (self._process and self._process.runs):
                self._process = self._launched(command)

    def _launched(self, command: list[str]) -> LineProcess[Told]:
        self._oom_kills, self.held = oom_kills(), None
        stray = "worker said something that is no message"
        program = Program(command, worker_environment(), self._log, LOG_BYTES, stray)
        return LineProcess(program, read_by_engine, self._heard_greeting)

    def _heard_greeting(self, message: Told) -> None:
        """No job waits for it."""
        if isinstance(message, Ready):
            self._heard(message)

    def perform(self, job: Job) -> Iterator[Event | RanOut | None]:
        """The events of a job, up to its final one or RanOut; None where nothing was new for a moment.

        Raises WorkerDied.
        """
        kind = kind_of(job.kind)
        self._libraries |= kind.libraries(job.plan)
        self._cancelled_at = None
        self.start()
        self._send(line(RunJob.of(job, kind.performer)))
        while True:
            for event in self._heard_of(job.id):
                yield event
                if isinstance(event, FinalEvent | RanOut):
                    return
            if self._is_deaf():
                self.kill()

    def cancel(self, job_id: str) -> None:
        """Ask the worker to stop the job; one that does not answer is ended."""
        if self._cancelled_at is None:
            self._cancelled_at = time.monotonic()
            self._send(line(CancelJob(job_id=job_id)))

    def _is_deaf(self) -> bool:
        """Whether it was told to cancel and did not, for so long."""
        return self._cancelled_at is not None and time.monotonic() - self._cancelled_at > CANCEL_GRACE_SECONDS

    def _heard_of(self, job_id: str) -> Iterator[Event | RanOut | None]:
        """The next message, where it is about this job; None where it is not, and where there is none."""
        assert self._process
        try:
            message = self._process.said.get(timeout=POLL_SECONDS)
        except queue.Empty:
            yield None
            return
        if message is None:
            code = self._process.exit_code(DYING_SECONDS)
            if self._cancelled_at is None:
                raise self._died(code)
            yield Cancelled()
        elif isinstance(message, Ready):
            self.ready = message
        elif isinstance(message, Holds):
            self.held = message.held
        elif message.job_id == job_id:
            yield message if isinstance(message, RanOut) else message.event
        yield None

    def kill(self) -> None:
        if self._process:
            self._process.kill()

    def close(self) -> None:
        """Stop it, for good."""
        with self._starting:
            self._closed = True
        self.stop()

    def stop(self) -> None:
        """Close its stdin, which makes it leave; then make sure."""
        if self._process:
            self._process.end(LEAVING_SECONDS)

    def _send(self, text: str) -> None:
        assert self._process
        try:
            self._process.send(text)
        except (OSError, ValueError) as error:  # ValueError: its stdin was closed to end it
            raise self._died(self._process.exit_code(DYING_SECONDS)) from error

    def _died(self, code: int) -> WorkerDied:
        return of(code, oom_kills() > self._oom_kills, self._log.read_text(errors="replace")[-2000:])
