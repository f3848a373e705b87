"""How many bytes may come in through the door with one request, counted as they arrive."""

from __future__ import annotations

from starlette.types import Message, Receive


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
