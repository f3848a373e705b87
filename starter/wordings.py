"""The words of captions: how people name the world's colours, shapes, places, hours, motions and camera moves.

A wording that is listed twice is drawn twice as often. Changing the set of words changes the tokenizer's ids.
"""


def _options(text: str) -> tuple[str, ...]:
    return tuple(text.split(" | "))


def _verbs(text: str) -> tuple[tuple[str, ...], ...]:
    """(finite, progressive) pairs."""
    return tuple(tuple(pair.split(" / ")) for pair in text.split(" | "))


NAMES = {
    "red": _options("red | red | red | crimson | scarlet"),
    "purple": _options("purple | purple | violet"),
    "ball": _options("ball | ball | ball | sphere | circle | globe | orb"),
    "box": _options("box | box | box | square | cube | block"),
    "cone": _options("cone | cone | cone | triangle | pyramid"),
    "star": _options("star"),
    "sea": _options("sea | sea | ocean | water | waves"),
    "hills": _options("hills | hills | mountains | valley"),
    "desert": _options("desert | desert | dunes | sand"),
    "sky": _options("starry sky | night sky | starry night sky | sky full of stars | sky"),
}
EVENING = {
    "day": _options("by day | at day | in daylight | during the day | on a sunny day | at noon | in the daytime"),
    "sunset": _options("at sunset | at sunset | at sundown | during sunset | as the sun sets | in the evening"),
    "night": _options("at night | at night | by night | during the night | in the moonlight"),
    "dusk": _options("at dusk | at dusk | in the dusk | at twilight | at sunset"),
    "midnight": _options("at midnight | at midnight | at night | in the middle of the night | in the dark"),
}
WAYS = {
    "left": _options(
        "to the left | left | leftwards | leftward | towards the left | from right to left | to the left side"
    ),
    "right": _options(
        "to the right | right | rightwards | rightward | towards the right | from left to right | to the right side"
    ),
    "up": _options("up | upwards | upward | to the top | towards the top"),
    "down": _options("down | downwards | downward | to the bottom | towards the bottom"),
}
SIDEWAYS = _verbs(
    "rolls / rolling | moves / moving | slides / sliding | drifts / drifting | goes / going | glides / gliding | "
    "travels / travelling | flies / flying"
)
UPWARDS = _verbs(
    "rises / rising | floats / floating | moves / moving | goes / going | flies / flying | climbs / climbing"
)
DOWNWARDS = _verbs("falls / falling | drops / dropping | sinks / sinking | moves / moving | goes / going")
IN_PLACE = {
    "spin": _verbs(
        "spins / spinning | rotates / rotating | turns / turning | spins around / spinning around | twirls / twirling"
    ),
    "grow": _verbs(
        "grows / growing | gets bigger / getting bigger | grows larger / growing larger | becomes bigger / becoming "
        "bigger | expands / expanding"
    ),
    "shrink": _verbs(
        "shrinks / shrinking | gets smaller / getting smaller | becomes smaller / becoming smaller | grows smaller / "
        "growing smaller"
    ),
    "still": _verbs(
        "stands still / standing still | stays still / staying still | rests / resting | does not move / not moving | "
        "waits / waiting | is still / being still | stays in place / staying in place"
    ),
}
CAMERA_WORDS = {
    "still": _options(
        "the camera is still | static camera | still camera | the camera does not move | fixed camera | locked camera"
    ),
    "pan left": _options(
        "the camera pans left | the camera pans to the left | camera pan left | panning left | pan to the left | the "
        "camera moves to the left | while the camera moves left | camera panning to the left"
    ),
    "pan right": _options(
        "the camera pans right | the camera pans to the right | camera pan right | panning right | pan to the right | "
        "the camera moves to the right | while the camera moves right | camera panning to the right"
    ),
    "zoom in": _options(
        "the camera zooms in | zoom in | zooming in | camera zoom in | while the camera zooms in | slow zoom in | the "
        "camera moves closer | camera zooming in"
    ),
    "zoom out": _options(
        "the camera zooms out | zoom out | zooming out | camera zoom out | while the camera zooms out | "
        "slow zoom out | the camera moves away | camera zooming out"
    ),
}
#: Words that mean nothing here but must not confuse.
FILLERS = _options(
    "bright | big | large | small | little | shiny | beautiful | nice | round | simple | slowly | slow | smooth | "
    "single | lonely | video | clip | film | shot | scene | of | with | and | it | its | there | one | this | very"
)
#: Joints and synonyms that people write although no caption uses them.
EXTRA = _options(
    "an | in | to | at | is | are | be | being | on | my | your | some | from | by | then | while | near | behind | "
    "still | motionless | moving | background | color | colour"
)
