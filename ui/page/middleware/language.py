"""Each language has a page of its own, since Gradio writes a page's labels down once, when it is built.

Which one a visitor gets: the language that was chosen in My machine, else the first of the browser's that there is.
All pages ask the same engine, and nothing is remembered in any of them. All are built before the first is served: a
widget that a click makes on one page would else become part of another that is being built.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import fastapi
import gradio as gr
from starlette.routing import Mount, Router
from starlette.types import Receive, Scope, Send

from engine import Engine
from ui.locale import SPOKEN, USUAL, languages, learn


class Languages:
    """An ASGI application. `build` makes the page in the language that is spoken at that moment."""

    def __init__(self, engine: Engine, build: Callable[[], fastapi.FastAPI]) -> None:
        self._engine = engine
        self._pages: dict[str, fastapi.FastAPI] = {}
        learn(engine.models.cards())
        for language in languages():
            token = SPOKEN.set(language)
            self._pages[language] = build()
            SPOKEN.reset(token)
        self._life = Router(lifespan=self._live)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._life(scope, receive, send)
        language = wanted(self._engine, scope)
        SPOKEN.set(language)
        return await self._pages[language](scope, receive, send)

    def leave(self) -> None:
        """End the streams that open tabs hold."""
        for app in self._pages.values():
            mounted = app.routes[-1]
            assert isinstance(mounted, Mount) and isinstance(mounted.app, gr.routes.App)
            mounted.app.stop_event.set()

    @asynccontextmanager
    async def _live(self, _: object) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for app in self._pages.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield


def wanted(engine: Engine, scope: Scope) -> str:
    """The language of the answer to this request."""
    chosen = engine.language
    if chosen in languages():
        return chosen
    asked = b",".join(value for name, value in scope["headers"] if name == b"accept-language").decode("latin-1")
    names = [part.partition(";")[0].strip()[:2].casefold() for part in asked.split(",")[:20]]
    return next((name for name in names if name in languages()), USUAL)


def choose(engine: Engine, language: str) -> None:
    """Keep to one language; an empty one leaves it to the browser."""
    engine.choose_language(language if language in languages() else "")
