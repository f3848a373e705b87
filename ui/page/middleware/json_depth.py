"""JSON that is nested deeper than any request of ours: refused before a parser follows it down."""

from __future__ import annotations

import re

from starlette.types import Message, Receive

MOST_LEVELS = 64
PATHS = re.compile(r"/mcp/?|/gradio_api/.*")
# A string as a whole, so that brackets in it do not count; then the brackets.
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


def too_deep(body: bytes) -> bool:
    """Whether brackets stand more than `MOST_LEVELS` deep in each other."""
    level = 0
    for token in TOKEN.finditer(body):
        opened = token[0]
        level += 1 if opened in (b"[", b"{") else -1 if opened in (b"]", b"}") else 0
        if level > MOST_LEVELS:
            return True
    return False


async def whole(receive: Receive) -> tuple[bytes, Receive]:
    """A body that is small by the door's bounds, read to its end, and a `receive` that gives it once more."""
    messages: list[Message] = []
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    waiting = iter(messages)

    async def again() -> Message:
        message = next(waiting, None)
        return message if message is not None else await receive()

    return b"".join(message.get("body", b"") for message in messages), again
