"""The same functions for programs: named, typed endpoints behind the same door, and MCP tools.

    from gradio_client import Client
    studio = Client("http://127.0.0.1:7433")
    (take,) = studio.predict("a red ball rolls to the left", api_name="/make_takes")
    studio.predict(take["id"], api_name="/job")

Every answer is what the engine's own nouns say (`engine/schema/`), as JSON. A refusal is one sentence.

`Functions.all` is the one list: each of its functions becomes an endpoint and a tool by its name, its types and its
docstring. A kind of work that says its `request` is in it without a line here.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any

import gradio as gr
from gradio.events import api
from pydantic import BaseModel, Field, TypeAdapter
from pydantic.fields import FieldInfo
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from engine import Aspect, Engine, Kind, Request, RushesError, all_kinds
from ui.locale import shown
from ui.page.components.media_routes import address
from ui.page.screens.clip import kind_of
from ui.page.screens.library import found
from ui.texts import DOOR

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

Answer = dict[str, Any]


@dataclass(frozen=True)
class Functions:
    """What a program may ask. Each docstring is what the program is told."""

    engine: Engine

    @property
    def all(self) -> tuple[Callable[..., Any], ...]:
        own = self.models, self.plan, self.make_takes, self.render, self.job, self.stop, self.library
        kinds = [asking_for(kind, self.engine) for kind in all_kinds() if kind.request]
        names = [function.__name__ for function in (*own, *kinds)]
        assert len(set(names)) == len(names), names  # one would hide the other
        return *own, *kinds

    def models(self) -> list[Answer]:
        """Every model: what it is good at, its licence, and whether it is installed."""
        cards = self.engine.models.cards()
        return [shown(card) | {"installed": self.engine.models.installed(card)} for card in cards]

    def plan(
        self, prompt: str, model: str = "starter", seconds: float | None = None, aspect: Aspect = "square",
        seed: int | None = None,
    ) -> Answer:  # fmt: skip
        """What would run for this prompt, and what it would need. Starts nothing."""
        return _shown(self.engine.plan(_request(prompt, model, seconds, aspect, seed)))

    def make_takes(
        self, prompt: str, model: str = "starter", seconds: float | None = None, aspect: Aspect = "square",
        seed: int | None = None, count: int = 1,
    ) -> list[Answer]:  # fmt: skip
        """Queue cheap takes of a shot. Answers the jobs; ask `job` how they stand."""
        jobs = self.engine.make_takes(_request(prompt, model, seconds, aspect, seed), count)
        return [shown(job) for job in jobs]

    def render(self, take_id: str, dial: float = 0.5) -> Answer:
        """Queue the render of a take: the same shot at full quality; `dial` from 0 (close to it) to 1 (more detail)."""
        return _shown(self.engine.render(take_id, dial))

    def job(self, job_id: str) -> Answer:
        """How a job stands, with its events so far."""
        events = [shown(event) for _, event in self.engine.queue.events(job_id)]
        return _shown(self.engine.queue.job(job_id)) | {"events": events}

    def stop(self, job_id: str) -> str:
        """Ask a job to stop; it ends within a step."""
        self.engine.stop(job_id)
        return job_id

    def library(self) -> list[Answer]:
        """Every take and every clip on disk, newest first, with its recipe and the address of its video."""
        return [
            {"kind": kind_of(item), "id": item.id, "video": address(kind_of(item), item.id)}
            | {"favourite": item.favourite, "recipe": shown(item.recipe)}
            for item in found(self.engine, "all", "", "", "ever")
        ]


def _shown(noun: BaseModel) -> Answer:
    answer: Answer = shown(noun)
    return answer


# ---- kinds of work ----


def asking_for(kind: Kind, engine: Engine) -> Callable[..., Any]:
    """A function like those above, whose parameters are the fields of the kind's request."""
    request = kind.request
    assert request
    given = [_parameter(name, field) for name, field in request.model_fields.items()]
    given.sort(key=lambda one: one.default is not inspect.Parameter.empty)  # a function's required ones come first
    signature = inspect.Signature(given, return_annotation=list[Answer])

    def submit(*arguments: Any, **named: Any) -> list[Answer]:
        said = signature.bind_partial(*arguments, **named).arguments  # what is missing the request tells
        return [shown(job) for job in engine.submit(kind.name, request.model_validate(said))]

    submit.__name__ = submit.__qualname__ = kind.name
    submit.__doc__ = request.__doc__
    submit.__annotations__ = {one.name: one.annotation for one in given} | {"return": signature.return_annotation}
    submit.__signature__ = signature  # type: ignore[attr-defined]
    return submit


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    kind: Any = Annotated[field.rebuild_annotation(), Field(description=field.description)]
    default: Any = inspect.Parameter.empty
    if not field.is_required():  # as JSON, which is how it is told
        default = TypeAdapter(kind).dump_python(field.get_default(call_default_factory=True), mode="json")
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind)


# ---- as endpoints ----


def offer(engine: Engine) -> None:
    """Put every endpoint on the page that is being built."""
    for function in Functions(engine).all:
        api(_in_a_sentence(function), api_name=function.__name__, queue=False)


def _request(prompt: str, model: str, seconds: float | None, aspect: Aspect, seed: int | None) -> Request:
    return Request(prompt=prompt, model=model, seconds=seconds, aspect=aspect, seed=seed)


def _in_a_sentence(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """A refusal reaches the caller as its cause and its remedy, not as "internal error"."""

    @wraps(endpoint)
    def answer(*arguments: Any, **named: Any) -> Any:
        try:
            for text in (*arguments, *named.values()):
                if isinstance(text, str):
                    text.encode()  # half characters are no text
            return endpoint(*arguments, **named)
        except UnicodeEncodeError as error:
            raise gr.Error(DOOR.no_text, print_exception=False) from error
        except (RushesError, ValueError) as error:
            raise gr.Error(str(error)[:600], print_exception=False) from error

    return answer


# ---- the same as MCP tools; the library is imported when the first program asks ----


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
