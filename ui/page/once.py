"""A click that makes or deletes something counts once: what follows it at once, for the same, is a double click."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

SECONDS = 1.0  # a double click takes half of that; whoever wants more has seen the answer by then


class Once:
    """What is being done by a click, and what was until a moment ago."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds, self._lock = seconds, threading.Lock()
        self._until: dict[Hashable, float] = {}  # by the clock of `monotonic`; infinite while it is done

    @contextmanager
    def first(self, what: Hashable) -> Iterator[bool]:
        """Whether this is the first click for `what`. It is told by what is asked for, not by the button or the
        browser: a request that is delivered twice, or comes from a second tab, is the same click."""
        now = time.monotonic()
        with self._lock:
            self._until = {key: until for key, until in self._until.items() if until > now}
            is_first = what not in self._until
            if is_first:
                self._until[what] = float("inf")
        try:
            yield is_first
        finally:
            if is_first:
                with self._lock:
                    self._until[what] = time.monotonic() + self._seconds
