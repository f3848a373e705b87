"""The headers that every answer carries, and the nonce that says which scripts of the page are ours.

The policy lets the page talk to nothing but this server, so not even a mistake could send something out, and lets no
script run that we did not write: text that slips through as HTML stays dead. 'unsafe-eval' is Gradio's: it builds the
templates of its HTML component with `new Function`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.types import Message, Send

HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors {frames}"
)
GONE = (b"access-control-", b"server", b"content-security-policy")  # Gradio answers any origin it is asked by


@dataclass(frozen=True)
class Seal:
    """`nonce`: drawn anew for each answer. `frames`: the origins that may frame the page."""

    nonce: str
    frames: tuple[str, ...] = ()

    def headers(self) -> list[tuple[bytes, bytes]]:
        policy = POLICY.format(nonce=self.nonce, frames=" ".join(self.frames) or "'none'")
        refusal = [] if self.frames else [(b"x-frame-options", b"DENY")]
        return [*HEADERS.items(), *refusal, (b"content-security-policy", policy.encode())]


def sealed(send: Send, seal: Seal, is_page: bool) -> Send:
    """A `send` that puts the headers on, and the nonce into the page's own <script> tags."""
    head: Message | None = None
    body = b""

    async def send_sealed(message: Message) -> None:
        nonlocal head, body
        if message["type"] == "http.response.start":
            message = {**message, "headers": _headers(message.get("headers", ()), seal)}
            if is_page:
                head = message
                return
        elif is_page and head is not None and message["type"] == "http.response.body":
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            # Gradio escapes "<" in the data it puts into the page, so every "<script" there is a tag of its own
            whole = body.replace(b"<script", b'<script nonce="%s"' % seal.nonce.encode())
            await send({**head, "headers": _with_length(head["headers"], len(whole))})
            message = {"type": "http.response.body", "body": whole}
        await send(message)

    return send_sealed


def _headers(given: Iterable[tuple[bytes, bytes]], seal: Seal) -> list[tuple[bytes, bytes]]:
    ours = seal.headers()
    taken = {name for name, _ in ours}
    kept = [(name, value) for name, value in given if not name.lower().startswith(GONE) and name.lower() not in taken]
    return [*kept, *ours]


def _with_length(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return [*kept, (b"content-length", b"%d" % length)] if len(kept) < len(headers) else kept
