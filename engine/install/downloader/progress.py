"""How far, how fast, how long still: what the downloading process says twice a second."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from engine.schema.manifest import DownloadPhase, Moving
from engine.schema.message import Message

REPORT_SECONDS = 0.5
WINDOW_SECONDS = 8.0  # what the speed is averaged over


class Meter:
    """Counts bytes from several threads. `stop` is set when the process should leave."""

    def __init__(self, say: Callable[[Moving], None], stop: threading.Event) -> None:
        self.stop = stop
        self.total = 0
        self._say, self._lock = say, threading.Lock()
        self._done = 0
        self._phase: DownloadPhase = "listing"
        self.notes: tuple[Message, ...] = ()
        self._wire: deque[tuple[float, int]] = deque()
        self._said_at = self._moved_at = time.monotonic()

    @property
    def done(self) -> int:
        """The bytes that are here."""
        return self._done

    def phase(self, phase: DownloadPhase) -> None:
        self._phase = phase
        self.report()

    def note(self, text: Message) -> None:
        with self._lock:
            if text not in self.notes:
                self.notes = (*self.notes, text)

    def touch(self) -> None:
        """Start counting silence anew."""
        self._moved_at = time.monotonic()

    def silent_for(self) -> float:
        """Seconds since the last byte from anywhere."""
        return time.monotonic() - self._moved_at

    def moved(self, count: int, wire: bool) -> None:
        """`count` bytes more are here; `wire`: they took time, so they count for the speed."""
        with self._lock:
            self._done += count
            if count > 0:
                self._moved_at = time.monotonic()
            if wire:
                self._wire.append((time.monotonic(), count))
                if self._phase != "fetching":
                    self._phase = "fetching"
        self.report()

    def report(self) -> None:
        """Say where it stands, at most twice a second."""
        with self._lock:
            moment = time.monotonic()
            if moment - self._said_at < REPORT_SECONDS:
                return
            self._said_at = moment
            while self._wire and moment - self._wire[0][0] > WINDOW_SECONDS:
                self._wire.popleft()
            span = max(moment - self._wire[0][0], REPORT_SECONDS) if self._wire else WINDOW_SECONDS
            speed = max(sum(count for _, count in self._wire), 0) / span
            left = (self.total - self._done) / speed if speed else None
            phase: DownloadPhase = "checking" if self.total and self._done >= self.total else self._phase
            self._say(
                Moving(
                    phase=phase, bytes_done=max(self._done, 0), bytes_total=self.total, bytes_per_second=speed,
                    seconds_left=left, notes=self.notes,
                )
            )  # fmt: skip
