"""Connections that never finish what they send: each gets so long, and there are so many at once.

uvicorn waits for ever for the rest of a request. A thousand half-open connections and the page is gone, also for those
without the password of the home network: nothing above this sees a request before its headers are whole.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0  # until the headers are there
BODY_SECONDS = 30.0  # between two pieces of a body
MOST_UNFINISHED = 64  # connections that have not sent a whole request; streams that are answered do not count


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that closes what is not finished in time, and the longest waiting one when there are too many."""

    unfinished: ClassVar[dict[PatientProtocol, None]] = {}  # the oldest first
    header_seconds: ClassVar[float] = HEADER_SECONDS
    body_seconds: ClassVar[float] = BODY_SECONDS
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.unfinished) >= MOST_UNFINISHED:
            # one that still sends headers, or was answered already, rather than an upload; the new one when all are
            waiting = (one for one in self.unfinished if one.conn.their_state is h11.IDLE or one.is_answered)
            next(waiting, self).give_up()
        if not transport.is_closing():
            self._wait()

    @property
    def is_answered(self) -> bool:
        """Whether it was told no before it had sent everything: what still comes is read by nobody."""
        return self.conn.our_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR)

    def data_received(self, data: bytes) -> None:
        began = self.conn.their_state is h11.IDLE and self._timer is not None
        super().data_received(data)
        if self.is_answered and self._timer:
            return  # each further byte would put off the end
        if self.conn.their_state is h11.SEND_BODY or (self.conn.their_state is h11.IDLE and not began):
            self._wait()
        elif self.conn.their_state is not h11.IDLE:
            self._finished()

    def connection_lost(self, exc: Exception | None) -> None:
        self._finished()
        super().connection_lost(exc)

    def give_up(self) -> None:
        """Close without an answer: whoever sends nothing reads none."""
        self._finished()
        self.transport.abort()

    def _wait(self) -> None:
        """Start the time anew: for the headers, or for the next piece of a body."""
        self._cancel()
        self.unfinished.setdefault(self)
        seconds = self.body_seconds if self.conn.their_state is h11.SEND_BODY else self.header_seconds
        self._timer = self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        if self.flow.read_paused:  # it is we who are slow: what came is still being written to the disk
            self._wait()
        else:
            self.give_up()

    def _finished(self) -> None:
        self._cancel()
        self.unfinished.pop(self, None)

    def _cancel(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
