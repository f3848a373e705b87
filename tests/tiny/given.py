"""What a person could bring to a tiny model: noise in every role; and how diffusers itself would be told of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition
from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition
from PIL import Image

from engine.media.resize import Given
from engine.schema import MediaRole, Pass

PINNED = 4  # the frame of the picture in the middle
STRENGTH = 0.8


def asked(roles: tuple[MediaRole, ...], name: str = "0" * 32) -> dict[str, Any]:
    """Fields of a request that brings something in each of `roles`."""
    return {
        "pictures": {role: name for role in roles if role in ("image", "last_image")},
        "references": (name, name) if "references" in roles else (),
        "keyframes": {PINNED: name} if "keyframes" in roles else {},
        "videos": {role: name for role in roles if role.endswith("video") or role == "mask"},
    }


def noise(seed: int, run: Pass) -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), np.uint8)
    return Image.fromarray(small).resize((run.width, run.height))


def half(run: Pass) -> Image.Image:
    """A mask: the right half is to be made."""
    mask = Image.new("L", (run.width, run.height))
    mask.paste(255, (run.width // 2, 0, run.width, run.height))
    return mask


def given(roles: tuple[MediaRole, ...], run: Pass) -> Given:
    """One of everything in `roles`, at the size of a pass."""
    videos = {
        role: [noise(10 * number + frame, run) for frame in range(run.num_frames)]
        for number, role in enumerate(("video", "control_video", "face_video"), start=2)
    }
    videos["mask"] = [half(run)] * run.num_frames
    return Given(
        pictures={role: noise(len(role), run) for role in ("image", "last_image") if role in roles},
        references=[noise(6, run), noise(7, run)] if "references" in roles else [],
        keyframes={PINNED: noise(8, run)} if "keyframes" in roles else {},
        videos={role: images for role, images in videos.items() if role in roles},
    )


def told(pipeline: str, brought: Given, run: Pass) -> dict[str, Any]:
    """The same in the words of a diffusers pipeline, written by hand for each."""
    match pipeline:
        case "WanVACEPipeline":
            return _vace(brought, run)
        case "WanAnimatePipeline":
            names = {"pose_video": "control_video", "face_video": "face_video"}
            if "mask" in brought.videos:
                names |= {"background_video": "video", "mask_video": "mask"}
            mode = "replace" if "mask" in brought.videos else "animate"
            return brought.pictures | {name: brought.videos[role] for name, role in names.items()} | {"mode": mode}
        case "LTXConditionPipeline":
            pictures = [
                LTXVideoCondition(image=image, frame_index=at) for at, image in brought.pinned(run.num_frames).items()
            ]
            videos = [LTXVideoCondition(video=video, strength=1 - STRENGTH) for video in brought.videos.values()]
            return {"conditions": pictures + videos}
        case "LTX2ConditionPipeline":
            latent = {0: 0, PINNED: 1, run.num_frames - 1: (run.num_frames - 1) // 8}
            pictures = [LTX2VideoCondition(image, latent[at]) for at, image in brought.pinned(run.num_frames).items()]
            return {"conditions": pictures + [LTX2VideoCondition(v, 0, 1 - STRENGTH) for v in brought.videos.values()]}
        case "CogVideoXVideoToVideoPipeline":
            return {"video": brought.videos["video"], "strength": STRENGTH}
    return brought.pictures


def _vace(brought: Given, run: Pass) -> dict[str, Any]:
    """As the pipeline's documentation does it: grey and white where something is to be made, black over what stays."""
    call: dict[str, Any] = {"reference_images": brought.references} if brought.references else {}
    if brought.videos.keys() == {"control_video"} and not brought.pictures and not brought.keyframes:
        return call | {"video": brought.videos["control_video"]}
    grey = Image.new("RGB", (run.width, run.height), (128, 128, 128))
    frames = [np.array(grey)] * run.num_frames
    masks = [np.full((run.height, run.width), 255, np.uint8)] * run.num_frames
    if "mask" in brought.videos:
        right = np.array(half(run))[..., None] > 127
        frames = [np.where(right, 128, np.array(image)).astype(np.uint8) for image in brought.videos["video"]]
        masks = [np.array(half(run))] * run.num_frames
    for at, image in brought.pinned(run.num_frames).items():
        frames[at], masks[at] = np.array(image), np.zeros_like(masks[at])
    if not (brought.videos or brought.pictures or brought.keyframes):
        return call
    return call | {"video": [Image.fromarray(f) for f in frames], "mask": [Image.fromarray(m) for m in masks]}
