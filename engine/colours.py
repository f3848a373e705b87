"""Frames of any video as RGB pictures in the colours of an ordinary screen: BT.709, opaque.

HDR (PQ, HLG) is mapped down to it, wide gamuts are converted, a video of high definition that says nothing is BT.709,
as browsers take it, and what can be seen through is laid over white.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc
from PIL import Image

from engine.media import over_background

# swscale's bicubic | accurate_rnd | full_chroma_int: without these, each reading makes colours a level darker
EXACT = 0x4 | 0x40000 | 0x2000
UNSPECIFIED = 2  # of matrices, in ITU-T H.273
HD_LINES = 720  # from here on, what says nothing is BT.709
HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
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


def picture(frame: Any) -> Image.Image:
    """A decoded frame (av.VideoFrame) as an RGB picture of its own size, not turned."""
    untold = frame.colorspace == UNSPECIFIED and frame.height >= HD_LINES
    known = {"src_colorspace": Colorspace.ITU709} if untold else {}
    if is_hdr(frame) or frame.color_primaries in TO_BT709:
        return Image.fromarray(_mapped(frame.reformat(format="rgb48le", interpolation=EXACT, **known), frame))
    if any(part.is_alpha for part in frame.format.components) or frame.format.has_palette:
        seen = Image.fromarray(frame.reformat(format="rgba", interpolation=EXACT, **known).to_ndarray(), "RGBA")
        return over_background(seen)
    return Image.fromarray(frame.reformat(format="rgb24", interpolation=EXACT, **known).to_ndarray())


def _mapped(deep: Any, frame: Any) -> np.ndarray:
    """uint8 RGB (height, width, 3) of a frame in 16-bit RGB, as `frame` says that it was recorded."""
    signal = deep.to_ndarray().astype(np.float32) / 65535
    if frame.color_trc == ColorTrc.SMPTE2084:
        light = _pq_nits(signal) / WHITE_NITS
    elif frame.color_trc == ColorTrc.ARIB_STD_B67:
        light = _hlg_nits(signal) / WHITE_NITS
    else:
        light = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    if matrix := TO_BT709.get(frame.color_primaries):
        light = light @ np.array(matrix, np.float32).T
    light = np.clip(light, 0, None)
    if is_hdr(frame):
        brightest = light.max(axis=2, keepdims=True)  # one factor for all three keeps the hue
        light = light * (_pressed(brightest) / np.maximum(brightest, 1e-6))
    return (_for_the_screen(np.clip(light, 0, 1)) * 255).round().astype(np.uint8)


def _for_the_screen(light: np.ndarray) -> np.ndarray:
    """sRGB, as browsers map it and pictures are kept."""
    curved = 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    seen: np.ndarray = np.where(light <= 0.0031308, 12.92 * light, curved)
    return seen


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


def _hlg_nits(signal: np.ndarray) -> np.ndarray:
    """ITU-R BT.2100 on a screen of 1000 nits."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array((0.2627, 0.678, 0.0593), np.float32)
    nits: np.ndarray = 1000 * scene * np.maximum(luminance, 1e-6)[..., None] ** 0.2
    return nits
