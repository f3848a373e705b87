"""The door, attacked: who may come in. One table of hostile requests; later issues add their own rows.

Requests are built by hand, byte for byte: a client library would tidy up the very thing that is being tried.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine import Engine
from tests.ui.conftest import HOME, PORT, SAME, TAKE, Headers, Knock, knock_at
from ui.page import server
from ui.page.app import application
from ui.page.middleware.access import Door, Rules

# ---- who may come in ----

WELCOME: dict[str, tuple[str, Headers]] = {
    "typed in": ("/", {"host": HOME, "sec-fetch-site": "none", "sec-fetch-mode": "navigate"}),
    "localhost": ("/", {"host": f"localhost:{PORT}", "sec-fetch-site": "none"}),
    "IPv6 loopback": ("/", {"host": f"[::1]:{PORT}"}),
    "a program that is no browser": ("/config", {"host": HOME}),
    "the page's own script": ("/theme.css", SAME),
    "a link from elsewhere, in a tab of its own": (
        "/",
        {"host": HOME, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
    ),
}
EVIL = "http://evil.example"
STRANGERS: dict[str, tuple[str, str, Headers]] = {
    "no host": ("GET", "/", {}),
    "a foreign host (DNS rebinding)": ("GET", "/", {"host": "evil.example"}),
    "a foreign host with our port": ("GET", "/config", {"host": f"evil.example:{PORT}"}),
    "a rebound host and origin that agree": (
        "POST", "/gradio_api/queue/join", {"host": f"evil.example:{PORT}", "origin": f"http://evil.example:{PORT}"}),
    "our host with another port": ("GET", "/", {"host": "127.0.0.1:1"}),
    "our host without its port": ("GET", "/", {"host": "127.0.0.1"}),
    "a host that only begins like ours": ("GET", "/", {"host": f"127.0.0.1.evil.example:{PORT}"}),
    "a host that only ends like ours": ("GET", "/", {"host": f"evil.localhost:{PORT}"}),
    "another name of this machine": ("GET", "/", {"host": f"0.0.0.0:{PORT}"}),
    "cross-site JSON": ("POST", "/gradio_api/queue/join", {"host": HOME, "origin": EVIL}),
    "cross-site form": ("POST", "/gradio_api/run/preview", {
        "host": HOME, "origin": EVIL, "content-type": "text/plain", "sec-fetch-site": "cross-site"}),
    "cross-site upload": ("POST", "/gradio_api/upload", {
        "host": HOME, "origin": EVIL, "content-type": "multipart/form-data; boundary=x"}),
    "a sandboxed page (Origin: null)": ("POST", "/gradio_api/queue/join", {"host": HOME, "origin": "null"}),
    "Origin: null on a GET": ("GET", "/config", {"host": HOME, "origin": "null"}),
    "another local program's page": ("POST", "/gradio_api/queue/join", {
        "host": HOME, "origin": "http://127.0.0.1:3000", "sec-fetch-site": "same-site"}),
    "https where we are http": ("POST", "/gradio_api/queue/join", {"host": HOME, "origin": f"https://{HOME}"}),
    "an image tag elsewhere": ("GET", f"/media/take/{TAKE}", {"host": HOME, "sec-fetch-site": "cross-site"}),
    "a script tag elsewhere": ("GET", "/config", {
        "host": HOME, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}),
    "a frame elsewhere": ("GET", "/", {
        "host": HOME, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}),
    "a link with a query of theirs": ("GET", "/?deep_link=x", {
        "host": HOME, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}),
    "a form elsewhere that posts to the page": ("POST", "/", {
        "host": HOME, "origin": EVIL, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document"}),
    "a preflight": ("OPTIONS", "/gradio_api/queue/join", {
        "host": HOME, "origin": EVIL, "access-control-request-method": "POST"}),
    "a stream elsewhere": ("GET", "/gradio_api/queue/data", {
        "host": HOME, "origin": EVIL, "sec-fetch-site": "cross-site"}),
}  # fmt: skip


@pytest.mark.parametrize("name", WELCOME)
def test_the_owner_comes_in(knock: Knock, name: str) -> None:
    path, headers = WELCOME[name]
    assert knock(path, headers)[0] == 200


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_stays_out_and_learns_nothing(knock: Knock, name: str) -> None:
    method, path, headers = STRANGERS[name]
    status, answer, body = knock(path, headers, method=method)
    assert status in (403, 421)
    assert not any(name.startswith("access-control") for name in answer)
    assert len(body) < 200


def test_two_hosts_are_no_host() -> None:
    scope_headers = [(b"host", HOME.encode()), (b"host", b"evil.example")]
    assert _websocket(scope_headers)[0]["type"] == "websocket.close"


def _websocket(headers: list[tuple[bytes, bytes]]) -> list[dict[str, Any]]:
    """Knock with a websocket at a door whose app accepts everybody."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/gradio_api/queue/join", "headers": headers, "query_string": b""}
    asyncio.run(Door(app, Rules.of_this_machine(PORT))(scope, receive, send))
    return sent


@pytest.mark.parametrize("origin", [EVIL, "null", "", "http://127.0.0.1:3000", f"http://{HOME}.evil.example"])
def test_a_foreign_websocket_is_closed_before_it_is_accepted(origin: str) -> None:
    headers = [(b"host", HOME.encode()), *([(b"origin", origin.encode())] if origin else [])]
    assert [message["type"] for message in _websocket(headers)] == ["websocket.close"]


def test_our_own_websocket_is_accepted() -> None:
    headers = [(b"host", HOME.encode()), (b"origin", f"http://{HOME}".encode())]
    assert [message["type"] for message in _websocket(headers)] == ["websocket.accept"]


LAUNCHER = "http://localhost:42000"
IN_A_FRAME = {"host": HOME, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}


def test_a_launcher_that_is_named_may_frame_the_page_and_nobody_else(engine: Engine) -> None:
    door = Door(application(engine).app, Rules.of_this_machine(PORT, frames=(LAUNCHER,)))
    status, answer, _ = knock_at(door, "/", IN_A_FRAME)
    assert status == 200
    assert answer["content-security-policy"].endswith(f"frame-ancestors {LAUNCHER}")  # the browser holds to it
    assert knock_at(door, "/config", IN_A_FRAME)[0] == 403


@pytest.mark.parametrize(
    ("text", "frames"),
    [(f"{LAUNCHER} https://pinokio.localhost", 2), ("*", 0), ("'self'; script-src *", 0), ("https://*.example", 0)],
)
def test_only_plain_origins_can_be_named(monkeypatch: pytest.MonkeyPatch, text: str, frames: int) -> None:
    monkeypatch.setenv("RUSHES_FRAMED_BY", text)
    assert len(server._frames()) == frames
