"""Which variations of a shot are possible."""

from __future__ import annotations

from engine.planning.constraints import MAX_SEED
from engine.schema import Request
from engine.schema.errors import BadSetting
from engine.schema.message import Message

MAX_VARIATIONS = 20  # each is drawn anew with every shot that varies around it


def check(request: Request) -> None:
    """Raises BadSetting. The same seed twice is the same noise twice, whose sum is louder than noise may be."""
    seeds = [request.seed, *(one.seed for one in request.variations)]
    for number, one in enumerate(request.variations, 1):
        if not 0 <= one.amount <= 1:
            raise BadSetting(
                Message("A shot cannot be varied by {amount:g}.", amount=one.amount),
                Message("Use a number from 0 (the same) to 1 (another shot)."),
            )
        if not 0 <= one.seed <= MAX_SEED:
            raise BadSetting(
                Message("The seed {seed} is out of range.", seed=one.seed),
                Message("Use a whole number from 0 to {max_seed}.", max_seed=MAX_SEED),
            )
        if one.seed in seeds[:number]:
            raise BadSetting(
                Message("The seed {seed} is in this shot already.", seed=one.seed),
                Message("Vary it with another seed."),
            )
    if len(request.variations) > MAX_VARIATIONS:
        raise BadSetting(
            Message("This shot was varied {most} times in a row.", most=MAX_VARIATIONS),
            Message("Vary an earlier one, or draw a new seed."),
        )
