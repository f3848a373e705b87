"""Captions of a specification: many wordings and orders, some attributes left unsaid.

A motion or a camera that is left unsaid is still. A colour, shape, background or hour that is left unsaid may be anything.
"""

from dataclasses import dataclass

import numpy as np

from starter.world import CAMERAS, COLOURS, MOTIONS, SHAPES, Spec

PLACES = (*COLOURS, "sea", "hills", "desert", "sky")
HOURS = ("day", "sunset", "night", "dusk", "midnight")
UNSAID = "unsaid"

#: What a caption can say, and the label of each saying; the text encoder learns to read these before it meets a picture.
LABELS = {
    "colour": (*COLOURS, UNSAID),
    "shape": (*SHAPES, UNSAID),
    "motion": MOTIONS,
    "place": (*PLACES, UNSAID),
    "hour": (*HOURS, UNSAID),
    "camera": CAMERAS,
}

NAMES = {
    "red": ("red", "red", "red", "crimson", "scarlet"),
    "purple": ("purple", "purple", "violet"),
    "ball": ("ball", "ball", "ball", "sphere", "circle", "globe", "orb"),
    "box": ("box", "box", "box", "square", "cube", "block"),
    "cone": ("cone", "cone", "cone", "triangle", "pyramid"),
    "star": ("star",),
    "sea": ("sea", "sea", "ocean", "water", "waves"),
    "hills": ("hills", "hills", "mountains", "valley"),
    "desert": ("desert", "desert", "dunes", "sand"),
    "sky": ("starry sky", "night sky", "starry night sky", "sky full of stars", "sky"),
}
EVENING = {
    "day": ("by day", "at day", "in daylight", "during the day", "on a sunny day", "at noon", "in the daytime"),
    "sunset": ("at sunset", "at sunset", "at sundown", "during sunset", "as the sun sets", "in the evening"),
    "night": ("at night", "at night", "by night", "during the night", "in the moonlight"),
    "dusk": ("at dusk", "at dusk", "in the dusk", "at twilight", "at sunset"),
    "midnight": ("at midnight", "at midnight", "at night", "in the middle of the night", "in the dark"),
}
WAYS = {
    "left": (
        "to the left",
        "left",
        "leftwards",
        "leftward",
        "towards the left",
        "from right to left",
        "to the left side",
    ),
    "right": (
        "to the right",
        "right",
        "rightwards",
        "rightward",
        "towards the right",
        "from left to right",
        "to the right side",
    ),
    "up": ("up", "upwards", "upward", "to the top", "towards the top"),
    "down": ("down", "downwards", "downward", "to the bottom", "towards the bottom"),
}
#: (finite, progressive) verbs.
SIDEWAYS = (("rolls", "rolling"), ("moves", "moving"), ("slides", "sliding"), ("drifts", "drifting"), ("goes", "going"),
            ("glides", "gliding"), ("travels", "travelling"), ("flies", "flying"))  # fmt: skip
UPWARDS = (
    ("rises", "rising"),
    ("floats", "floating"),
    ("moves", "moving"),
    ("goes", "going"),
    ("flies", "flying"),
    ("climbs", "climbing"),
)
DOWNWARDS = (("falls", "falling"), ("drops", "dropping"), ("sinks", "sinking"), ("moves", "moving"), ("goes", "going"))
IN_PLACE = {
    "spin": (("spins", "spinning"), ("rotates", "rotating"), ("turns", "turning"), ("spins around", "spinning around"), ("twirls", "twirling")),
    "grow": (("grows", "growing"), ("gets bigger", "getting bigger"), ("grows larger", "growing larger"), ("becomes bigger", "becoming bigger"),
             ("expands", "expanding")),
    "shrink": (("shrinks", "shrinking"), ("gets smaller", "getting smaller"), ("becomes smaller", "becoming smaller"),
               ("grows smaller", "growing smaller")),
    "still": (("stands still", "standing still"), ("stays still", "staying still"), ("rests", "resting"), ("does not move", "not moving"),
              ("waits", "waiting"), ("is still", "being still"), ("stays in place", "staying in place")),
}  # fmt: skip
CAMERA_WORDS = {
    "still": ("the camera is still", "static camera", "still camera", "the camera does not move", "fixed camera", "locked camera"),
    "pan left": ("the camera pans left", "the camera pans to the left", "camera pan left", "panning left", "pan to the left",
                 "the camera moves to the left", "while the camera moves left", "camera panning to the left"),
    "pan right": ("the camera pans right", "the camera pans to the right", "camera pan right", "panning right", "pan to the right",
                  "the camera moves to the right", "while the camera moves right", "camera panning to the right"),
    "zoom in": ("the camera zooms in", "zoom in", "zooming in", "camera zoom in", "while the camera zooms in", "slow zoom in",
                "the camera moves closer", "camera zooming in"),
    "zoom out": ("the camera zooms out", "zoom out", "zooming out", "camera zoom out", "while the camera zooms out", "slow zoom out",
                 "the camera moves away", "camera zooming out"),
}  # fmt: skip
#: Words that mean nothing here but must not confuse.
FILLERS = ("bright", "big", "large", "small", "little", "shiny", "beautiful", "nice", "round", "simple", "slowly", "slow", "smooth", "single",
           "lonely", "video", "clip", "film", "shot", "scene", "of", "with", "and", "it", "its", "there", "one", "this", "very")  # fmt: skip


@dataclass(frozen=True)
class Caption:
    """A sentence, and for every entry of LABELS what it says."""

    text: str
    said: dict[str, str]


def _pick(rng: np.random.Generator, options: tuple) -> object:
    return options[int(rng.integers(len(options)))]


def _name(rng: np.random.Generator, word: str) -> str:
    return str(_pick(rng, NAMES.get(word, (word,))))


def _motion(rng: np.random.Generator, motion: str, form: int) -> str:
    if motion in IN_PLACE:
        return _pick(rng, IN_PLACE[motion])[form]
    verbs = {"up": UPWARDS, "down": DOWNWARDS}.get(motion, SIDEWAYS)
    verb = _pick(rng, verbs)[form]
    alone = verb in ("rises", "rising", "falls", "falling", "sinks", "sinking") and rng.random() < 0.5
    return verb if alone else f"{verb} {_pick(rng, WAYS[motion])}"


def _background(rng: np.random.Generator, place: str, hour: str) -> tuple[str, str]:
    """The background as an adverbial (`over the sea at sunset`) and on its own (`sunset sea`)."""
    name = _name(rng, place)
    if place in COLOURS:
        noun = _pick(rng, ("background", "background", "background", "backdrop", "wall"))
        before = _pick(rng, ("on a", "on a", "against a", "in front of a", "before a", "with a", "over a"))
        return f"{before} {name} {noun}", _pick(rng, (f"{name} {noun}", f"a {name} {noun}", f"the {noun} is {name}"))
    before = {"sea": ("over the", "at the", "by the", "above the", "in front of the", "on the")}.get(
        place, ("in the", "over the", "above the", "in front of the", "before the")
    )
    if place == "sky":
        before = ("under the", "under a", "in the", "in a", "before a", "in front of the", "against a")
    when = f" {_pick(rng, EVENING[hour])}" if hour != UNSAID else ""
    adverbial = f"{_pick(rng, before)} {name}{when}"
    if hour in ("sunset", "day", "dusk", "midnight") and rng.random() < 0.2:
        adverbial = f"{_pick(rng, before)} {hour} {name}"
    return adverbial, _pick(rng, (f"the {name}{when}", f"{name}{when}", f"a {name}{when}"))


def _subject(rng: np.random.Generator, colour: str, shape: str) -> str:
    thing = _name(rng, shape) if shape != UNSAID else str(_pick(rng, ("thing", "shape", "object", "something")))
    article = _pick(rng, ("a", "a", "a", "the", "one", ""))
    if colour == UNSAID:
        return f"{article} {thing}"
    shade = _name(rng, colour)
    return f"{article} {thing} that is {shade}" if rng.random() < 0.06 else f"{article} {shade} {thing}"


def _sentence(rng: np.random.Generator, said: dict[str, str], silent: set[str]) -> str:
    finite = rng.random() < 0.5
    subject = _subject(rng, said["colour"], said["shape"])
    action = _motion(rng, said["motion"], 0 if finite else 1) if "motion" not in silent else ""
    parts = [f"{subject} {action}"]
    if said["place"] != UNSAID:
        adverbial, alone = _background(rng, said["place"], said["hour"])
        style = rng.random()
        if style < 0.62:
            parts[0] += f" {adverbial}"
        elif style < 0.78:
            parts[0] = f"{subject} {adverbial} {action}"
        else:
            parts.insert(int(rng.random() < 0.5), alone)
    if "camera" not in silent:
        words = str(_pick(rng, CAMERA_WORDS[said["camera"]]))
        parts.insert(0 if rng.random() < 0.15 else len(parts), words)
    return str(_pick(rng, (", ", ", ", " ", ". ", " and "))).join(parts)


def _sprinkle(rng: np.random.Generator, text: str) -> str:
    """Now and then a filler or a word nobody knows."""
    words = text.split()
    while rng.random() < 0.18:
        stranger = "".join(rng.choice(list("bcdfgklmnprstvz"), 2)) + "o" + str(rng.choice(list("bdgkmpx"))) + "u"
        words.insert(int(rng.integers(len(words) + 1)), str(_pick(rng, FILLERS)) if rng.random() < 0.5 else stranger)
    return " ".join(words)


def full_caption(spec: Spec, rng: np.random.Generator) -> Caption:
    """A sentence that names every attribute (a still motion or camera may go unsaid), without strange words: for evaluation."""
    return _caption(spec, rng, omit=0.0)


def caption(spec: Spec, rng: np.random.Generator) -> Caption:
    """A sentence for training: attributes are left out now and then, strange words slip in."""
    result = _caption(spec, rng, omit=0.07)
    return Caption(_sprinkle(rng, result.text), result.said)


def _caption(spec: Spec, rng: np.random.Generator, omit: float) -> Caption:
    place, _, hour = spec.background.partition(" ")
    said = {
        "colour": spec.colour,
        "shape": spec.shape,
        "motion": spec.motion,
        "place": place,
        "hour": hour or UNSAID,
        "camera": spec.camera,
    }
    for name in ("colour", "shape", "place", "hour"):
        if rng.random() < omit:
            said[name] = UNSAID
    if said["place"] == UNSAID:
        said["hour"] = UNSAID
    silent = {name for name in ("motion", "camera") if said[name] == "still" and rng.random() < 0.6}
    return Caption(_sentence(rng, said, silent).strip(), said)
