"""Frames to an MP4 that plays everywhere (H.264, yuv420p, BT.709, index first), its poster and its recipe."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from PIL import Image

from engine.durable_files import onto_the_disk, written
from engine.schema import Recipe
from engine.schema.errors import not_written
from engine.worker.families.family import Footage

Picture = Any  # uint8 (height, width, 3), or an av.VideoFrame that is ready to be encoded
CRF = "14"  # visually lossless; small clips of flat colours band above it
# Without mbtree: its AVX-512 code gave another file on every fifth run, and a recipe must repeat its clip bit for bit.
OPTIONS = {"crf": CRF, "preset": "medium", "profile": "high", "x264-params": "mbtree=0"}


def write(footage: Footage, fps: int, stem: Path, recipe: Recipe, before: Iterable[Picture] = ()) -> None:
    """`footage`: frames with even sides, and perhaps sound. Writes stem.mp4, poster and, last, stem.json.

    `before`: pictures of the same size that are shown first; the sound covers them too.

    Each file appears whole or not at all. Raises MachineProblem when the disk is full.
    """
    try:
        with written(stem.with_suffix(".mp4"), lasting=True) as part:
            _encode(itertools.chain(before, footage.frames), (footage, fps), part, recipe)
        poster = stem.with_name("poster.jpg" if recipe.kind == "take" else f"{stem.name}.jpg")
        Image.fromarray(footage.frames[len(footage.frames) // 2]).save(poster, quality=90)
        onto_the_disk(poster)
        with written(stem.with_suffix(".json"), lasting=True) as part:  # after what it stands for
            part.write_text(recipe.model_dump_json(indent=1), encoding="utf-8")
    except (OSError, av.FFmpegError) as error:
        raise not_written(OSError(errno.ENOSPC, str(error))) from error


def _encode(pictures: Iterable[Picture], of: tuple[Footage, int], path: Path, recipe: Recipe) -> None:
    footage, fps = of
    options = {"movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        container.metadata["title"] = recipe.plan.request.prompt[:200]
        container.metadata["copyright"] = recipe.rights
        container.metadata["comment"] = recipe.model_dump_json()
        stream = container.add_stream("libx264", rate=Fraction(fps), options=OPTIONS)
        stream.height, stream.width = footage.frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.color_range, stream.colorspace = ColorRange.MPEG, Colorspace.ITU709
        stream.color_primaries, stream.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        sound = _sound_stream(footage, container)
        for number, picture in enumerate(pictures):
            frame = picture if isinstance(picture, av.VideoFrame) else _frame(picture)
            frame.pts, frame.time_base = number, 1 / Fraction(fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound is not None:
            _encode_sound(footage, container, sound)


def _frame(picture: np.ndarray) -> av.VideoFrame:
    rgb = av.VideoFrame.from_ndarray(picture, format="rgb24")
    return rgb.reformat(
        format="yuv420p",
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        dst_colorspace=Colorspace.ITU709,
    )


def _sound_stream(footage: Footage, container: av.container.OutputContainer) -> av.AudioStream | None:
    """Every stream must be there before the first picture is written."""
    if footage.sound is None:
        return None
    layout = "stereo" if np.atleast_2d(footage.sound).shape[0] == 2 else "mono"
    return container.add_stream("aac", rate=footage.sample_rate, layout=layout)


def _encode_sound(footage: Footage, container: av.container.OutputContainer, stream: av.AudioStream) -> None:
    """The sound in AAC's own portions, at the rate that the model made."""
    assert footage.sound is not None
    samples = np.atleast_2d(footage.sound).astype(np.float32).clip(-1, 1)
    layout = stream.layout.name
    whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[:2]), format="fltp", layout=layout)
    whole.sample_rate = footage.sample_rate
    whole.pts, whole.time_base = 0, Fraction(1, footage.sample_rate)  # else AAC's run-up is played too: late by 43 ms
    waiting = av.AudioFifo()
    waiting.write(whole)
    for part in waiting.read_many(stream.frame_size, partial=True):
        container.mux(stream.encode(part))
    container.mux(stream.encode())
