"""The functions of `api` as MCP tools at /mcp, behind the same door: an assistant on this computer can use the studio.

The library is imported when the first program asks, so that the page does not wait for it. Nothing is remembered from
one request to the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from engine import RushesError
from ui.page.api import Functions

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager


class Tools:
    """An ASGI application for one address. `leaving`: set when the studio closes."""

    def __init__(self, functions: Functions, leaving: asyncio.Event) -> None:
        self._functions, self._leaving = functions, leaving
        self._serving: asyncio.Task[None] | None = None
        self._manager: asyncio.Future[StreamableHTTPSessionManager] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._manager is None:
            self._manager = asyncio.get_running_loop().create_future()
            self._serving = asyncio.create_task(self._serve(self._manager))
        await (await self._manager).handle_request(scope, receive, send)

    async def _serve(self, ready: asyncio.Future[StreamableHTTPSessionManager]) -> None:
        """From the first request on, until the studio closes."""
        try:
            manager = await run_in_threadpool(self._set_up)
        except Exception as error:  # whoever waits is told
            ready.set_exception(error)
            return
        async with manager.run():
            ready.set_result(manager)
            await self._leaving.wait()

    def _set_up(self) -> StreamableHTTPSessionManager:
        from mcp.server.fastmcp import FastMCP
        from mcp.server.transport_security import TransportSecuritySettings

        who = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # the door knows who may come in
        server = FastMCP("Rushes", log_level="WARNING", stateless_http=True, json_response=True, transport_security=who)
        for function in self._functions.all:
            server.add_tool(_in_the_background(function), structured_output=False)
        server.streamable_http_app()
        return server.session_manager


def _in_the_background(function: Callable[..., Any]) -> Callable[..., Any]:
    """Off the loop that serves the page. A refusal is its own sentence."""

    @wraps(function)
    async def tool(*arguments: Any, **named: Any) -> Any:
        try:
            return await run_in_threadpool(partial(function, *arguments, **named))
        except RushesError as error:
            raise ValueError(f"{error.cause} {error.remedy}") from error

    return tool
