"""The starter's little world: its attributes, one clip's specification, and which combinations are held out."""

import zlib
from dataclasses import dataclass

import numpy as np

FRAMES = 25
FRAMES_PER_SECOND = 12

#: (width, height) in pixels; a render is exactly twice a take.
TAKE_SIZES = {"square": (96, 96), "wide": (128, 80), "tall": (80, 128)}
RENDER_SIZES = {name: (2 * width, 2 * height) for name, (width, height) in TAKE_SIZES.items()}

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white")
SHAPES = ("ball", "box", "cone", "star")
MOTIONS = ("left", "right", "up", "down", "spin", "grow", "shrink", "still")
SCENES = (
    *(f"{place} {hour}" for place in ("sea", "hills", "desert") for hour in ("day", "sunset", "night")),
    "sky dusk",
    "sky midnight",
)
BACKGROUNDS = COLOURS + SCENES
CAMERAS = ("still", "pan left", "pan right", "zoom in", "zoom out")

ATTRIBUTES = {
    "colour": COLOURS,
    "shape": SHAPES,
    "motion": MOTIONS,
    "background": BACKGROUNDS,
    "camera": CAMERAS,
}


@dataclass(frozen=True)
class Spec:
    """One clip: five attributes, and the chances (`size`, `x`, `y`, `pace`, `phase`) that no caption names.

    `size` is the subject's diameter and `x`, `y` the middle of its path, from the frame's centre, in units of the
    shorter side; `pace` multiplies every motion; `phase` shifts the backdrop sideways.
    """

    colour: str
    shape: str
    motion: str
    background: str
    camera: str
    size: float = 0.4
    x: float = 0.0
    y: float = 0.0
    pace: float = 1.0
    phase: float = 0.0


def held_out(spec: Spec) -> bool:
    """Whether training never sees this colour and shape on this background or in this motion (one in six)."""
    thing = f"{spec.colour} {spec.shape}"
    return any(
        zlib.crc32(f"{thing} {other}".encode()) % 12 == 5 for other in (f"on {spec.background}", f"goes {spec.motion}")
    )


def random_spec(rng: np.random.Generator, held: bool = False) -> Spec:
    """A random clip from the training combinations, or from the held-out ones."""
    while True:
        colour, shape, motion, camera = (str(rng.choice(values)) for values in (COLOURS, SHAPES, MOTIONS, CAMERAS))
        scenic = rng.random() < 0.5
        background = str(rng.choice(SCENES if scenic else COLOURS))
        if rng.random() < 0.3:
            camera = "still"
        size, pace = rng.uniform(0.36, 0.44), rng.uniform(0.92, 1.08)
        x, y, phase = rng.uniform(-0.07, 0.07), rng.uniform(-0.07, 0.07), rng.uniform(-0.35, 0.35)
        spec = Spec(colour, shape, motion, background, camera, size, x, y, pace, phase)
        if colour != background and held_out(spec) == held:
            return spec
