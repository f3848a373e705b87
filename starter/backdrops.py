"""Backdrops: plain colours with a soft pattern, and smooth scenes, as functions of world coordinates.

A world point is (u, v): u to the right, v downwards, in units of the frame's shorter side, its centre at (0, 0).
Everything is smooth and larger than a pixel, so that a small model can learn it, and repeats nowhere within a pan.
"""

import numpy as np

Array = np.ndarray

#: Muted, so that a subject of a neighbouring colour still stands out.
PLAIN = {
    "red": (178, 52, 56),
    "orange": (226, 142, 78),
    "yellow": (234, 206, 112),
    "green": (92, 156, 100),
    "blue": (72, 120, 192),
    "purple": (128, 96, 170),
    "pink": (236, 176, 198),
    "white": (232, 232, 226),
}


def _mix(a: Array, b: Array, amount: Array) -> Array:
    return a + (b - a) * amount[..., None]


def _ramp(values: Array, *stops: tuple[float, tuple[int, int, int]]) -> Array:
    places = [place for place, _ in stops]
    return np.stack([np.interp(values, places, [colour[c] for _, colour in stops]) for c in range(3)], axis=-1)


def _edge(values: Array, softness: float = 0.02) -> Array:
    """0 below zero, 1 above, smooth over `softness` world units."""
    t = np.clip(values / softness + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def _disc(u: Array, v: Array, centre: tuple[float, float], radius: float) -> tuple[Array, Array]:
    """Coverage of a disc, and the glow around it."""
    distance = np.hypot(u - centre[0], v - centre[1])
    return _edge(radius - distance), np.exp(-((distance / (2.4 * radius)) ** 2))


def _plain(colour: str, u: Array, v: Array) -> Array:
    pattern = np.sin(4.6 * u + 1.3 * np.sin(2.1 * v + 0.7)) * np.cos(2.9 * v - 1.1 * u + 0.5) + 0.6 * np.sin(
        8.3 * u - 2.6 * v + 1.0
    )
    light = 1.0 + 0.115 * pattern - 0.10 * v
    return np.array(PLAIN[colour], np.float32) * np.clip(light, 0.66, 1.12)[..., None]


def _sky(hour: str, v: Array) -> Array:
    stops = {
        "day": ((-0.8, (96, 164, 226)), (0.0, (176, 216, 240)), (0.2, (214, 234, 244))),
        "sunset": ((-0.8, (88, 70, 130)), (-0.3, (196, 104, 122)), (0.02, (250, 170, 110)), (0.2, (255, 214, 150))),
        "night": ((-0.8, (12, 16, 44)), (0.2, (44, 58, 104))),
    }
    return _ramp(v, *stops[hour])


def _light(hour: str, picture: Array, u: Array, v: Array, horizon: float) -> Array:
    """The sun or the moon, at the same world place for one hour, so that a pan and a zoom move it."""
    centre, radius, colour, glow = {
        "day": ((0.30, -0.33), 0.085, (255, 250, 214), 0.5),
        "sunset": ((0.16, horizon - 0.03), 0.13, (255, 236, 170), 0.75),
        "night": ((-0.28, -0.32), 0.085, (240, 240, 222), 0.35),
    }[hour]
    disc, halo = _disc(u, v, centre, radius)
    return _mix(picture, np.array(colour, np.float32), np.maximum(disc, glow * halo))


def _sea(hour: str, u: Array, v: Array) -> Array:
    horizon = 0.06
    sky = _light(hour, _sky(hour, v), u, v, horizon)
    near, far, glint = {
        "day": ((22, 92, 140), (86, 164, 196), (190, 226, 236)),
        "sunset": ((66, 52, 104), (190, 104, 112), (255, 196, 130)),
        "night": ((8, 18, 42), (30, 48, 86), (150, 166, 196)),
    }[hour]
    depth = np.clip((v - horizon) / 0.6, 0, 1)
    water = _ramp(depth, (0, far), (1, near))
    waves = np.sin(9 * u + 6 * np.sqrt(depth) * 9 + 1.5 * np.sin(4 * u)) * np.sin(3.1 * u - 14 * np.sqrt(depth))
    column = {"day": 0.30, "sunset": 0.16, "night": -0.28}[hour]
    shine = np.exp(-(((u - column) / (0.10 + 0.22 * depth)) ** 2)) * 0.55 + 0.22 * np.clip(waves, 0, 1)
    water = _mix(water, np.array(glint, np.float32), np.clip(shine, 0, 0.8))
    return _mix(sky, water, _edge(v - horizon))


def _hills(hour: str, u: Array, v: Array) -> Array:
    picture = _light(hour, _sky(hour, v), u, v, 0.02)
    layers = {
        "day": ((136, 178, 176), (104, 158, 104), (62, 122, 70)),
        "sunset": ((170, 100, 116), (120, 74, 92), (72, 54, 66)),
        "night": ((34, 48, 84), (22, 38, 58), (14, 24, 34)),
    }[hour]
    ridges = (
        0.02 + 0.07 * np.sin(3.7 * u + 0.4) + 0.03 * np.sin(8.1 * u),
        0.15 + 0.07 * np.sin(2.9 * u + 2.2) + 0.02 * np.sin(7.3 * u + 1.0),
        0.31 + 0.06 * np.sin(3.3 * u + 4.0) + 0.02 * np.sin(9.0 * u + 2.0),
    )
    for ridge, colour in zip(ridges, layers, strict=True):
        ground = np.array(colour, np.float32) * (1.06 - 0.5 * np.clip(v - ridge, 0, 0.5))[..., None]
        picture = _mix(picture, ground, _edge(v - ridge))
    return picture


def _desert(hour: str, u: Array, v: Array) -> Array:
    picture = _light(hour, _sky(hour, v), u, v, 0.04)
    layers = {
        "day": ((232, 204, 158), (216, 178, 122), (190, 146, 92)),
        "sunset": ((206, 122, 94), (166, 86, 76), (116, 60, 66)),
        "night": ((74, 76, 104), (56, 56, 84), (38, 38, 62)),
    }[hour]
    for index, (colour, base) in enumerate(zip(layers, (0.05, 0.17, 0.31), strict=True)):
        phase = (3.4 - 0.5 * index) * u + 2.1 * index + 0.5
        ridge = base - 0.06 * np.sin(phase + 0.6 * np.sin(phase))
        lit = 1.0 + 0.12 * np.cos(phase + 5.0 * (v - ridge)) - 0.4 * np.clip(v - ridge, 0, 0.5)
        picture = _mix(picture, np.array(colour, np.float32) * lit[..., None], _edge(v - ridge))
    return picture


def _stars(hour: str, u: Array, v: Array) -> Array:
    """A sky full of stars, with a band of light, over a dark rim of land."""
    stops = {
        "dusk": ((-0.8, (24, 36, 92)), (-0.05, (84, 92, 150)), (0.35, (226, 150, 146)), (0.6, (250, 196, 150))),
        "midnight": ((-0.8, (6, 8, 26)), (0.1, (20, 24, 66)), (0.6, (40, 42, 92))),
    }
    picture = _ramp(v, *stops[hour])
    band = np.exp(-(((v + 0.12 - 0.35 * np.sin(1.7 * u)) / 0.2) ** 2)) * (0.16 if hour == "dusk" else 0.26)
    picture = _mix(picture, np.array((176, 176, 226), np.float32), band)
    places = np.random.default_rng(7).uniform((-1.9, -0.85, 0.4), (1.9, 0.30, 1.0), (38, 3))
    for x, y, strength in places:
        glow = np.exp(-((u - x) ** 2 + (v - y) ** 2) / (0.03 * strength) ** 2)
        picture = _mix(picture, np.array((255, 250, 232), np.float32), np.minimum(glow * strength, 1))
    land = 0.36 + 0.05 * np.sin(2.6 * u + 1.0) + 0.02 * np.sin(7.0 * u)
    return _mix(picture, np.array((18, 20, 34) if hour == "midnight" else (54, 38, 74), np.float32), _edge(v - land))


def backdrop(name: str, u: Array, v: Array) -> Array:
    """RGB in 0..255, float32, shape `u.shape + (3,)`, of the background `name` at world points (u, v)."""
    if name in PLAIN:
        return _plain(name, u, v).astype(np.float32)
    place, hour = name.split()
    paint = {"sea": _sea, "hills": _hills, "desert": _desert, "sky": _stars}[place]
    return paint(hour, u, v).astype(np.float32)
