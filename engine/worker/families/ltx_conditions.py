"""What LTX-Video and LTX-2 hold while they denoise: pictures at their frames, and a video from the first frame on."""

from __future__ import annotations

from typing import Any

from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition
from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition
from PIL import Image

from engine.worker.families.family import Shot

LATENT_STEP = 8  # frames that share a latent one


def of_ltx(shot: Shot, on_a_take: bool = False) -> dict[str, Any]:
    pinned = shot.given.pinned(shot.run.num_frames)
    pictures = [LTXVideoCondition(image=picture, frame_index=frame) for frame, picture in pinned.items()]
    videos = [LTXVideoCondition(video=video, strength=hold) for video, hold in _video(shot, on_a_take)]
    return {"conditions": pictures + videos or None}


def of_ltx2(shot: Shot, on_a_take: bool = False) -> dict[str, Any]:
    """The same; a picture is held where its latent frame is."""
    pinned = shot.given.pinned(shot.run.num_frames)
    pictures = [LTX2VideoCondition(frames=picture, index=-(-frame // LATENT_STEP)) for frame, picture in pinned.items()]
    videos = [LTX2VideoCondition(frames=video, strength=hold) for video, hold in _video(shot, on_a_take)]
    return {"conditions": pictures + videos or None}


def _video(shot: Shot, on_a_take: bool) -> list[tuple[list[Image.Image], float]]:
    """The video and how firmly it is held. A render on a take of a loosely held one has its share of it already."""
    hold = 1 - (shot.plan.strength or 0.0)
    if "video" not in shot.given.videos or (on_a_take and hold < 1):
        return []
    return [(shot.given.videos["video"], hold)]
