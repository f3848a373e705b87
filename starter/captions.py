"""Captions of a specification: many wordings and orders, some attributes left unsaid.

A motion or a camera that is left unsaid is still. A colour, shape, background or hour unsaid may be anything.
"""

from dataclasses import dataclass

import numpy as np

from starter import wordings as words
from starter.world import CAMERAS, COLOURS, MOTIONS, SHAPES, Spec

PLACES = (*COLOURS, "sea", "hills", "desert", "sky")
HOURS = ("day", "sunset", "night", "dusk", "midnight")
UNSAID = "unsaid"

#: What a caption can say, and its labels; the text encoder learns to read these before it meets a picture.
LABELS = {
    "colour": (*COLOURS, UNSAID),
    "shape": (*SHAPES, UNSAID),
    "motion": MOTIONS,
    "place": (*PLACES, UNSAID),
    "hour": (*HOURS, UNSAID),
    "camera": CAMERAS,
}


@dataclass(frozen=True)
class Caption:
    """A sentence, and for every entry of LABELS what it says."""

    text: str
    said: dict[str, str]


def _pick(rng: np.random.Generator, options: tuple) -> object:
    return options[int(rng.integers(len(options)))]


def _name(rng: np.random.Generator, word: str) -> str:
    return str(_pick(rng, words.NAMES.get(word, (word,))))


def _motion(rng: np.random.Generator, motion: str, form: int) -> str:
    if motion in words.IN_PLACE:
        return _pick(rng, words.IN_PLACE[motion])[form]
    verbs = {"up": words.UPWARDS, "down": words.DOWNWARDS}.get(motion, words.SIDEWAYS)
    verb = _pick(rng, verbs)[form]
    alone = verb in ("rises", "rising", "falls", "falling", "sinks", "sinking") and rng.random() < 0.5
    return verb if alone else f"{verb} {_pick(rng, words.WAYS[motion])}"


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
    when = f" {_pick(rng, words.EVENING[hour])}" if hour != UNSAID else ""
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
        move = str(_pick(rng, words.CAMERA_WORDS[said["camera"]]))
        parts.insert(0 if rng.random() < 0.15 else len(parts), move)
    return str(_pick(rng, (", ", ", ", " ", ". ", " and "))).join(parts)


def _sprinkle(rng: np.random.Generator, text: str) -> str:
    """Now and then a filler or a word nobody knows."""
    sentence = text.split()
    while rng.random() < 0.18:
        stranger = "".join(rng.choice(list("bcdfgklmnprstvz"), 2)) + "o" + str(rng.choice(list("bdgkmpx"))) + "u"
        sentence.insert(
            int(rng.integers(len(sentence) + 1)), str(_pick(rng, words.FILLERS)) if rng.random() < 0.5 else stranger
        )
    return " ".join(sentence)


def full_caption(spec: Spec, rng: np.random.Generator) -> Caption:
    """For evaluation: every attribute is named (a still motion or camera may go unsaid), no strange words."""
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
