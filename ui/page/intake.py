"""How much may come in through the door with one request: bytes, and files of an upload, counted as they arrive."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Message, Receive


@dataclass(frozen=True)
class Uploads:
    """The most that one upload may bring."""

    total_bytes: int
    files: int


class Intake:
    """Counts a request's body. `over` once it was too much; the app then sees the sender hang up."""

    def __init__(self, receive: Receive, content_type: str, body_bytes: int, uploads: Uploads | None) -> None:
        self._receive, self._uploads = receive, uploads
        self._left = uploads.total_bytes if uploads else body_bytes
        boundary = content_type.partition("boundary=")[2].partition(";")[0].strip(' "')
        self._delimiter = b"--" + boundary.encode("latin-1") if boundary else b""
        self._tail, self._parts = b"", 0
        self.over = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and not self.over:
            chunk = message.get("body", b"")
            self._left -= len(chunk)
            self.over = self._left < 0 or self._too_many(chunk)
        return {"type": "http.disconnect"} if self.over else message

    def _too_many(self, chunk: bytes) -> bool:
        """Count the multipart delimiters, also one that two chunks share. The last one closes the body."""
        if not self._uploads or not self._delimiter:
            return False
        text = self._tail + chunk
        self._parts += text.count(self._delimiter)
        keep = len(self._delimiter) - 1
        self._tail = text[-keep:] if keep else b""
        return self._parts > self._uploads.files + 1
