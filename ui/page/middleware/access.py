"""The door in front of the page: only this machine's own browser tab comes in, and only to what the page needs.

A web page from elsewhere can make a browser send requests to 127.0.0.1. Three things give it away: the Host it asked
for (a name of its own that it pointed here), the Origin it was loaded from, and Sec-Fetch-Site, which a browser adds
and a page cannot change. Each is checked on every request of every method, streams and websockets included.

Shared on the home network, other machines come in too, with the password (`lan_auth`); this one's own tab needs none.
Not covered: other programs of the same user (they can read the files anyway).
"""

from __future__ import annotations

import re
import secrets
import socket
from dataclasses import dataclass
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine import MAX_LORA_BYTES, MAX_PICTURE_BYTES, MAX_VIDEO_BYTES
from ui.page.middleware import json_depth
from ui.page.middleware.lan_auth import Lock, is_this_machine
from ui.page.middleware.security_headers import Seal, sealed
from ui.texts import DOOR, LAN


class Intake:
    """Counts a request's body. `over` once it was too much; the app then sees the sender hang up."""

    def __init__(self, receive: Receive, body_bytes: int) -> None:
        self._receive, self._left = receive, body_bytes
        self.over = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and not self.over:
            self._left -= len(message.get("body", b""))
            self.over = self._left < 0
        return {"type": "http.disconnect"} if self.over else message


# ---- the door ----

# What the page itself asks for; whatever else Gradio can do (serve files by path, proxy, edit code) is not reachable.
OPEN = re.compile(
    r"/|/(config|theme\.css|favicon\.ico|manifest\.json|robots\.txt)|/pwa_icon(/\d+)?|/(assets|static|svelte)/[\w./-]+"
    r"|/media/(take|clip)/[^/]+(/(poster|recipe))?|/media/(picture|video)/[0-9a-f]{32}"
    r"|/media/peek/[\w-]+/peek-\d+\.webp|/bring/(picture|video|lora|preset)"
    r"|/preset/(request|look|camera|tier)/[a-z0-9-]+\.toml|/support\.zip|/mcp"
    r"|/gradio_api/(info|app_id|theme\.css|startup-events|queue/(join|data)|cancel|reset|heartbeat/\w+)/?"
    r"|/gradio_api/(run|api|call|call/v2)/\w+(/\w+)?/?"
)
BODY_BYTES = 1_000_000  # a request of the page is a form of some kilobytes
LARGER_BODIES = {
    "/bring/picture": MAX_PICTURE_BYTES,
    "/bring/video": MAX_VIDEO_BYTES,
    "/bring/lora": MAX_LORA_BYTES,
}
DOTS = re.compile(r"(^|/)\.{1,2}(/|$)|[\\\x00-\x1f\x7f]|//|%")


@dataclass(frozen=True)
class Rules:
    """Who may come in. `frames` are the origins whose pages may show the studio inside their own: none, or the launcher
    that started it and shows its apps that way."""

    hosts: frozenset[str]
    origins: frozenset[str]
    frames: tuple[str, ...] = ()
    lock: Lock | None = None

    @classmethod
    def at_home(cls, port: int, addresses: list[str], lock: Lock) -> Rules:
        """This machine, and whoever on its network knows the password, by its addresses and by its name."""
        own = cls.of_this_machine(port)
        name = socket.gethostname().casefold()
        hosts = own.hosts | {f"{host}:{port}" for host in (*addresses, name, f"{name}.local")}
        return cls(hosts, frozenset(f"http://{host}" for host in hosts), lock=lock)

    @classmethod
    def of_this_machine(cls, port: int, frames: tuple[str, ...] = ()) -> Rules:
        names = ("127.0.0.1", "localhost", "[::1]")
        hosts = {f"{name}:{port}" for name in names} | (set(names) if port == 80 else set())
        return cls(frozenset(hosts), frozenset(f"http://{host}" for host in hosts), frames=frames)


@dataclass(frozen=True)
class Refusal:
    status: int
    sentence: str


class Door:
    """An ASGI layer: refuses, or lets through with a bounded body and sealed headers."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        refusal = refusal_of(scope, self._rules) or locked_out(scope, self._rules)
        if scope["type"] == "websocket":
            if refusal:
                return await send({"type": "websocket.close", "code": 1008})
            return await self._app(scope, receive, send)
        nonce = secrets.token_urlsafe(16)
        send = sealed(send, Seal(nonce, self._rules.frames), is_page=scope["path"] == "/")
        if refusal:
            asks = {"WWW-Authenticate": 'Basic realm="Rushes", charset="UTF-8"'} if refusal.status == 401 else None
            return await PlainTextResponse(refusal.sentence, refusal.status, asks)(scope, receive, send)
        return await self._admit(_uncompressed(scope), receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; when its body turns out too large, answer that instead of whatever the app says."""
        intake = Intake(receive, _body_bytes(scope))
        incoming: Receive = intake.receive
        if scope["method"] == "POST" and json_depth.PATHS.fullmatch(scope["path"]):
            body, incoming = await json_depth.whole(intake.receive)
            if json_depth.too_deep(body):
                await PlainTextResponse(DOOR.too_deep, 400)(scope, receive, send)
                return
        started = False

        async def send_unless_over(message: Message) -> None:
            nonlocal started
            if intake.over and not started:
                return
            started = True
            await send(message)

        try:
            await self._app(scope, incoming, send_unless_over)
        except Exception:
            if not intake.over:
                raise
        if intake.over and not started:
            await PlainTextResponse(DOOR.too_large, 413)(scope, receive, send)


def refusal_of(scope: Scope, rules: Rules) -> Refusal | None:
    """Why this request may not come in; None when it may."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1 or hosts[0].decode("latin-1").casefold() not in rules.hosts:
        return Refusal(421, DOOR.wrong_host)
    if _is_foreign(scope, rules):
        return Refusal(403, DOOR.foreign)
    path = scope["path"]
    if DOTS.search(path) or not OPEN.fullmatch(path):
        return Refusal(404, DOOR.nothing_here)
    length = _header(scope, b"content-length")
    if length and not (re.fullmatch(r"[0-9]{1,15}", length) and int(length) <= _body_bytes(scope)):
        return Refusal(413, DOOR.too_large)
    return None


def locked_out(scope: Scope, rules: Rules) -> Refusal | None:
    """Whether a machine of the network still owes the password."""
    address = (scope.get("client") or ("", 0))[0]
    if rules.lock is None or is_this_machine(address):
        return None
    return None if rules.lock.admits(_header(scope, b"authorization"), address) else Refusal(401, LAN.asked)


def _is_foreign(scope: Scope, rules: Rules) -> bool:
    """Whether another site made the browser send this. A program that is no browser sends neither header."""
    origin = _header(scope, b"origin")
    if origin and origin.casefold() not in rules.origins:
        return True
    if scope["type"] == "websocket":
        return not origin  # a browser always names the origin of a websocket
    site = _header(scope, b"sec-fetch-site")
    return site not in ("", "same-origin", "none") and not _is_a_visit(scope, rules)


def _is_a_visit(scope: Scope, rules: Rules) -> bool:
    """A link to the studio, followed in a tab of its own: it shows the page, changes nothing and reveals nothing.
    In a frame only where frames are allowed at all; the browser then checks by whom."""
    return bool(
        scope["method"] == "GET"
        and scope["path"] == "/"
        and not scope.get("query_string")
        and _header(scope, b"sec-fetch-mode") == "navigate"
        and _header(scope, b"sec-fetch-dest") in ("document", "iframe" if rules.frames else "document")
    )


def _body_bytes(scope: Scope) -> int:
    """The largest body that this address takes."""
    return LARGER_BODIES.get(scope["path"], BODY_BYTES)


def _header(scope: Scope, wanted: bytes) -> str:
    """All values of a header, joined: a second, contradicting one makes the whole match nothing."""
    return ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == wanted)


def _uncompressed(scope: Scope) -> dict[str, Any]:
    """Without Accept-Encoding: over loopback, compressing costs more than it saves, and the seal must read the page."""
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]}
