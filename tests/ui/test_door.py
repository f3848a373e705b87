"""The door, attacked. One table of hostile requests; later issues add their own rows.

Requests are built by hand, byte for byte: a client library would tidy up the very thing that is being tried.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from engine import Engine, Recipe, Request
from ui.page import server
from ui.page.door import Door, Rules
from ui.page.intake import Uploads
from ui.page.studio import application

PORT = 7433
HOME = f"127.0.0.1:{PORT}"
TAKE = "20260101-120000-a-red-ball-ab12"
SAME = {"host": HOME, "origin": f"http://{HOME}", "sec-fetch-site": "same-origin"}
Headers = dict[str, str]
Knock = Callable[..., tuple[int, Headers, bytes]]


def knock_at(app: Any, path: str, headers: Headers, method: str = "GET", body: tuple[bytes, ...] = (b"",)) -> Any:
    """One HTTP request, given to an ASGI app the way uvicorn would: the path decoded once."""
    bare, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(bare), "raw_path": bare.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 5000), "server": ("127.0.0.1", PORT),
    }  # fmt: skip
    chunks = [{"type": "http.request", "body": part, "more_body": i + 1 < len(body)} for i, part in enumerate(body)]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not chunks:
            await asyncio.Event().wait()  # the caller stays on the line
        return chunks.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    status = next(message["status"] for message in sent if message["type"] == "http.response.start")
    answer = {
        name.decode(): value.decode()
        for message in sent if message["type"] == "http.response.start"
        for name, value in message["headers"]
    }  # fmt: skip
    return status, answer, b"".join(message.get("body", b"") for message in sent)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("home")) as engine:
        _put_take(engine, TAKE)
        yield engine


@pytest.fixture(scope="module")
def knock(engine: Engine) -> Knock:
    """Knock at the whole application, behind its door."""
    door = Door(application(engine).app, Rules.of_this_machine(PORT))
    return lambda *args, **kwargs: knock_at(door, *args, **kwargs)


def _put_take(engine: Engine, name: str) -> Path:
    """A take in the library, with the files a worker leaves."""
    plan = engine.plan(Request(prompt="a red ball rolls to the left on a blue background", seed=1))
    recipe = Recipe(kind="take", id=name, plan=plan, seconds=1.0, versions={}, created="2026-01-01T12:00:00Z")
    folder = engine.places.takes / name
    folder.mkdir()
    (folder / "take.json").write_text(recipe.model_dump_json())
    (folder / "take.mp4").write_bytes(b"0123456789" * 10)
    (folder / "poster.jpg").write_bytes(b"jpeg")
    (folder / "latents.safetensors").write_bytes(b"secret latents")
    return folder


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


# ---- what they may ask for ----

CLOSED = [
    "/gradio_api/file=/etc/passwd",
    "/gradio_api/file/etc/passwd",
    "/gradio_api/file=C:\\Windows\\win.ini",
    "/file=/etc/passwd",
    "/gradio_api/proxy=https://evil.example/",
    "/gradio_api/upload",
    "/gradio_api/vibe-edit/",
    "/gradio_api/component_server",
    "/gradio_api/stream/x",
    "/gradio_api/openapi.json",
    "/monitoring",
    "/login",
    "/docs",
    "/static/../../../../etc/passwd",
    "/static/%2e%2e/%2e%2e/etc/passwd",
    "/static/%252e%252e/%252e%252e/etc/passwd",
    "/assets/..%5c..%5cwindows",
    "//evil.example/",
    "/media/take/..%2f..%2frushes.sqlite3",
    "/media/take/../../rushes.sqlite3",
    "/media/take/%2e%2e",
    "/media/take/%2fetc%2fpasswd",
    "/media/take/C%3A%5CWindows%5Cwin.ini",
    "/media/take/%5c%5cevil.example%5cshare%5cx",
    f"/media/take/{TAKE}/latents.safetensors",
    f"/media/take/{TAKE}/take.json",
    f"/media/take/{TAKE}%00.mp4",
    f"/media/clip/{TAKE}",
    "/media/take/last",
    "/media/take/red-ball",
    "/media/model/starter",
    "/media/take/",
]


@pytest.mark.parametrize("path", CLOSED)
def test_what_the_page_does_not_need_is_not_there(knock: Knock, path: str) -> None:
    status, _, body = knock(path, SAME)
    assert status == 404
    assert b"root:" not in body and b"secret" not in body


def test_a_take_is_served_by_its_name(knock: Knock) -> None:
    status, answer, body = knock(f"/media/take/{TAKE}", SAME)
    assert (status, answer["content-type"], len(body)) == (200, "video/mp4", 100)
    assert knock(f"/media/take/{TAKE}/poster", SAME)[2] == b"jpeg"


def test_a_player_can_seek(knock: Knock) -> None:
    status, answer, body = knock(f"/media/take/{TAKE}", {**SAME, "range": "bytes=10-14"})
    assert (status, answer["content-range"], body) == (206, "bytes 10-14/100", b"01234")


def test_a_link_out_of_the_data_folder_is_not_followed(engine: Engine, knock: Knock, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    video = _put_take(engine, "linked-take") / "take.mp4"
    video.unlink()
    try:
        video.symlink_to(secret)
    except OSError:
        pytest.skip("this system lets this user make no links")
    assert knock("/media/take/linked-take", SAME)[0] == 404


# ---- how much they may bring ----


def test_a_large_body_is_refused_by_its_announcement(knock: Knock) -> None:
    headers = {**SAME, "content-length": "99000000"}
    assert knock("/gradio_api/queue/join", headers, method="POST")[0] == 413


@pytest.mark.parametrize("length", [None, "10"])
def test_a_large_body_is_cut_off_when_the_announcement_is_missing_or_a_lie(knock: Knock, length: str | None) -> None:
    headers = {**SAME, "content-type": "application/json"} | ({"content-length": length} if length else {})
    body = (b'{"data": ["', *[b"x" * 100_000] * 20, b'"]}')
    assert knock("/gradio_api/queue/join", headers, method="POST", body=body)[0] == 413


UPLOADS = Uploads(total_bytes=2000, files=2)


@pytest.mark.parametrize(("files", "size", "status"), [(2, 100, 200), (3, 10, 413), (1, 3000, 413)])
@pytest.mark.parametrize("cut", [7, 5000])
def test_uploads_are_bounded_in_size_and_count(files: int, size: int, status: int, cut: int) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    part = b'--edge\r\ncontent-disposition: form-data; name="files"; filename="a"\r\n\r\n' + b"x" * size + b"\r\n"
    body = part * files + b"--edge--\r\n"
    chunks = tuple(body[at : at + cut] for at in range(0, len(body), cut))  # also cut inside a delimiter
    headers = {**SAME, "content-type": "multipart/form-data; boundary=edge"}
    door = Door(app, Rules.of_this_machine(PORT, UPLOADS))
    assert knock_at(door, "/gradio_api/upload", headers, "POST", chunks)[0] == status


# ---- what every answer carries ----


@pytest.mark.parametrize("path", ["/", "/config", f"/media/take/{TAKE}", "/nothing"])
def test_every_answer_is_sealed(knock: Knock, path: str) -> None:
    answer = knock(path, SAME)[1]
    policy = answer["content-security-policy"]
    assert "frame-ancestors 'none'" in policy and "default-src 'self'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert answer["x-content-type-options"] == "nosniff"
    assert answer["x-frame-options"] == "DENY"
    assert "server" not in answer


def test_the_page_allows_its_own_scripts_only_and_anew_each_time(knock: Knock) -> None:
    pages = [knock("/", SAME) for _ in range(2)]
    nonces = [answer["content-security-policy"].partition("'nonce-")[2].partition("'")[0] for _, answer, _ in pages]
    assert nonces[0] != nonces[1]
    for nonce, (_, answer, body) in zip(nonces, pages, strict=True):
        assert body.count(b"<script") == body.count(f'<script nonce="{nonce}"'.encode()) > 0
        assert int(answer["content-length"]) == len(body)


def test_the_style_fetches_nothing_from_elsewhere(knock: Knock) -> None:
    styles = knock("/theme.css", SAME)[2]
    assert b"@import" not in styles
    assert not re.search(rb"url\([\"']?\s*(https?:)?//", styles)
