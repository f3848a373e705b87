"""TaylorSeer: between whole steps, what the transformer says is foretold from what it said before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from diffusers import TaylorSeerCacheConfig

from engine.types import Plan
from engine.worker.memory import DTYPES


@contextmanager
def step_cache(pipe: Any, plan: Plan) -> Iterator[None]:
    """What the plan says of foretold steps, while it lasts; nothing is left behind."""
    parts = [getattr(pipe, name, None) for name in ("transformer", "transformer_2")] if plan.step_cache else []
    cached = [part for part in parts if part is not None]
    for part in cached:
        assert plan.step_cache
        config = TaylorSeerCacheConfig(
            cache_interval=plan.step_cache.interval,
            disable_cache_before_step=plan.step_cache.whole_steps,
            taylor_factors_dtype=DTYPES[plan.placement.dtype],
            use_lite_mode=True,  # the other mode matches no layer of most models, in silence
        )
        part.enable_cache(config)
    try:
        yield
    finally:
        for part in cached:
            part.disable_cache()
