"""Frames of any video as RGB pictures in the colours of an ordinary screen: BT.709, opaque.

HDR (PQ, HLG) is mapped down to it, wide gamuts are converted, a video of high definition that says nothing is BT.709,
as browsers take it, and what can be seen through is laid over one colour.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc
from PIL import Image

from engine.media.images import BACKGROUND, over_background

# swscale's bicubic | accurate_rnd | full_chroma_int: without these, each reading makes colours a level darker
EXACT = 0x4 | 0x40000 | 0x2000
UNSPECIFIED = 2  # of matrices, in ITU-T H.273
HD_LINES = 720  # from here on, what says nothing is BT.709
HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
MOST_MAPPED = 1280  # pixels a side
WHITE_NITS = 203.0  # of HDR: what a sheet of paper is graded to (ITU-R BT.2408)
KNEE = 0.85  # of white: above it, highlights are pressed together instead of cut off
# Linear RGB of other primaries to BT.709 (ITU-R BT.2087; SMPTE EG 432-1 for P3 with white D65).
TO_BT709 = {
    ColorPrimaries.BT2020: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    ColorPrimaries.SMPTE432: ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)),
}


def is_hdr(frame: Any) -> bool:
    """Whether a decoded frame is graded for a brighter screen."""
    return frame.color_trc in HDR


def picture(frame: Any, background: str = BACKGROUND) -> Image.Image:
    """A decoded frame (av.VideoFrame) as an RGB picture, not turned; of its own size, and of HDR at most `MOST_MAPPED`
    a side: mapping takes its time."""
    untold = frame.colorspace == UNSPECIFIED and frame.height >= HD_LINES
    known = {"src_colorspace": Colorspace.ITU709} if untold else {}
    if is_hdr(frame) or frame.color_primaries in TO_BT709:
        scale = min(1.0, MOST_MAPPED / max(frame.width, frame.height))
        size = {"width": round(frame.width * scale / 2) * 2, "height": round(frame.height * scale / 2) * 2}
        deep = frame.reformat(**size, format="rgb48le", interpolation=EXACT, **known)
        return Image.fromarray(_mapped(deep.to_ndarray(), frame))
    if any(part.is_alpha for part in frame.format.components) or frame.format.has_palette:
        seen = Image.fromarray(frame.reformat(format="rgba", interpolation=EXACT, **known).to_ndarray(), "RGBA")
        return over_background(seen, background)
    return Image.fromarray(frame.reformat(format="rgb24", interpolation=EXACT, **known).to_ndarray())


def _mapped(signal: np.ndarray, frame: Any) -> np.ndarray:
    """uint8 RGB of uint16 RGB (height, width, 3), as `frame` says that it was recorded."""
    light = _curve(frame.color_trc)[signal]
    if frame.color_trc == ColorTrc.ARIB_STD_B67:  # as a screen of 1000 nits shows it (ITU-R BT.2100)
        luminance = light @ np.array((0.2627, 0.678, 0.0593), np.float32)
        light = 1000 / WHITE_NITS * light * np.maximum(luminance, 1e-6)[..., None] ** np.float32(0.2)
    if matrix := TO_BT709.get(frame.color_primaries):
        light = light @ np.array(matrix, np.float32).T
    light = np.clip(light, 0, None)
    if is_hdr(frame):
        brightest = light.max(axis=2, keepdims=True)  # one factor for all three keeps the hue
        light = light * (_pressed(brightest) / np.maximum(brightest, 1e-6))
    seen: np.ndarray = _screen_curve()[(np.clip(light, 0, 1) * 65535).astype(np.uint16)]
    return seen


@functools.lru_cache(maxsize=4)  # a table of every signal: powers of each pixel take ten times as long
def _curve(transfer: int) -> np.ndarray:
    """Light of each 16-bit signal: for PQ in sheets of white paper, for HLG of the scene, else as sRGB has it."""
    signal = np.arange(65536, dtype=np.float64) / 65535
    if transfer == ColorTrc.SMPTE2084:
        light = _pq_nits(signal) / WHITE_NITS
    elif transfer == ColorTrc.ARIB_STD_B67:
        light = _hlg_scene(signal)
    else:
        light = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


@functools.lru_cache(maxsize=1)
def _screen_curve() -> np.ndarray:
    """uint8 for each of 65536 steps of light: sRGB, as browsers map it and pictures are kept."""
    light = np.arange(65536, dtype=np.float64) / 65535
    curved = 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    return (np.where(light <= 0.0031308, 12.92 * light, curved) * 255).round().astype(np.uint8)


def _pressed(light: np.ndarray) -> np.ndarray:
    """Up to the knee as it is; above it, towards white without reaching it."""
    above = np.maximum(light - KNEE, 0) / (1 - KNEE)
    pressed: np.ndarray = np.minimum(light, KNEE) + (1 - KNEE) * (1 - np.exp(-above))
    return pressed


def _pq_nits(signal: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084."""
    root = signal ** (1 / 78.84375)
    ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    nits: np.ndarray = 10_000 * ratio ** (1 / 0.1593017578125)
    return nits


def _hlg_scene(signal: np.ndarray) -> np.ndarray:
    """ITU-R BT.2100: the light of the scene, 0 to 1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene: np.ndarray = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return scene
