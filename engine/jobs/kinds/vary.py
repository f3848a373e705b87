"""Variations: takes that keep a take's shot and change it a little. The jobs are takes, so their recipes say it all."""

from __future__ import annotations

from typing import Any

from engine.jobs.kinds import Planning, Rooms, draw_seed
from engine.jobs.kinds.take import TakeKind, check_count, seeds_from
from engine.jobs.kinds.take import kind as take
from engine.schema import FrozenModel, Job, Recipe, Variation
from engine.schema.errors import UnknownName
from engine.schema.result import as_request


class VaryRequest(FrozenModel):
    """Queue `count` takes that vary a take, or a clip's, by name: the same words and seed, with other noise mixed in;
    `amount` from 0 (the same) to 1 (another shot); `seed`: of the first one's other noise, drawn when left out."""

    take_id: str
    amount: float = 0.3
    count: int = 1
    seed: int | None = None


class VaryKind(TakeKind):
    """A variation of a variation keeps what it varies, with its noise, and is turned from there towards new noise."""

    name, request = "vary", VaryRequest

    def jobs(self, request: Any, asked: Planning) -> list[Job]:
        assert isinstance(request, VaryRequest)
        check_count(request.count)
        recipe = _recipe(request.take_id, asked.rooms)
        shot = as_request(recipe).but(sigma=recipe.plan.request.sigma)  # rendered by the dial, where it was not said
        seeds = seeds_from(draw_seed() if request.seed is None else request.seed, request.count)
        varied = [
            shot.but(variations=(*shot.variations, Variation(seed=seed, amount=request.amount))) for seed in seeds
        ]
        return take.queued(asked.plan(varied[0], takes=request.count), varied[1:], asked)


def _recipe(name: str, rooms: Rooms) -> Recipe:
    try:
        return rooms.library.clip(name).recipe
    except UnknownName:
        return rooms.library.take(name).recipe


kind = VaryKind()
