"""Takes that go on from the last picture of a clip, a take or a video file; their render is a video of all of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from engine.jobs.kinds import Planning, Rooms
from engine.jobs.kinds.take import TakeKind, TakeRequest
from engine.media import continuation, images, videos
from engine.schema import Beginning, FrozenModel, Job, Request
from engine.schema.card import ModelCard
from engine.schema.errors import UnknownName
from engine.storage.catalog import Catalog
from engine.storage.library import content_of


class ExtendRequest(FrozenModel):
    """`source`: the name of a clip or take, or a video file."""

    source: str | Path
    request: Request
    count: int = 1


class ExtendKind(TakeKind):
    name = "extend"

    def jobs(self, request: Any, asked: Planning) -> list[Job]:
        """Raises BadInput for a model that takes no picture."""
        assert isinstance(request, ExtendRequest)
        rooms, cards = asked.rooms, Catalog(*asked.rooms.places.cards)
        card = cards.card(request.request.model)
        continuation.check(card, list(cards.cards.values()))
        beginning = beginning_of(request.source, rooms)
        path = rooms.library.begun(beginning)
        found = continuation.look(path)
        overlap = continuation.overlap(found, card)
        beginning = beginning.but(overlap=overlap, content=content_of(path))
        wanted = _begun(continuation.request(request.request, beginning, found, card), found, card, rooms.places.media)
        return super().jobs(TakeRequest(request=wanted, count=request.count), asked)


def beginning_of(source: str | Path, rooms: Rooms) -> Beginning:
    """What a clip goes on from, by name or file; a file is kept. Raises UnknownName, BadFile."""
    if isinstance(source, Path):
        return Beginning(kind="video", id=videos.keep_video(source, rooms.places.media, ending=True))
    try:
        return Beginning(kind="clip", id=rooms.library.clip(source).id)
    except UnknownName:
        return Beginning(kind="take", id=rooms.library.take(source).id)


def _begun(asked: Request, source: continuation.Source, card: ModelCard, media: Path) -> Request:
    """The request with the end of its source as what the model starts from."""
    shared, fps = continuation.overlap(source, card), card.frames.fps
    last = continuation.last_pictures(source, fps, shared)
    with tempfile.TemporaryDirectory() as folder:
        if shared == 1:
            file = Path(folder) / "last.png"
            last[0].save(file)
            return asked.but(pictures=asked.pictures | {"image": images.keep_picture(file, media)})
        file, hold = Path(folder) / "last.mp4", card.strength and card.strength.minimum
        videos.write((videos.Shown(n / fps, 1 / fps, picture) for n, picture in enumerate(last)), file)
        return asked.but(videos={"video": videos.keep_video(file, media)}, strength=hold)


kind = ExtendKind()
