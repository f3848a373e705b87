"""The most memory that a job holds at any moment."""

from __future__ import annotations

import threading

import psutil

from engine.worker.accelerator import Accelerator

INTERVAL_SECONDS = 0.02


class Gauge:
    """Watches while it is open. RAM by looking often, because no system but Linux can reset its own record."""

    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator, self._peak = accelerator, 0
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="memory gauge", daemon=True)

    def __enter__(self) -> Gauge:
        self._accelerator.forget_peak()
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watcher.join()

    @property
    def ram_gb(self) -> float:
        return round(self._peak / 1e9, 3)

    @property
    def vram_gb(self) -> float:
        """What torch took from the card; its context is not in it."""
        return round(self._accelerator.peak_gb, 3)

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._done.wait(INTERVAL_SECONDS):
            self._peak = max(self._peak, process.memory_info().rss)
