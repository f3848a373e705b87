"""Where a file of the person comes in: a picture, a video, a LoRA, a friend's preset. The door bounds how large it is.

It is written into a folder of its own in `staging`, looked at by the engine, and gone again; what the engine keeps is
its own plain copy, under the name of its content.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from engine import Engine, RushesError, not_written
from ui.texts import DOOR

NOT_IN_A_NAME = re.compile(r"[^\w .()+-]")  # on any disk


def routes(engine: Engine) -> list[Route]:
    """One address for each kind. What comes back is the id or name it is kept under, or cause, remedy and the kind."""
    ways: dict[str, Callable[[Path], str]] = {
        "picture": engine.media.keep_picture,
        "video": engine.media.keep_video,
        "lora": lambda path: engine.keep_lora(path).id,
        "preset": lambda path: engine.presets.receive(path).name,
    }

    async def bring(request: Request) -> Response:
        way = request.url.path.rpartition("/")[2]
        with engine.passing("brought") as folder:
            path = folder / _plain(request.query_params.get("name", ""))
            try:
                await _receive(request, path)
                return PlainTextResponse(await run_in_threadpool(ways[way], path))
            except RushesError as error:
                return PlainTextResponse(json.dumps([error.cause, error.remedy, way]), 400)

    return [Route(f"/bring/{way}", bring, methods=["POST"]) for way in ways]


async def _receive(request: Request, path: Path) -> None:
    try:
        with path.open("wb") as file:
            async for chunk in request.stream():
                file.write(chunk)
    except OSError as error:
        raise not_written(error) from error


def _plain(name: str) -> str:
    """The name that a file came with, safe on every disk: a LoRA is called so, and messages name it."""
    if not name:
        return DOOR.this_file
    stem, dot, ending = NOT_IN_A_NAME.sub("_", re.split(r"[/\\]", name)[-1]).rpartition(".")
    return f"{(stem if dot else ending).strip(' .')[:100] or DOOR.this_file}.{ending[:12] if dot else 'file'}"
