"""A child process that is told JSON lines on its stdin and answers with JSON lines; what else it says is in a log.

It leaves when its stdin ends, so that no orphan outlives the app. One that does not leave is killed.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Generic, TypeVar

from engine.paths import APP

Line = TypeVar("Line")


@dataclass(frozen=True)
class Program:
    """What is started. `log`: the file for its stderr, begun anew above `log_bytes`; `stray`: what is said, on this
    side's stderr, before a line of it that is no message."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    log_bytes: int
    stray: str


class LineProcess(Generic[Line]):
    """One started program. `said` has its messages in their order, and None once its stdout has ended."""

    def __init__(
        self, program: Program, read: Callable[[str], Line], heard: Callable[[Line], None] = lambda _: None
    ) -> None:
        """`read`: a line as a message; raises ValueError for what is none. `heard`: told of each, in another thread."""
        self.said: queue.Queue[Line | None] = queue.Queue()
        self.command, self._read, self._heard, self._stray = program.command, read, heard, program.stray
        fresh = not program.log.exists() or program.log.stat().st_size > program.log_bytes
        with program.log.open("w" if fresh else "a") as log:
            self._process = subprocess.Popen(program.command, cwd=APP, env=program.environment, text=True,
                                             encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                             stderr=log)  # fmt: skip
        assert self._process.stdin and self._process.stdout
        self._stdin = self._process.stdin
        threading.Thread(target=self._pump, args=(self._process.stdout,), daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def send(self, line: str) -> None:
        """Raises OSError where it is gone, ValueError where its stdin was closed to end it."""
        self._stdin.write(line)
        self._stdin.flush()

    def kill(self) -> None:
        """Without a word, and without waiting until it is gone."""
        self._process.kill()

    def end(self, seconds: float) -> None:
        """Close its stdin, which makes it leave within so long; then make sure."""
        try:
            self._stdin.close()
            self._process.wait(timeout=seconds)
        except (subprocess.TimeoutExpired, OSError):
            self._process.kill()
            self._process.wait()

    def exit_code(self, seconds: float) -> int:
        """Of one that is leaving; killed where that takes it longer."""
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _pump(self, stream: IO[str]) -> None:
        with stream:
            for text in stream:
                try:
                    message = self._read(text)
                    self.said.put(message)
                    self._heard(message)
                except ValueError:
                    print(f"{self._stray}: {text[:200]!r}", file=sys.stderr)
        self.said.put(None)
