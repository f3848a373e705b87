"""Read a clip's attributes back from its pixels, without knowing what was asked for.

First the backdrop and the camera: every background, camera and sideways shift is painted small, and the nearest one
(with a capped error, so that the subject does not count) wins. What differs from that backdrop is the subject: its
colour, its outline against turned templates, and its path, growth and turning over time. Nothing is learned, nothing
tuned on generated clips.
A clip without a subject reads as `""` in the subject's attributes.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from starter.backdrops import backdrop
from starter.scenes import GROWTH, MARK_ON_WHITE, PALETTE, SPIN, TRAVEL, Window, _outline, background, camera_path
from starter.world import BACKGROUNDS, CAMERAS, COLOURS, FRAMES, SHAPES, Spec

Array = np.ndarray

SMALL_SIDE = 24  # pixels of the shorter side when fitting backdrops
CAP = 36.0  # colour levels: an error above this counts no more
PROBES = (0, 6, 12, 18, 24)  # frames compared when fitting
PHASES = np.linspace(-0.35, 0.35, 15)
STILL_BELOW = 0.4  # of the nominal motion
SOFTNESS = (0.0, 0.12, 0.22)  # blur of an outline, in radii: a blurred star is no ball


@dataclass(frozen=True)
class Reading:
    """What the judge sees in a clip; the fields are named as in `Spec`."""

    colour: str
    shape: str
    motion: str
    background: str
    camera: str


@dataclass(frozen=True)
class Track:
    """The subject's mask (frames, rows, columns), and per frame its centroid in pixels and its area in pixels."""

    mask: Array
    x: Array
    y: Array
    area: Array


def _shrink(clip: Array, side: int) -> Array:
    """Average over pixel blocks until the shorter side is about `side`; float32 (frames, rows, columns, 3)."""
    height, width = clip.shape[1:3]
    factor = max(1, min(height, width) // side)
    rows, columns = height // factor, width // factor
    blocks = clip[:, : rows * factor, : columns * factor].reshape(len(clip), rows, factor, columns, factor, 3)
    return blocks.mean(axis=(2, 4), dtype=np.float32)


@lru_cache(maxsize=4)
def _bank(width: int, height: int) -> Array:
    """Every backdrop, small: (backgrounds, cameras, phases, probes, rows * columns * 3)."""
    window = Window(width, height, frames=PROBES)
    columns, rows = window.columns(), window.rows()
    views = []
    for camera in CAMERAS:
        scale, centre = camera_path(Spec("", "", "still", "", camera), window)
        u = columns * scale[:, None, None] + centre[:, None, None] + np.zeros((1, len(rows), 1), np.float32)
        v = rows[None, :, None] * scale[:, None, None] + np.zeros_like(u)
        views.append((u, v))
    u, v = (np.stack(parts) for parts in zip(*views, strict=True))
    u = u[:, None] + PHASES.astype(np.float32)[None, :, None, None, None]
    v = np.broadcast_to(v[:, None], u.shape)
    return np.stack([backdrop(name, u, v).reshape(*u.shape[:3], -1).astype(np.float16) for name in BACKGROUNDS])


def _fit_backdrop(clip: Array) -> tuple[str, str, float]:
    """The background, the camera and the phase whose picture is nearest to the clip."""
    small = _shrink(clip[list(PROBES)], SMALL_SIDE)
    bank = _bank(small.shape[2], small.shape[1])
    target = small.reshape(len(PROBES), -1)
    coarse = np.array([np.minimum(np.abs(part[:, ::3] - target), CAP).mean() for part in bank])
    best = (np.inf, 0, 0, 0)
    for index in np.argsort(coarse)[:4]:
        errors = np.minimum(np.abs(bank[index] - target), CAP).mean(axis=(2, 3))
        camera, phase = np.unravel_index(errors.argmin(), errors.shape)
        best = min(best, (float(errors.min()), int(index), int(camera), int(phase)))
    return BACKGROUNDS[best[1]], CAMERAS[best[2]], float(PHASES[best[3]])


def _refined(clip: Array, name: str, camera: str, phase: float) -> Array:
    """The fitted backdrop at the clip's own size, its phase and pace searched more finely."""
    height, width = clip.shape[1:3]
    window = Window(width, height, frames=PROBES)
    best = (np.inf, Spec("", "", "still", name, camera))
    for pace in (1.0,) if "pan" not in camera else (0.93, 1.0, 1.07):
        for shift in np.arange(-0.05, 0.051, 0.0125):
            spec = Spec("", "", "still", name, camera, pace=pace, phase=phase + shift)
            error = np.minimum(np.abs(background(spec, window) - clip[list(PROBES)]), CAP).mean()
            best = min(best, (float(error), spec), key=lambda pair: pair[0])
    return background(best[1], Window(width, height))


def _track(clip: Array, ground: Array) -> Track | None:
    """The largest connected thing that differs from the backdrop, followed through time."""
    difference = np.sqrt(((clip - ground) ** 2).sum(axis=-1))
    threshold = np.clip(0.3 * np.percentile(difference, 98), 26, 90)
    mask = ndimage.binary_opening(difference > threshold, np.ones((1, 3, 3)))
    labels, count = ndimage.label(mask)
    if not count:
        return None
    sizes = np.bincount(labels.ravel())[1:]
    mask = labels == 1 + sizes.argmax()
    mask = np.stack(
        [ndimage.binary_fill_holes(ndimage.binary_closing(frame, np.ones((3, 3)))) | frame for frame in mask]
    )
    area = mask.sum(axis=(1, 2)).astype(float)
    if np.median(area) < 0.008 * mask[0].size:
        return None
    area = np.maximum(area, 1)
    rows, columns = np.mgrid[: mask.shape[1], : mask.shape[2]]
    return Track(mask, (mask * columns).sum(axis=(1, 2)) / area, (mask * rows).sum(axis=(1, 2)) / area, area)


def _colour(clip: Array, track: Track) -> str:
    """The palette colour nearest to the subject's median, whatever the light on it."""
    core = ndimage.binary_erosion(track.mask, np.ones((1, 3, 3)))
    median = np.median(clip[core if core.any() else track.mask], axis=0)
    lights = np.linspace(0.6, 1.1, 11)[:, None]
    return min(COLOURS, key=lambda name: np.linalg.norm(lights * np.array(PALETTE[name]) - median, axis=1).min())


def _patches(images: Array, track: Track, reach: float) -> Array:
    """Cut (frames, 28, 28) around the centroid, `reach` radii of a disc of the subject's area to each side."""
    grid = np.linspace(-reach, reach, 28)
    radius = np.sqrt(track.area / np.pi)[:, None, None]
    rows = track.y[:, None, None] + radius * grid[None, :, None] + 0 * grid
    columns = track.x[:, None, None] + radius * grid[None, None, :] + 0 * grid[:, None]
    frames = np.arange(len(images))[:, None, None] + 0 * rows
    return ndimage.map_coordinates(images.astype(np.float32), [frames, rows, columns], order=1, mode="constant")


@lru_cache(maxsize=1)
def _templates() -> Array:
    """Masks (shapes, variants, 28, 28) at every angle and three softnesses, centred and scaled as `_patches` does."""
    fine = np.linspace(-1.6, 1.6, 160)
    p, q = np.meshgrid(fine, fine)
    variants = []
    for shape in SHAPES:
        for angle in np.arange(0, 2 * np.pi, np.pi / 18):
            a, b = p * np.cos(angle) + q * np.sin(angle), q * np.cos(angle) - p * np.sin(angle)
            inside = (_outline(shape, a, b) < 0).astype(np.float32)
            for softness in SOFTNESS:
                mask = ndimage.gaussian_filter(inside, softness * 50) > 0.5
                area, where = mask.sum(), np.arange(160)
                variants.append((mask, (mask * where).sum() / area, (mask * where[:, None]).sum() / area, area))
    track = Track(*(np.array(part, dtype=float) for part in zip(*variants, strict=True)))
    return _patches(track.mask, track, 1.9).reshape(len(SHAPES), -1, 28, 28)


def _shape(track: Track) -> str:
    """The shape whose outline, at any angle and softness, overlaps best with the mask."""
    edge = track.mask[:, [0, -1]].any(axis=(1, 2)) | track.mask[:, :, [0, -1]].any(axis=(1, 2))
    frames = np.flatnonzero(~edge) if (~edge).sum() > 4 else np.arange(len(edge))
    patches = _patches(track.mask, track, 1.9)[frames[:: max(1, len(frames) // 8)]]
    templates = _templates()[:, :, None]
    overlap = np.minimum(patches, templates).sum(axis=(-1, -2)) / np.maximum(patches, templates).sum(axis=(-1, -2))
    return SHAPES[int(overlap.max(axis=1).mean(axis=1).argmax())]


def _turn(clip: Array, track: Track, colour: str) -> float:
    """How far the mark on the subject turns from the first to the last frame, in radians, clockwise positive.

    Its second moment, less what does not change, circles twice per turn; steps that disagree are noise.
    """
    base = np.array(PALETTE[colour], np.float32)
    towards = MARK_ON_WHITE - base if colour == "white" else 255 - base
    paleness = _patches(clip @ (towards / (towards @ towards)), track, 0.8)
    grid = np.linspace(-0.8, 0.8, 28)
    spot = grid[None, :] + 1j * grid[:, None]
    inside = np.abs(spot) < 0.8
    moments = ((paleness - paleness.mean(axis=0)) * np.where(inside, spot**2, 0)).mean(axis=(1, 2))
    steps = moments[1:] * moments[:-1].conj()
    if np.abs(moments).mean() < 0.0015 or np.abs(steps.sum()) < 0.6 * np.abs(steps).sum():
        return 0.0
    return float(np.angle(steps.sum()) / 2 * len(steps))


def _slope(values: Array) -> float:
    """Change from the first to the last frame, by a straight line through all of them."""
    t = np.linspace(-0.5, 0.5, len(values))
    return float(t @ (values - values.mean()) / (t @ t))


def _motion(clip: Array, track: Track, colour: str) -> str:
    """The strongest of travel and growth, in units of what the world draws; without either, turning; else `still`."""
    dx = _slope(track.x) / clip.shape[2] / TRAVEL
    dy = _slope(track.y) / clip.shape[1] / TRAVEL
    growth = _slope(np.log(track.area) / 2) / np.log(GROWTH)
    strengths = {"left": -dx, "right": dx, "up": -dy, "down": dy, "grow": growth, "shrink": -growth}
    motion = max(strengths, key=strengths.__getitem__)
    if strengths[motion] > STILL_BELOW:
        return motion
    return "spin" if abs(_turn(clip, track, colour)) > STILL_BELOW * SPIN else "still"


def read(clip: Array) -> Reading:
    """Read a clip of shape (25, height, width, 3), uint8 RGB."""
    if clip.shape[0] != FRAMES:
        raise ValueError(f"the judge reads clips of {FRAMES} frames, this one has {clip.shape[0]}")
    clip = _shrink(clip, 80)
    name, camera, phase = _fit_backdrop(clip)
    track = _track(clip, _refined(clip, name, camera, phase))
    if track is None:
        return Reading("", "", "", name, camera)
    colour = _colour(clip, track)
    return Reading(colour, _shape(track), _motion(clip, track, colour), name, camera)


def path(clip: Array) -> tuple[Array, Array] | None:
    """The subject's centre per frame, as shares of the clip's width; None where no subject is seen."""
    clip = _shrink(clip, 80)
    track = _track(clip, _refined(clip, *_fit_backdrop(clip)))
    return None if track is None else (track.x / clip.shape[2], track.y / clip.shape[2])
