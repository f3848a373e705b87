"""Every text of the page, in one place, ready for a second language: one instance per language of each class below.

Fields in braces are filled in by the page; whatever fills them is escaped where it becomes HTML.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine import Aspect


@dataclass(frozen=True)
class DoorTexts:
    wrong_host: str = "This studio answers only at its own address on this computer."
    foreign: str = "This request came from another web page, so it was refused."
    nothing_here: str = "There is nothing here."
    too_large: str = "This is more than the studio accepts at once."


@dataclass(frozen=True)
class ServerTexts:
    open: str = "Rushes is open at {url}  (Ctrl+C closes it)"
    closed: str = "Rushes is closed. What was waiting goes on at the next start."
    next_port: str = "Port {taken} is in use, so this studio opens at port {port}."
    port_taken: str = "Port {port} is in use by another program."
    port_taken_remedy: str = "Close that program, or choose another port with --port."
    no_port: str = "No free port was found."
    bad_port: str = "That is not a port."
    bad_port_remedy: str = "Use a number from 1 to 65535."


@dataclass(frozen=True)
class FormTexts:
    title: str = "Rushes"
    promise: str = "See a quick take, approve it, and get that same shot at full quality. On your own computer."
    create: str = "Create"
    library: str = "Library"
    prompt: str = "What should be seen?"
    prompt_hint: str = "One sentence: what is there, what it does, where, and how the camera moves"
    starters_label: str = "Try one"
    starters: tuple[tuple[str, str], ...] = (
        ("Red ball", "a red ball rolls to the left on a blue background"),
        ("Star at night", "a yellow star spins in the night sky"),
        ("Box over the sea", "a green box goes up over the sea at sunset"),
        ("Desert", "a purple cone grows in the desert by day"),
        ("Hills, camera pans", "a white ball moves to the right over the hills, the camera pans left"),
    )
    model: str = "Model"
    aspect: str = "Shape"
    length: str = "Seconds"
    count: str = "Takes"
    count_hint: str = "Each is a different version of the shot"
    expert: str = "Expert"
    seed: str = "Seed"
    seed_hint: str = "Empty: a new one each time"
    bad_number: str = "{label}: '{text}' is not {wanted}."
    whole_number: str = "a whole number"
    number: str = "a number"
    empty_it: str = "Correct it, or leave the field empty."
    take_steps: str = "Steps of a take"
    render_steps: str = "Steps of a render"
    guidance: str = "Guidance (how strictly the prompt is followed)"
    as_model: str = "As recommended"
    preview: str = "Preview"
    preview_hint: str = "Ctrl + Enter"
    dial: str = "A render should"
    dial_close: str = "stay close to the take"
    dial_detail: str = "add detail"


ASPECTS: dict[Aspect, str] = {"square": "Square", "wide": "Wide", "tall": "Tall"}


@dataclass(frozen=True)
class ModelTexts:
    absent: str = "{name} (not installed)"
    not_installed: str = "Not on this computer yet ({size}). To install it: {command}"
    refused: str = "{name} is not on this computer yet."
    refused_remedy: str = "Install it first ({command}), or choose a model that is."
    words: str = "What it understands"


@dataclass(frozen=True)
class RightsTexts:
    may_sell: str
    may_sell_if: str
    may_not_sell: str
    excluded: str = "Nobody is licensed in: {places}."


RIGHTS_OF_MODEL = RightsTexts(
    "You may sell the clips it makes ({licence}).",
    "You may sell the clips it makes, under conditions ({licence}).",
    "The clips it makes may not be sold ({licence}).",
)
RIGHTS_OF_CLIP = RightsTexts(
    "You may sell this clip ({licence}).",
    "You may sell this clip, under conditions ({licence}).",
    "This clip may not be sold ({licence}).",
)


@dataclass(frozen=True)
class OutlookTexts:
    one_take: str = "A take needs about {take}, its render about {render}."
    takes: str = "{count} takes need about {takes} together; a render about {render}."
    comfortable: str = "Fits this computer comfortably."
    tight: str = "A tight fit: other large programs should be closed."
    offloads: str = "More than the graphics card has free: it works, but slower."
    unlikely: str = "Probably too large for this computer."
    unknown: str = "Nobody has tried whether it fits this computer."
    download: str = "Downloads {gigabytes} first."
    unknown_words: str = "{model} does not know {words}. It leaves out what it does not know."
    why: str = "How this was worked out"
    sizes: str = "Take {take}, render {render}, {frames} frames at {fps} a second ({seconds})."
    memory: str = "Needs about {ram} of memory."
    memory_and_vram: str = "Needs about {vram} of graphics memory and {ram} of memory."
    basis: str = "The times are {basis}."


@dataclass(frozen=True)
class StripTexts:
    heading_take: str = "Making a take"
    heading_render: str = "Rendering"
    starting: str = "Starting the engine; the first time takes some seconds"
    loading: str = "Getting the model ready"
    prompt: str = "Reading the prompt"
    sampling: str = "Step {step} of {steps}"
    decoding: str = "Turning it into pictures"
    writing: str = "Saving the file"
    left: str = "about {time} left"
    stop: str = "Stop"
    stopping: str = "Stopping"
    asking: str = "Waiting for your answer"
    agree: str = "Go on like this"
    refuse: str = "Do not"
    clear: str = "Clear the queue"
    waiting: str = "Waiting"
    take: str = "Take"
    render: str = "Render"
    remove: str = "Remove from the queue"
    progress: str = "Progress"


@dataclass(frozen=True)
class SheetTexts:
    heading: str = "Takes"
    empty_title: str = "Your takes appear here"
    empty_steps: tuple[str, ...] = (
        "Say what should be seen.",
        "Preview: quick takes of the shot.",
        "Render the one you like: the same shot at full quality.",
    )
    video: str = "Take {number}: {prompt}"
    seed: str = "Seed {seed}"
    took: str = "made in {time}"
    render: str = "Render this"
    rendering: str = "Rendering"
    queued: str = "Waiting to render"
    again: str = "Render again"
    waiting: str = "Waiting"
    making: str = "Being made"
    stopped: str = "Stopped"
    retry: str = "Try again"
    retry_render: str = "Try the render again"
    render_failed: str = "The render did not work."
    expert: str = "Details"


@dataclass(frozen=True)
class ClipTexts:
    heading: str = "Your clip"
    video: str = "Clip: {prompt}"
    download: str = "Download"
    details: str = "How it was made"
    prompt: str = "Prompt"
    model: str = "Model"
    size: str = "Size"
    length: str = "Length"
    seed: str = "Seed"
    steps: str = "Steps"
    guidance: str = "Guidance"
    sigma: str = "Start level"
    made: str = "Made"
    time: str = "Time taken"
    name: str = "Name"
    versions: str = "Software"


@dataclass(frozen=True)
class ShelfTexts:
    all: str = "Everything"
    clips: str = "Clips"
    takes: str = "Takes"
    show: str = "Show"
    more: str = "Show more"
    empty: str = "Nothing here yet. What you make is kept here until you delete it."
    clip: str = "Clip"
    take: str = "Take"
    count: str = "{shown} of {total}"
    refused: str = "That did not work."


@dataclass(frozen=True)
class LanTexts:
    """Sharing on the home network."""

    missing: str = "Sharing on the home network needs a password."
    missing_remedy: str = "Set RUSHES_PASSWORD to one of at least 10 characters and start again with --lan."
    short: str = "That password is shorter than {least} characters."
    short_remedy: str = "Choose a longer one; a few words are fine."
    nowhere: str = "This computer is on no home network that the studio could be shared on."
    nowhere_remedy: str = "Connect it to your network, or start without --lan."
    asked: str = "The password of this studio, please."
    shared: str = "Shared on your home network, with a password: {urls}"
    banner: str = "Shared on your home network"


DOOR = DoorTexts()
LAN = LanTexts()
SERVER = ServerTexts()
FORM = FormTexts()
MODEL = ModelTexts()
OUTLOOK = OutlookTexts()
STRIP = StripTexts()
SHEET = SheetTexts()
CLIP = ClipTexts()
SHELF = ShelfTexts()
