"""Frames to an MP4 that plays everywhere (H.264, yuv420p, BT.709, index first), its poster and its recipe."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from PIL import Image

from engine.errors import disk_full
from engine.types import Recipe
from engine.worker.families.latent_video import Footage

CRF = "14"  # visually lossless; small clips of flat colours band above it
# Without mbtree: its AVX-512 code gave another file on every fifth run, and a recipe must repeat its clip bit for bit.
OPTIONS = {"crf": CRF, "preset": "medium", "profile": "high", "x264-params": "mbtree=0"}


def write(footage: Footage, fps: int, stem: Path, recipe: Recipe) -> None:
    """`footage`: frames with even sides, and perhaps sound. Writes stem.mp4, poster and, last, stem.json.

    Each file appears whole or not at all. Raises MachineProblem when the disk is full.
    """
    try:
        part = stem.with_suffix(".part")
        _encode(footage, fps, part, recipe)
        part.replace(stem.with_suffix(".mp4"))
        poster = stem.with_name("poster.jpg" if recipe.kind == "take" else f"{stem.name}.jpg")
        Image.fromarray(footage.frames[len(footage.frames) // 2]).save(poster, quality=90)
        part.write_text(recipe.model_dump_json(indent=1), encoding="utf-8")
        part.replace(stem.with_suffix(".json"))
    except (OSError, av.FFmpegError) as error:
        raise disk_full(OSError(str(error))) from error


def _encode(footage: Footage, fps: int, path: Path, recipe: Recipe) -> None:
    frames = footage.frames
    options = {"movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        container.metadata["title"] = recipe.plan.request.prompt[:200]
        container.metadata["copyright"] = recipe.plan.licence
        container.metadata["comment"] = recipe.model_dump_json()
        stream = container.add_stream("libx264", rate=Fraction(fps), options=OPTIONS)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.color_range, stream.colorspace = ColorRange.MPEG, Colorspace.ITU709
        stream.color_primaries, stream.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        for image in frames:
            rgb = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(
                stream.encode(
                    rgb.reformat(
                        format="yuv420p",
                        src_color_range=ColorRange.JPEG,
                        dst_color_range=ColorRange.MPEG,
                        dst_colorspace=Colorspace.ITU709,
                    )
                )
            )
        container.mux(stream.encode())
