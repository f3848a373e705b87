"""A kind of work that says its request is an endpoint and an MCP tool: nothing but its own file knows of it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from gradio_client import Client
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from engine import Engine
from tests.engine.test_kinds import CountKind, CountRequest
from ui.page.api import Functions
from ui.page.app import application
from ui.page.middleware.access import Door, Rules

pytestmark = pytest.mark.slow


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A studio whose kind may be asked for by programs; only here, since other tests count what is offered."""
    monkeypatch.setattr(CountKind, "request", CountRequest)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = int(listener.getsockname()[1])
    with Engine(tmp_path) as engine:
        site = application(engine)
        server = uvicorn.Server(uvicorn.Config(Door(site.app, Rules.of_this_machine(port)), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{port}"
        site.leave()
        server.should_exit = True
        thread.join(20)


def test_a_program_and_an_assistant_ask_for_it_by_its_name(url: str) -> None:
    client = Client(url, verbose=False, analytics_enabled=False)
    told = client.view_api(return_format="dict", print_info=False)["named_endpoints"]["/count"]
    assert [(one["parameter_name"], one["type"]["type"]) for one in told["parameters"]] == [
        ("number", "integer"),
        ("at_most", "integer"),
    ]
    (job,) = client.predict(12, api_name="/count")
    assert (job["kind"], job["plan"]["number"], job["plan"]["at_most"]) == ("count", 12, 10**6)
    assert client.predict(job["id"], api_name="/job")["state"] == "queued"
    with pytest.raises(AppError, match="Choose 2 or more"):
        client.predict(number=1, api_name="/count")

    async def talk() -> None:
        async with streamable_http_client(f"{url}/mcp") as (reading, writing, _), ClientSession(reading, writing) as ai:
            await ai.initialize()
            tool = {tool.name: tool for tool in (await ai.list_tools()).tools}["count"]
            assert tool.description == CountRequest.__doc__ == told["description"]
            assert tool.inputSchema["required"] == ["number"]
            counted = await ai.call_tool("count", {"number": 5, "at_most": 3})
            assert json.loads(counted.content[0].text)["plan"]["at_most"] == 3
            refused = await ai.call_tool("count", {"number": 1})
            assert refused.isError and "Choose 2 or more." in refused.content[0].text

    asyncio.run(talk())


def test_a_kind_that_says_no_request_is_not_offered(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        assert "count" not in [function.__name__ for function in Functions(engine).all]
