"""The same functions for programs."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from tests.ui.conftest import RED_BALL, Served

pytestmark = pytest.mark.slow


def test_a_program_plans_queues_and_reads_the_library_by_named_endpoints(studio: Served) -> None:
    client = Client(studio.url, verbose=False, analytics_enabled=False)
    assert client.predict(RED_BALL, seed=7, api_name="/plan")["seed"] == 7
    (job,) = client.predict(RED_BALL, api_name="/make_takes")
    assert client.predict(job["id"], api_name="/job")["state"] == "queued"
    client.predict(job["id"], api_name="/stop")
    assert client.predict(job["id"], api_name="/job")["state"] == "cancelled"
    assert len(client.predict(api_name="/library")) == 3
    with pytest.raises(AppError, match="The prompt is empty"):
        client.predict(" ", api_name="/plan")


def test_an_assistant_lists_and_calls_the_same_functions_as_tools(studio: Served) -> None:
    async def talk() -> None:
        async with (
            streamable_http_client(f"{studio.url}/mcp") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            assert set(tools) == {"models", "plan", "make_takes", "render", "vary", "job", "stop", "library"}
            assert tools["plan"].inputSchema["required"] == ["prompt"]
            assert tools["plan"].inputSchema["properties"]["aspect"]["enum"] == ["square", "wide", "tall"]
            planned = await session.call_tool("plan", {"prompt": RED_BALL, "seed": 7})
            assert not planned.isError and json.loads(planned.content[0].text)["seed"] == 7
            refused = await session.call_tool("plan", {"prompt": " "})
            assert refused.isError and "The prompt is empty." in refused.content[0].text

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_a_foreign_page_calls_no_tool(studio: Served, headers: dict[str, str], status: int) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "models", "arguments": {}}}
    accepts = {"accept": "application/json, text/event-stream"}
    assert httpx.post(f"{studio.url}/mcp", json=asked, headers={**accepts, **headers}).status_code == status
