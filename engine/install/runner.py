"""What runs the queue of downloads: two at a time, in one process of all that look at a data folder."""

from __future__ import annotations

import contextlib
import shutil
import threading
from pathlib import Path

from filelock import FileLock, Timeout

from engine.install.fetcher import Fetcher
from engine.paths import Places
from engine.schema.errors import MachineProblem
from engine.schema.manifest import FetchFiles, ListLora
from engine.storage.download_queue import DownloadQueue, Row
from engine.storage.lora_library import Loras

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
            self._queue.update(row.download.model_copy(update={"state": "queued", "phase": "waiting"}))
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
            self._queue.update(row.download.model_copy(update={"state": "running", "phase": "listing"}))
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
