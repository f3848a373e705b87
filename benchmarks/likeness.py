"""How alike two clips are, and how much detail one has. Clips are uint8 RGB, (frames, height, width, 3).

Pure measures without a threshold in them; `kept.py` normalises them between a floor and a ceiling.
"""

from __future__ import annotations

import av
import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

Array = np.ndarray


def frames_of(video: str) -> Array:
    """Every frame of a file."""
    with av.open(video) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def luma(clip: Array) -> Array:
    """BT.709 luma, float, 0..255."""
    return clip.astype(np.float32) @ np.array([0.2126, 0.7152, 0.0722], np.float32)


def shrunk(clip: Array, height: int, width: int) -> Array:
    """Area average to another grid, whose sides divide the clip's."""
    rows, columns = clip.shape[1] // height, clip.shape[2] // width
    return clip.reshape(len(clip), height, rows, width, columns, 3).mean(axis=(2, 4))


def enlarged(clip: Array, height: int, width: int) -> Array:
    """Bicubic enlargement: what a render must beat in detail."""
    return np.stack([np.asarray(Image.fromarray(f).resize((width, height), Image.Resampling.BICUBIC)) for f in clip])


def ssim(one: Array, other: Array) -> float:
    """Structural similarity of luma, Gaussian windows of 1.5 pixels, averaged over frames. 1 = the same."""
    x, y = luma(one), luma(other)

    def mean(values: Array) -> Array:
        return gaussian_filter(values, sigma=(0, 1.5, 1.5))

    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    a, b = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float((((2 * mx * my + a) * (2 * vxy + b)) / ((mx * mx + my * my + a) * (vx + vy + b))).mean())


def fineness(clip: Array) -> float:
    """Energy of luma in the finest details: edges and texture that an enlarged clip lacks."""
    y = luma(clip)
    return float(((y - gaussian_filter(y, sigma=(0, 0.8, 0.8))) ** 2).mean())


def detail(clip: Array, real: Array) -> float:
    """Fineness beside that of a real clip of the same scene, 1 = as fine; softer and noisier both score lower."""
    ratio = fineness(clip) / max(fineness(real), 1e-9)
    return min(ratio, 1 / max(ratio, 1e-9))


def path_error(one: tuple[Array, Array], other: tuple[Array, Array]) -> float:
    """Mean distance of two paths (x and y per frame, as shares of the frame's width), as a share of the width."""
    return float(np.hypot(one[0] - other[0], one[1] - other[1]).mean())
