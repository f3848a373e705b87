"""Colours of videos as a browser shows them: HDR mapped down and said, HD without tags, wide gamuts, see-through."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from engine import BadFile, Engine, Request
from engine.media import colours
from engine.media.images import video_path
from engine.media.videos import facts, keep_video, sampled
from engine.schema import HardwareProfile
from tests.conftest import PROMPT


def recorded(path: Path, signal: np.ndarray, codec: str = "libx264", **tags: Any) -> Path:
    """A video of 8 equal frames of this signal: uint16 RGB (height, width, 3)."""
    height, width = signal.shape[:2]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=8, options={"crf": "1", "x265-params": "log-level=none"})
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p10le" if codec == "libx265" else "yuv420p"
        context = stream.codec_context
        for name, value in tags.items():
            setattr(context, name, value)
        matrix = tags.get("colorspace", Colorspace.ITU709)
        for number in range(8):
            rgb = av.VideoFrame.from_ndarray(signal, format="rgb48le")
            ranges = {"src_color_range": ColorRange.JPEG, "dst_color_range": ColorRange.MPEG}
            frame = rgb.reformat(format=stream.pix_fmt, dst_colorspace=matrix, **ranges)
            frame.pts, frame.time_base = number, Fraction(1, 8)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def flat(size: tuple[int, int], rgb: tuple[float, float, float]) -> np.ndarray:
    """One colour, its parts 0 to 1."""
    return np.broadcast_to((np.array(rgb) * 65535).astype(np.uint16), (size[1], size[0], 3)).copy()


def seen(path: Path, tmp_path: Path) -> tuple[int, int, int]:
    kept = video_path(tmp_path / "kept", keep_video(path, tmp_path / "kept"))
    (first, *_) = sampled(kept, 8, 1)
    return first.getpixel((first.width // 2, first.height // 2))


PQ = {"colorspace": Colorspace.BT2020, "color_primaries": ColorPrimaries.BT2020, "color_trc": ColorTrc.SMPTE2084}
HLG = PQ | {"color_trc": ColorTrc.ARIB_STD_B67}


@pytest.mark.parametrize(("tags", "white"), [(PQ, 0.58), (HLG, 0.75)], ids=["HDR10", "HLG"])
def test_white_paper_in_hdr_is_white_and_highlights_keep_their_order(
    tags: dict[str, Any], white: float, tmp_path: Path
) -> None:
    levels = [0.3, white, min(white + 0.15, 0.95)]
    found = [
        seen(recorded(tmp_path / f"{level}.mp4", flat((64, 64), (level,) * 3), "libx265", **tags), tmp_path)
        for level in levels
    ]
    dark, paper, sun = (colour[1] for colour in found)
    assert 245 <= paper <= 251 and paper < sun <= 255 and dark < 110
    assert all(max(colour) - min(colour) <= 3 for colour in found)  # grey stays grey


def test_the_kept_video_of_hdr_says_so_and_the_plan_too(machine: HardwareProfile, tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.mp4", flat((64, 64), (0.5, 0.5, 0.5)), "libx265", **HLG)
    with Engine(tmp_path / "home") as engine:
        name = engine.media.keep_video(path)
        assert facts(video_path(engine.places.media, name)).from_hdr
        request = Request(prompt=PROMPT, seed=1, model="ltx-video-2b-0.9.5", videos={"video": name})
        assert any("HDR colours are brought to" in reason for reason in engine.plan(request, machine).reasons)


@pytest.mark.parametrize(("size", "matrix"), [((1280, 720), Colorspace.ITU709), ((640, 360), Colorspace.ITU601)])
def test_a_video_without_colour_tags_is_read_as_browsers_do(
    size: tuple[int, int], matrix: Colorspace, tmp_path: Path
) -> None:
    signal = flat(size, (0.86, 0.12, 0.12))
    rgb = av.VideoFrame.from_ndarray(signal, format="rgb48le")
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=8, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        frame = rgb.reformat(format="yuv420p", src_color_range=ColorRange.JPEG, dst_color_range=ColorRange.MPEG,
                             dst_colorspace=matrix)  # fmt: skip
        frame.colorspace, frame.color_range = colours.UNSPECIFIED, 0
        for number in range(4):
            frame.pts, frame.time_base = number, Fraction(1, 8)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert seen(path, tmp_path) == pytest.approx((219, 31, 31), abs=3)


def test_a_wide_gamut_is_brought_to_the_screens(tmp_path: Path) -> None:
    p3 = {"colorspace": Colorspace.ITU709, "color_primaries": ColorPrimaries.SMPTE432, "color_trc": ColorTrc.BT709}
    wide = seen(recorded(tmp_path / "a.mp4", flat((64, 64), (0.7, 0.3, 0.3)), **p3), tmp_path)
    plain = seen(recorded(tmp_path / "b.mp4", flat((64, 64), (0.7, 0.3, 0.3)), colorspace=Colorspace.ITU709), tmp_path)
    assert wide[0] > plain[0] + 4 and wide[1] < plain[1]  # the same numbers mean a stronger red


@pytest.mark.parametrize(("name", "codec"), [("a.webm", "libvpx-vp9"), ("a.mov", "prores_ks"), ("a.mov", "qtrle")])
def test_what_is_transparent_in_a_video_becomes_white(name: str, codec: str, tmp_path: Path) -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, :32] = (200, 20, 20, 255)
    formats = {"libvpx-vp9": "yuva420p", "prores_ks": "yuva444p10le", "qtrle": "argb"}
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 64, formats[codec]
        for number in range(4):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format=formats[codec])
            frame.pts, frame.time_base = number, Fraction(1, 8)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    kept = video_path(tmp_path / "kept", keep_video(path, tmp_path / "kept"))
    (first, *_) = sampled(kept, 8, 1)
    assert min(first.getpixel((50, 32))) > 245 and first.getpixel((10, 32))[0] > 180


def test_a_video_that_is_too_small_says_how_small_it_may_be(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.mp4", flat((8, 8), (0.5, 0.5, 0.5)))
    with pytest.raises(BadFile, match="is 8 x 8 pixels, which is too small: 16 x 16 is the least"):
        keep_video(path, tmp_path / "kept")
    assert not list((tmp_path / "kept").glob("*"))
