"""Takes, clips and pictures by their names. No part of an address ever becomes a path: the library compares names.

Starlette's file answer serves ranges, so a player can seek, and says when nothing has changed.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from engine import PRESET_KINDS, BadFile, Clip, Engine, Message, RushesError, Take, support_file
from ui.page.components import upload_routes
from ui.texts import DOOR

CACHE = {"cache-control": "private, max-age=3600"}  # a finished file never changes; its name is never used twice


def routes(engine: Engine) -> list[Route]:
    """The addresses of every take, clip and picture of this engine; of a preset; of the support file."""

    def watch(request: Request) -> Response:
        return _answer(engine, request.path_params["kind"], request.path_params["name"], "video")

    def part(request: Request) -> Response:
        return _answer(engine, request.path_params["kind"], request.path_params["name"], request.path_params["part"])

    def kept(request: Request) -> Response:
        """A picture or video that was brought; the door lets only 32 hex digits in as its name."""
        moves = request.url.path.startswith("/media/video/")
        path = engine.media.file(request.path_params["name"], moves)
        kind = "video/mp4" if moves else "image/png"
        return FileResponse(path, media_type=kind, headers=CACHE) if path else _nothing()

    def peek(request: Request) -> Response:
        path = engine.library.peek(request.path_params["job"], request.path_params["file"])
        try:  # read whole before the answer begins: it may go while it is sent
            seen = path.read_bytes() if path else b""
        except OSError:
            seen = b""
        if not seen:
            return Response(status_code=204)  # the next one has taken its place, or the clip is there: no error
        return Response(seen, media_type="image/webp", headers=CACHE)

    return [
        Route("/media/picture/{name}", kept),
        Route("/media/video/{name}", kept),
        Route("/media/peek/{job}/{file}", peek),
        Route("/media/{kind}/{name}", watch),
        Route("/media/{kind}/{name}/{part}", part),
        *_files(engine),
        *upload_routes.routes(engine),
    ]


def _files(engine: Engine) -> list[Route]:
    """What is taken away as a file: a preset for a friend, and what someone who helps needs to know."""

    def preset(request: Request) -> Response:
        with engine.passing("preset") as folder:
            try:
                kind = PRESET_KINDS[request.path_params["kind"]]
                path = engine.presets.export(kind, request.path_params["name"], folder)
            except (RushesError, KeyError):
                return _nothing()
            headers = {"content-disposition": f'attachment; filename="{path.name}"'}
            return Response(path.read_bytes(), media_type="application/toml", headers=headers)

    def support(request: Request) -> Response:
        headers = {"content-disposition": 'attachment; filename="rushes-support.zip"'}
        return Response(support_file(engine), media_type="application/zip", headers=headers)

    return [Route("/preset/{kind}/{name}.toml", preset), Route("/support.zip", support)]


def address(kind: str, name: str, part: str = "") -> str:
    """Where the page finds a take or a clip, or its poster or its recipe."""
    return f"/media/{kind}/{quote(name, safe='')}{f'/{part}' if part else ''}"


def kept_address(kind: str, name: str) -> str:
    """Where the page finds a picture or a video that was brought."""
    return f"/media/{kind}/{name}"


def peek_address(job_id: str, file: str) -> str:
    return f"/media/peek/{quote(job_id, safe='')}/{quote(file, safe='')}"


def find(engine: Engine, kind: str, name: str) -> Take | Clip:
    """By its whole name; the library also knows short ones, an address does not. Raises RushesError."""
    found = engine.library.take(name) if kind == "take" else engine.library.clip(name)
    if found.id != name:
        raise BadFile(Message.of(DOOR.nothing_here), Message.of(""))
    return found


def _answer(engine: Engine, kind: str, name: str, part: str) -> Response:
    try:
        found = find(engine, kind, name)
    except RushesError:
        return _nothing()
    if part == "recipe":
        return Response(found.recipe.model_dump_json(indent=2), media_type="application/json", headers=CACHE)
    path = Path(found.poster if part == "poster" else found.video)
    roots = (engine.folders["takes"], engine.folders["clips"])
    if not path.is_file() or not any(path.resolve().is_relative_to(root.resolve()) for root in roots):
        return _nothing()  # a link out of the data folder is not followed
    return FileResponse(path, media_type="image/jpeg" if part == "poster" else "video/mp4", headers=CACHE)


def _nothing() -> Response:
    return PlainTextResponse(DOOR.nothing_here, 404)
