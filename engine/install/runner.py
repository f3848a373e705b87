"""What runs the queue of downloads: two at a time, in one process of all that look at a data folder."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from engine.paths import Places
from engine.schema.errors import HubProblem, MachineProblem, ModelGated, ModelProblem, RushesError
from engine.schema.manifest import (
    Answer,
    Download,
    FetchFiles,
    Listed,
    ListFiles,
    ListLora,
    Manifest,
    Moving,
    Order,
    Refused,
    SignedIn,
    SignIn,
    Whole,
    answers,
)
from engine.schema.message import Message
from engine.storage.download_queue import DownloadQueue, Row
from engine.storage.lora_library import Loras
from engine.subprocess_lines import LineProcess, Program

LIST_SECONDS = 90.0
STOP_SECONDS = 2.5
LOG_BYTES = 2_000_000
MAX_DEATHS = 3  # of the process, in a row, without a byte of progress
ANSWER_SECONDS = 0.1
WRITE_SECONDS = 1.0  # how often progress is written down
UNTOLD = ("HF_DEBUG", "HF_HUB_VERBOSITY")  # they print whole requests
SETTINGS = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_XET": "1",  # the xet protocol cannot go on in the middle of a file
    "DO_NOT_TRACK": "1",
    "PYTHONUTF8": "1",
}


class DownloaderProcess:
    """One `python -m engine.install.downloader` with one order. Nothing of huggingface_hub is imported on this side."""

    def __init__(self, order: Order, places: Places) -> None:
        environment = {key: value for key, value in os.environ.items() if key not in UNTOLD} | SETTINGS
        command = [sys.executable, "-m", "engine.install.downloader"]
        stray = "the downloader said something that is no answer"
        program = Program(command, environment, places.logs / "downloads.log", LOG_BYTES, stray)
        self._process: LineProcess[Answer] = LineProcess(program, answers.validate_json)
        self.answers = self._process.said
        try:
            self._process.send(order.model_dump_json() + "\n")
        except OSError:
            self._process.kill()  # it died at once: the end of its answers says so

    @property
    def pid(self) -> int:
        return self._process.pid

    def end(self) -> None:
        """Ask it to leave, and make sure that it does."""
        self._process.end(STOP_SECONDS)


def ask_for_list(order: ListFiles | ListLora, places: Places) -> Manifest:
    """The files that an install needs. Raises RushesError, also when the hub does not answer within 90 s."""
    match _ask(order, places):
        case Listed(manifest=manifest):
            return manifest
        case Refused() as no:
            imported = isinstance(order, ListFiles) and order.source
            kind = ModelGated if no.gated else ModelProblem if imported else HubProblem
            raise kind(no.cause, no.remedy, no.detail)
    raise _silence()


def sign_in(token: str, places: Places) -> str:
    """Give huggingface_hub a token to keep. Returns the name it belongs to; raises HubProblem when it is refused."""
    match _ask(SignIn(token=token), places):
        case SignedIn(name=name):
            return name
        case Refused() as no:
            raise HubProblem(no.cause, no.remedy, no.detail)
    raise _silence()


def _ask(order: Order, places: Places) -> Answer | None:
    process = DownloaderProcess(order, places)
    try:
        return process.answers.get(timeout=LIST_SECONDS)
    except queue.Empty as error:
        raise HubProblem(
            Message("The hub does not answer."), Message("Check the internet connection, then try again.")
        ) from error
    finally:
        process.end()


def _silence() -> RushesError:
    return RushesError(
        Message("The downloader stopped without an answer."), Message("Try again; the reason is in logs/downloads.log.")
    )


class Fetcher(threading.Thread):
    """Sees one queued download through, whatever its process does on the way."""

    def __init__(self, order: FetchFiles, places: Places, rows: DownloadQueue, closing: threading.Event) -> None:
        super().__init__(name=f"download {order.list.id}", daemon=True)
        self._order, self._places, self._rows, self._closing = order, places, rows, closing
        self._model = order.list.id
        self._download = rows.row(self._model).download
        self._written_at = 0.0
        self.process: DownloaderProcess | None = None
        self.arrived: Callable[[Path], None] = lambda target: None  # told where it was handed over; may refuse it

    def run(self) -> None:
        try:
            self._see_through()
        finally:
            if self.process:
                self.process.end()

    def _see_through(self) -> None:
        deaths = 0
        while deaths < MAX_DEATHS:
            before = self._on_disk()
            if self._serve():
                return
            deaths = deaths + 1 if self._on_disk() <= before else 0
        self._write(
            state="failed",
            cause=Message("The downloader stopped three times without getting any further."),
            remedy=Message("Resume it; if that happens again, run `app.py doctor` and look at the logs folder."),
        )

    def _on_disk(self) -> int:
        """Bytes that have arrived: what a process that died could not say any more."""
        staging = Path(self._order.staging)
        return sum(path.lstat().st_size for kind in ("parts/*.part", "whole/**/*.*") for path in staging.glob(kind))

    def _serve(self) -> bool:
        """One process to its end; False when it died under its work."""
        self.process = process = DownloaderProcess(self._order, self._places)
        ended = False
        while True:
            if not ended and (wish := self._wish()):
                ended = True
                process.end()
            try:
                answer = process.answers.get(timeout=ANSWER_SECONDS)
            except queue.Empty:
                continue
            match answer:
                case Moving():
                    self._progress(answer)
                case Whole(notes=notes):
                    self._finish(notes)
                case Refused():
                    self._fail(answer.cause, answer.remedy, answer.detail)
                case None:
                    process.end()
                    if self._download.state in ("finished", "failed"):
                        return True
                    if ended:
                        self._write(state="queued" if wish == "close" else "paused", phase="waiting",
                                    bytes_per_second=0.0, seconds_left=None)  # fmt: skip
                        self._rows.wish(self._model, "")
                    return ended

    def _finish(self, notes: tuple[Message, ...]) -> None:
        try:
            self.arrived(Path(self._order.target))
        except RushesError as error:
            return self._fail(error.cause, error.remedy, error.detail)
        return self._write(state="finished", bytes_done=self._download.bytes_total, notes=notes, seconds_left=None,
                           bytes_per_second=0.0)  # fmt: skip

    def _fail(self, cause: str, remedy: str, detail: str) -> None:
        self._write(state="failed", cause=cause, remedy=remedy, detail=detail, bytes_per_second=0.0, seconds_left=None)

    def _wish(self) -> str:
        if self._closing.is_set():
            return "close"
        row = self._rows.find(self._model)
        return row.wish if row else "cancel"

    def _progress(self, answer: Moving) -> None:
        fields = answer.model_dump(exclude={"kind"})
        self._download = self._download.but(**fields)
        if time.monotonic() - self._written_at > WRITE_SECONDS:
            self._write()

    def _write(self, **changes: object) -> None:
        """Write down how it stands, however long the disk stays full: that may be the very thing to be said."""
        self._download = Download.model_validate(self._download.model_dump() | changes)
        self._written_at = time.monotonic()
        while True:
            try:
                return self._rows.update(self._download)
            except MachineProblem:
                if self._closing.wait(2.0) or not changes:
                    return None


# ---- the queue: two at a time, in one process of all that look at a data folder ----

AT_ONCE = 2
POLL_SECONDS = 0.2
ARRIVED = ".arrived"  # ends the name of the folder that a LoRA is handed over in


class DownloadLane:
    """Stands by until the process that runs the queue is gone, then runs it."""

    def __init__(self, places: Places, queue: DownloadQueue, loras: Loras, patience: float) -> None:
        self._places, self._queue, self._loras, self._patience = places, queue, loras, patience
        self._lock = FileLock(places.own_models / ".downloads.lock")
        self._closing = threading.Event()
        self._watchman: threading.Thread | None = None
        self._fetchers: list[Fetcher] = []

    def start(self) -> None:
        if not self._watchman:
            self._watchman = threading.Thread(target=self._watch, name="downloads", daemon=True)
            self._watchman.start()

    def close(self) -> None:
        self._closing.set()
        if self._watchman:
            self._watchman.join(timeout=10)

    def someone_runs(self) -> bool:
        """Whether a living process, this one or another, runs the queue."""
        try:
            with self._lock.acquire(timeout=0):
                return False
        except Timeout:
            return True

    def _watch(self) -> None:
        while not self._closing.is_set():
            try:
                with self._lock.acquire(timeout=0):
                    self._run()
            except Exception:  # another process has it, the disk is full, or what nobody foresaw: it goes on
                self._closing.wait(1.0)

    def _run(self) -> None:
        self._sweep()
        for row in self._queue.rows("running"):  # cut off with the last process that ran the queue
            self._queue.update(row.download.but(state="queued", phase="waiting"))
        while not self._closing.wait(POLL_SECONDS):
            try:
                self._start_queued()
            except MachineProblem:  # a full disk: nothing can be written down, so nothing is started
                self._closing.wait(2.0)
        for fetcher in self._fetchers:
            fetcher.join(timeout=5)

    def _sweep(self) -> None:
        """Throw away what was removed, or half moved, by a process that was killed at it."""
        places = self._places
        with contextlib.suppress(Timeout), FileLock(places.moving).acquire(timeout=1):
            for folder in (*places.model_roots[1:], places.arriving, places.caches, places.home):
                for left in folder.glob(".removed-*"):
                    shutil.rmtree(left, ignore_errors=True)

    def _start_queued(self) -> None:
        self._fetchers = [fetcher for fetcher in self._fetchers if fetcher.is_alive()]
        if not self._places.models.is_dir():  # its disk is unplugged: what is queued waits
            return
        for row in self._queue.rows("queued")[: AT_ONCE - len(self._fetchers)]:
            name = row.download.model
            self._queue.wish(name, "")
            self._queue.update(row.download.but(state="running", phase="listing"))
            order = FetchFiles(list=row.order, staging=str(self._places.arriving / name), target=str(self._target(row)),
                               patience=self._patience)  # fmt: skip
            fetcher = Fetcher(order, self._places, self._queue, self._closing)
            if isinstance(row.order, ListLora):
                fetcher.arrived = self._keep_lora
            fetcher.start()
            self._fetchers.append(fetcher)

    def _target(self, row: Row) -> Path:
        if isinstance(row.order, ListLora):
            return self._places.arriving / f"{row.download.model}{ARRIVED}"
        return self._places.models / row.download.model

    def _keep_lora(self, folder: Path) -> None:
        """What was handed over becomes a LoRA like any other, or is refused and thrown away. Raises RushesError."""
        try:
            self._loras.keep_arrived(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
