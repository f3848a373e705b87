"""Takes, clips and pictures by their names. No part of an address ever becomes a path: the library compares names.

Starlette's file answer serves ranges, so a player can seek, and says when nothing has changed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from engine import BadFile, Clip, Engine, Preset, RushesError, Take, support_file
from ui.texts import DOOR

CACHE = {"cache-control": "private, max-age=3600"}  # a finished file never changes; its name is never used twice


def routes(engine: Engine) -> list[Route]:
    """The addresses of every take, clip and picture of this engine; where a picture is brought; the support file."""

    def watch(request: Request) -> Response:
        return _answer(engine, request.path_params["kind"], request.path_params["name"], "video")

    def part(request: Request) -> Response:
        return _answer(engine, request.path_params["kind"], request.path_params["name"], request.path_params["part"])

    def picture(request: Request) -> Response:
        path = engine.places.media / f"{request.path_params['name']}.png"  # the door lets only 32 hex digits in
        return FileResponse(path, media_type="image/png", headers=CACHE) if path.is_file() else _nothing()

    def peek(request: Request) -> Response:
        path = engine.library.peek(request.path_params["job"], request.path_params["file"])
        if path is None or not path.is_file():
            return Response(status_code=204)  # the next one has taken its place, or the clip is there: no error
        return FileResponse(path, media_type="image/webp", headers=CACHE)

    async def bring(request: Request) -> Response:
        with tempfile.NamedTemporaryFile(dir=engine.places.staging, prefix="picture-") as file:
            async for chunk in request.stream():
                file.write(chunk)
            file.flush()
            try:
                return PlainTextResponse(await run_in_threadpool(engine.keep_picture, Path(file.name)))
            except RushesError as error:
                told = error.cause.replace(Path(file.name).name, DOOR.this_file)
                return PlainTextResponse(json.dumps([told, error.remedy]), 400)

    async def bring_preset(request: Request) -> Response:
        with tempfile.NamedTemporaryFile(dir=engine.places.staging, prefix="preset-", suffix=".toml") as file:
            file.write(await request.body())
            file.flush()
            try:
                return PlainTextResponse(engine.import_preset(Path(file.name)).name)
            except RushesError as error:
                told = error.cause.replace(Path(file.name).name, DOOR.this_file)
                return PlainTextResponse(json.dumps([told, error.remedy]), 400)

    def preset(request: Request) -> Response:
        with tempfile.TemporaryDirectory(dir=engine.places.staging, prefix="preset-") as folder:
            try:
                path = engine.export_preset(Preset, request.path_params["name"], Path(folder))
            except RushesError:
                return _nothing()
            headers = {"content-disposition": f'attachment; filename="{path.name}"'}
            return Response(path.read_bytes(), media_type="application/toml", headers=headers)

    def support(request: Request) -> Response:
        headers = {"content-disposition": 'attachment; filename="rushes-support.zip"'}
        return Response(support_file(engine), media_type="application/zip", headers=headers)

    return [
        Route("/media/picture/{name}", picture),
        Route("/media/peek/{job}/{file}", peek),
        Route("/media/{kind}/{name}", watch),
        Route("/media/{kind}/{name}/{part}", part),
        Route("/bring/picture", bring, methods=["POST"]),
        Route("/bring/preset", bring_preset, methods=["POST"]),
        Route("/preset/{name}.toml", preset),
        Route("/support.zip", support),
    ]


def address(kind: str, name: str, part: str = "") -> str:
    """Where the page finds a take or a clip, or its poster or its recipe."""
    return f"/media/{kind}/{quote(name, safe='')}{f'/{part}' if part else ''}"


def picture_address(name: str) -> str:
    return f"/media/picture/{name}"


def peek_address(job_id: str, file: str) -> str:
    return f"/media/peek/{quote(job_id, safe='')}/{quote(file, safe='')}"


def find(engine: Engine, kind: str, name: str) -> Take | Clip:
    """By its whole name; the library also knows short ones, an address does not. Raises RushesError."""
    found = engine.library.take(name) if kind == "take" else engine.library.clip(name)
    if found.id != name:
        raise BadFile(DOOR.nothing_here, "")
    return found


def _answer(engine: Engine, kind: str, name: str, part: str) -> Response:
    try:
        found = find(engine, kind, name)
    except RushesError:
        return _nothing()
    if part == "recipe":
        return Response(found.recipe.model_dump_json(indent=2), media_type="application/json", headers=CACHE)
    path = Path(found.poster if part == "poster" else found.video)
    roots = (engine.places.takes, engine.places.clips)
    if not path.is_file() or not any(path.resolve().is_relative_to(root.resolve()) for root in roots):
        return _nothing()  # a link out of the data folder is not followed
    return FileResponse(path, media_type="image/jpeg" if part == "poster" else "video/mp4", headers=CACHE)


def _nothing() -> Response:
    return PlainTextResponse(DOOR.nothing_here, 404)
