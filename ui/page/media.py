"""Takes and clips by their names. No part of an address ever becomes a path: the library compares names.

Starlette's file answer serves ranges, so a player can seek, and says when nothing has changed.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from engine import Clip, Engine, RushesError, Take
from ui.texts import DOOR

CACHE = {"cache-control": "private, max-age=3600"}  # a finished file never changes; its name is never used twice


def routes(engine: Engine) -> list[Route]:
    """The addresses of every take and clip of this engine."""
    roots = (engine.places.takes, engine.places.clips)

    def answer(request: Request) -> Response:
        kind, name = request.path_params["kind"], request.path_params["name"]
        wants_poster = request.url.path.endswith("/poster")
        found = _find(engine, kind, name)
        if found is None:
            return PlainTextResponse(DOOR.nothing_here, 404)
        path = Path(found.poster if wants_poster else found.video)
        if not path.is_file() or not any(path.resolve().is_relative_to(root.resolve()) for root in roots):
            return PlainTextResponse(DOOR.nothing_here, 404)  # a link out of the data folder is not followed
        media_type = "image/jpeg" if wants_poster else "video/mp4"
        return FileResponse(path, media_type=media_type, headers=CACHE)

    return [Route("/media/{kind}/{name}", answer), Route("/media/{kind}/{name}/poster", answer)]


def address(kind: str, name: str, poster: bool = False) -> str:
    """Where the page finds a take or a clip."""
    return f"/media/{kind}/{quote(name, safe='')}{'/poster' if poster else ''}"


def _find(engine: Engine, kind: str, name: str) -> Take | Clip | None:
    try:
        found = engine.library.take(name) if kind == "take" else engine.library.clip(name)
    except RushesError:
        return None
    return found if found.id == name else None  # the library also knows short names; an address does not
