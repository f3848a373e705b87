"""Tiny random SkyReels V2: Wan 2.1's VAE (8x in space, 4x in time) and text encoder, its own transformer.

`build` is loaded by SkyReelsV2Pipeline, `build_df` (which knows the frame rate, inject_sample_info) by
SkyReelsV2DiffusionForcingPipeline and its video-to-video. Sides are multiples of 16, frames 4k+1.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    SkyReelsV2DiffusionForcingPipeline,
    SkyReelsV2Pipeline,
    SkyReelsV2Transformer3DModel,
    UniPCMultistepScheduler,
)

from tests.tiny import wan


def build(folder: Path) -> None:
    torch.manual_seed(0)
    transformer = SkyReelsV2Transformer3DModel(**wan.size())
    parts = wan.parts() | {"scheduler": _scheduler()}
    SkyReelsV2Pipeline(transformer=transformer, **parts).save_pretrained(folder)


def build_df(folder: Path) -> None:
    torch.manual_seed(0)
    transformer = SkyReelsV2Transformer3DModel(inject_sample_info=True, **wan.size())
    parts = wan.parts() | {"scheduler": _scheduler()}
    SkyReelsV2DiffusionForcingPipeline(transformer=transformer, **parts).save_pretrained(folder)


def _scheduler() -> UniPCMultistepScheduler:
    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=8.0)
