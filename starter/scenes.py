"""Draw a specification's clip: an anti-aliased, softly shaded subject before a backdrop that the camera moves over."""

from dataclasses import dataclass

import numpy as np

from starter.backdrops import backdrop
from starter.world import FRAMES, Spec

Array = np.ndarray

PALETTE = {
    "red": (222, 30, 38),
    "orange": (250, 128, 16),
    "yellow": (255, 220, 40),
    "green": (22, 160, 52),
    "blue": (24, 72, 226),
    "purple": (122, 34, 186),
    "pink": (255, 112, 176),
    "white": (250, 250, 250),
}
MARK_ON_WHITE = np.array((112, 124, 150), np.float32)
TRAVEL = 0.43  # of the frame's side along the motion, first to last frame
GROWTH = 2.0  # ratio of the last diameter to the first
SPIN = 1.6 * np.pi  # radians, clockwise
PAN = 0.5  # world units
ZOOM = 1.5  # how much larger the backdrop gets
ZOOM_OF_SUBJECT = 1.15
REACH = {"ball": 1.0, "box": 1.02, "cone": 1.16, "star": 1.2}  # so that all shapes look about as large
CANVAS_MARGIN = 0.30  # world units beyond the frame on either side, for pans


@dataclass(frozen=True)
class Window:
    """Which pixels and frames of a clip to draw: a full clip, or a crop for training the VAE."""

    width: int
    height: int
    left: int = 0
    top: int = 0
    crop_width: int = 0
    crop_height: int = 0
    frames: tuple[int, ...] = tuple(range(FRAMES))

    @property
    def shorter(self) -> int:
        return min(self.width, self.height)

    def columns(self) -> Array:
        """Horizontal pixel centres in world units, shape (columns,)."""
        count = self.crop_width or self.width
        return ((self.left + np.arange(count) + 0.5 - self.width / 2) / self.shorter).astype(np.float32)

    def rows(self) -> Array:
        """Vertical pixel centres in world units, shape (rows,)."""
        count = self.crop_height or self.height
        return ((self.top + np.arange(count) + 0.5 - self.height / 2) / self.shorter).astype(np.float32)

    def times(self) -> Array:
        """Time of each frame, -0.5 at the first and 0.5 at the last frame of the clip."""
        return (np.array(self.frames, np.float32) / (FRAMES - 1) - 0.5).astype(np.float32)


@dataclass(frozen=True)
class Pose:
    """Where the subject is, per frame: centre and radius in world units, angle in radians (clockwise)."""

    x: Array
    y: Array
    radius: Array
    angle: Array


def pose(spec: Spec, window: Window) -> Pose:
    """The subject's path in `window`'s frames; every array has shape (frames,)."""
    t = window.times()
    zero = np.zeros_like(t)
    direction = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}.get(spec.motion, (0, 0))
    wide, high = window.width / window.shorter, window.height / window.shorter
    dx, dy = TRAVEL * wide * spec.pace * direction[0] * t, TRAVEL * high * spec.pace * direction[1] * t
    growth = {"grow": 1, "shrink": -1}.get(spec.motion, 0) * np.log(GROWTH) * spec.pace
    zoom = {"zoom in": 1, "zoom out": -1}.get(spec.camera, 0) * np.log(ZOOM_OF_SUBJECT)
    middle = 0.9 if growth else 1.0
    radius = spec.size / 2 * middle * REACH[spec.shape] * np.exp((growth + zoom) * t)
    angle = SPIN * spec.pace * (t + 0.5) if spec.motion == "spin" else zero
    if spec.shape == "ball" and direction[0]:
        angle = (
            (dx - dx[0]) / radius
            if len(window.frames) == FRAMES
            else TRAVEL * wide * spec.pace * direction[0] * (t + 0.5) / radius
        )
    return Pose(spec.x * wide + dx, spec.y * high + dy, radius, angle)


def _outline(shape: str, p: Array, q: Array) -> Array:
    """Signed distance (negative inside) to a shape of radius 1 in its own coordinates, corners rounded."""
    if shape == "ball":
        return np.hypot(p, q) - 1.0
    if shape == "box":
        a, b = np.abs(p) - 0.68, np.abs(q) - 0.68
        return np.hypot(np.maximum(a, 0), np.maximum(b, 0)) + np.minimum(np.maximum(a, b), 0) - 0.16
    if shape == "cone":
        side = (np.abs(p) * 0.894 - q * 0.447) - 0.36
        base = q - 0.66
        corner = np.maximum(side, base)
        outside = np.hypot(np.maximum(side, 0), np.maximum(base, 0))
        return np.where(corner > 0, outside, corner) - 0.10
    return _star(p, q)


def _star(p: Array, q: Array) -> Array:
    """Five points: fold the plane onto one half-point, then the distance to its edge."""
    p = np.abs(p)
    for kx, ky in ((0.809017, 0.587785), (-0.809017, 0.587785)):
        reach = 2 * np.maximum(kx * p + ky * q, 0)
        p, q = p - reach * kx, q - reach * ky
    p, q = np.abs(p), q + 1.0
    ex, ey = 0.587785 * 0.52, 0.809017 * 0.52 - 0.0
    ex, ey = ex, 1.0 - ey
    along = np.clip((p * ex + q * ey) / (ex * ex + ey * ey), 0, 1)
    return np.hypot(p - ex * along, q - ey * along) * np.sign(q * ex - p * ey) * -1.0 - 0.05


def _paint(spec: Spec, p: Array, q: Array, turned: tuple[Array, Array], distance: Array) -> Array:
    """RGB (points, 3) of the subject's surface: light from the upper left, a darker rim, a pale (or slate) mark."""
    base = np.array(PALETTE[spec.colour], np.float32)
    mark_colour = MARK_ON_WHITE if spec.colour == "white" else base * 0.22 + 255 * 0.78
    light = 1.0 - 0.22 * np.clip(0.5 * (p + 0.3) + 0.8 * (q + 0.3), -0.4, 1.2)
    light *= 1 - 0.22 * np.clip(1 + distance / 0.22, 0, 1) ** 2
    glow = 0.30 * np.exp(-((p + 0.34) ** 2 + (q + 0.40) ** 2) / 0.10)
    reach = 0.34 if spec.shape != "star" else 0.22
    across, along = turned[0], np.maximum(np.abs(turned[1] - 0.08) - reach, 0)
    mark = np.clip((0.15 - np.hypot(across, along)) / 0.08 + 0.5, 0, 1)[:, None] * 0.9
    colour = (base + (mark_colour - base) * mark) * light[:, None]
    return colour + (255 - colour) * glow[:, None]


def subject(spec: Spec, window: Window) -> tuple[Array, Array]:
    """The subject's RGB (frames, rows, columns, 3) in 0..255 and its coverage (frames, rows, columns) in 0..1."""
    where = pose(spec, window)
    frame = (slice(None), None, None)
    radius = where.radius[frame]
    p = (window.columns()[None, None, :] - where.x[frame]) / radius
    q = (window.rows()[None, :, None] - where.y[frame]) / radius
    p, q = np.broadcast_arrays(p, q)
    cos, sin = np.cos(where.angle)[frame], np.sin(where.angle)[frame]
    turned = (p * cos + q * sin, q * cos - p * sin)
    distance = _outline(spec.shape, *turned)
    coverage = np.clip(0.5 - distance * radius * window.shorter, 0, 1)
    seen = coverage > 0
    paint = np.zeros((*coverage.shape, 3), np.float32)
    paint[seen] = _paint(spec, p[seen], q[seen], (turned[0][seen], turned[1][seen]), distance[seen])
    return paint, coverage


def _resampling(targets: Array, scale: Array, start: float, step: float, count: int) -> Array:
    """Linear interpolation as a matrix (frames, targets, count) from a canvas axis to scaled and shifted points."""
    places = (targets[None, :] * scale[:, None] - start) / step
    return np.clip(1 - np.abs(places[..., None] - np.arange(count)), 0, 1).astype(np.float32)


def camera_path(spec: Spec, window: Window) -> tuple[Array, Array]:
    """Per frame: world units per frame unit (below 1 when zoomed in), and the world u of the frame's centre."""
    t = window.times()
    zoom = {"zoom in": 1, "zoom out": -1}.get(spec.camera, 0)
    if zoom:
        return np.exp(-np.log(ZOOM) * (zoom * t + 0.5)).astype(np.float32), np.zeros_like(t)
    pan = {"pan left": -1, "pan right": 1}.get(spec.camera, 0)
    return np.ones_like(t), (PAN * pan * spec.pace * t).astype(np.float32)


def background(spec: Spec, window: Window) -> Array:
    """The backdrop as the camera sees it, RGB in 0..255, shape (frames, rows, columns, 3).

    It is painted once on a canvas and resampled for each frame: a camera move costs two matrix products.
    """
    scale, centre = camera_path(spec, window)
    columns, rows = window.columns(), window.rows()
    step = 1.0 / window.shorter
    if spec.camera == "still":
        picture = backdrop(spec.background, *np.meshgrid(columns + spec.phase, rows))
        return np.broadcast_to(picture, (len(scale), *picture.shape))
    moving = centre.any()
    u = (
        np.arange(columns.min() - CANVAS_MARGIN, columns.max() + CANVAS_MARGIN, step)
        if moving
        else np.arange(min(columns.min(), columns.min() / ZOOM), max(columns.max(), columns.max() / ZOOM) + step, step)
    )
    v = (
        np.arange(min(rows.min(), rows.min() / ZOOM), max(rows.max(), rows.max() / ZOOM) + step, step)
        if not moving
        else rows
    )
    picture = backdrop(spec.background, *np.meshgrid((u + spec.phase).astype(np.float32), v.astype(np.float32)))
    across = (columns[None] * scale[:, None] + centre[:, None] - u[0]) / step
    weights = np.clip(1 - np.abs(across[..., None] - np.arange(len(u))), 0, 1).astype(np.float32)
    seen = np.einsum("fcu,vuk->fvck", weights, picture, optimize=True)
    if moving:
        return seen
    return np.matmul(_resampling(rows, scale, v[0], step, len(v)), seen.reshape(*seen.shape[:2], -1)).reshape(
        len(scale), len(rows), len(columns), 3
    )


def draw(spec: Spec, window: Window) -> tuple[Array, Array]:
    """The clip: RGB uint8 (frames, rows, columns, 3), and the subject's coverage (frames, rows, columns) in 0..1."""
    paint, coverage = subject(spec, window)
    ground = background(spec, window)
    clip = ground + (paint - ground) * coverage[..., None]
    return np.clip(clip + 0.5, 0, 255).astype(np.uint8), coverage
