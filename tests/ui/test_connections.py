"""Half-open connections are closed in time and leave room for everybody else; what is answered slowly is left alone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import h11
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from ui.page.middleware import json_depth
from ui.page.middleware.connections import MOST_UNFINISHED, PatientProtocol

HEADER, BODY = 1.0, 1.0  # seconds, instead of 10 and 30


class Hasty(PatientProtocol):
    unfinished = {}
    header_seconds, body_seconds = HEADER, BODY


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Counts a body; /slow answers a piece every half second, for longer than any wait."""
    if scope["type"] == "lifespan":
        return
    count, more = 0, scope["path"] != "/no"
    while more:
        message = await receive()
        count, more = count + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 401 if scope["path"] == "/no" else 200, "headers": []})
    for _ in range(5 if scope["path"] == "/slow" else 0):
        await send({"type": "http.response.body", "body": b".", "more_body": True})
        await asyncio.sleep(0.5)
    await send({"type": "http.response.body", "body": str(count).encode()})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    server = uvicorn.Server(uvicorn.Config(app, http=Hasty, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    server.should_exit = True
    thread.join(10)


def opened(port: int, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(sent)
    return connection


def answer(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(10_000):
            received += part
    return received


HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("sent", [b"", b"GET / HT", GET[:-2], HEAD, HEAD + b"half"])
def test_what_never_ends_is_closed_without_an_answer(sent: bytes, port: int) -> None:
    with opened(port, sent) as connection:
        begun = time.monotonic()
        assert answer(connection) == b""
        assert time.monotonic() - begun > 0.5 * HEADER


def test_headers_that_drip_are_closed_all_the_same(port: int) -> None:
    with opened(port) as connection, pytest.raises(OSError):
        for letter in (GET[:-2] * 20)[:200]:
            connection.sendall(bytes([letter]))
            time.sleep(0.1)


def test_a_body_that_comes_slowly_but_steadily_is_taken(port: int) -> None:
    with opened(port, HEAD) as connection:
        for _ in range(10):  # 3 seconds in all, three times what a pause may take
            time.sleep(0.3 * BODY)
            connection.sendall(b"x")
        assert b"\r\n10\r\n" in answer(connection)


def test_a_slow_answer_is_no_unfinished_request(port: int) -> None:
    with opened(port, GET.replace(b"/", b"/slow", 1)) as connection:
        assert answer(connection).count(b".") >= 5


def test_many_half_open_connections_leave_the_page_reachable(port: int) -> None:
    held = [opened(port, b"GET / HT") for _ in range(4 * MOST_UNFINISHED)]
    try:
        begun = time.monotonic()
        with opened(port, GET) as connection:
            assert answer(connection).startswith(b"HTTP/1.1 200")
        assert len(Hasty.unfinished) <= MOST_UNFINISHED and time.monotonic() - begun < 5
    finally:
        for connection in held:
            connection.close()


def test_uploads_are_not_closed_for_those_who_only_wait(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hasty, "body_seconds", 30.0)  # a busy machine takes more than one to open what follows
    with opened(port, HEAD + b"12345") as upload:
        while not any(one.conn.their_state is h11.SEND_BODY for one in tuple(Hasty.unfinished)):
            time.sleep(0.01)
        held = [opened(port) for _ in range(2 * MOST_UNFINISHED)]
        try:
            upload.sendall(b"67890")
            assert b"\r\n10\r\n" in answer(upload)
        finally:
            for connection in held:
                connection.close()


def test_who_was_answered_already_cannot_keep_others_out(port: int) -> None:
    """As a stranger without the password, who goes on sending the body that nobody reads."""
    head = HEAD.replace(b"POST / ", b"POST /no ").replace(b"Connection: close\r\n", b"").replace(b": 10", b": 900000")
    held = [opened(port, head) for _ in range(MOST_UNFINISHED + 10)]
    try:
        for connection in held:
            with contextlib.suppress(OSError):  # of those that had to make room
                assert connection.recv(12) in (b"HTTP/1.1 401", b"")
                connection.sendall(b"x")
        with opened(port, GET) as connection:
            assert answer(connection).startswith(b"HTTP/1.1 200")
        time.sleep(1.5 * BODY)
        assert not Hasty.unfinished
    finally:
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    ("body", "deep"),
    [
        (b"[" * 100_000, True),
        (b'{"a":' * 70 + b"1", True),
        (b'{"a": "' + b"[" * 5000 + b'"}', False),
        (b'{"a": "\\"' + b"[" * 5000 + b'"}', False),
        (b"[]" * 5000, False),
        (b"[" * 60 + b"]" * 60, False),
        (b"", False),
        (b'"' * 999_999, False),
    ],
)
def test_json_is_measured_before_it_is_parsed(body: bytes, deep: bool) -> None:
    assert json_depth.too_deep(body) == deep
