"""Models that come and go, what this computer is, and the step from the toy to a real model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelsTexts:
    disk: str = "Models take up {used}. {free} are free on that disk."
    folder: str = "They are kept in {folder}."
    reveal: str = "Show in folder"
    arriving: str = "On the way"
    waiting: str = "Waiting"
    listing: str = "Asking what belongs to it"
    fetching: str = "Downloading"
    checking: str = "Checking"
    reconnecting: str = "Connecting again"
    paused: str = "Paused"
    failed: str = "Did not work"
    finished: str = "Ready to use"
    amount: str = "{done} of {total}"
    speed: str = "{speed} a second"
    left: str = "about {time} left"
    progress: str = "Progress of {name}"
    pause: str = "Pause"
    resume: str = "Go on"
    cancel: str = "Cancel"
    use: str = "Use this model"
    install: str = "Install"
    remove: str = "Remove"
    asking: str = "Asking what {name} needs…"
    quote_heading: str = "Install {name}?"
    quote: str = "{download} to download. Afterwards {free} are free on the disk."
    found: str = "{here} of it are on this computer already and are not downloaded again."
    no_room: str = "That does not fit on the disk."
    licence: str = "Licence: {licence}"
    gate: str = "Its owner asks everyone to accept terms first: {gate}"
    go: str = "Download now"
    bring: str = "Bring it in"
    not_now: str = "Not now"
    offline: str = "No network here? Bring it on a disk"
    offline_hint: str = (
        "On a computer with a network, install the model there and copy its folder from the models folder to a disk. "
        "Or point at a folder of Hugging Face, ComfyUI or WanGP on this computer; it is only read."
    )
    from_folder: str = "Folder of the model"
    folder_hint: str = "/media/disk/models/…"
    look: str = "Look in this folder"
    removed: str = "{name} was removed; {freed} are free again."
    confirm: str = "Really remove {name}? {size} are freed, and it would have to be downloaded again."
    keep: str = "Keep it"


@dataclass(frozen=True)
class MachineTexts:
    heading: str = "This computer"
    can_do: str = "What it can do"
    can_do_hint: str = "A five-second clip or the longest the model makes, before anything is downloaded."
    model: str = "Model"
    verdict: str = "Here"
    take: str = "A take"
    render: str = "A render"
    needs: str = "Needs"
    vram: str = "{gigabytes} of graphics memory"
    ram: str = "{gigabytes} of memory"
    card: str = "Graphics card"
    no_card: str = "None that models can use; they run on the processor, and only the starter is quick there."
    card_memory: str = "{name}, {free} of {total} graphics memory free"
    processor: str = "Processor"
    memory: str = "Memory"
    free_of: str = "{free} of {total} free"
    disk: str = "Disk"
    free: str = "{free} free for takes, clips and models"
    system: str = "System"
    doctor: str = "Is everything in order?"
    all_well: str = "Everything that was looked at is in order."
    fine: str = "in order"
    wrong: str = "to mend"
    test: str = "Make a test take"
    testing: str = "Making a real take…"
    look_again: str = "Look again"
    bundle: str = "For someone who helps you"
    bundle_hint: str = (
        "One file that says what this computer is and what went wrong. Names, paths and prompts are taken out."
    )
    bundle_button: str = "Save the support file"


@dataclass(frozen=True)
class OnwardTexts:
    """After the first clip of the toy: the real model for this machine."""

    heading: str = "That was the toy. Ready for the real thing?"
    why: str = "For this computer we recommend {name}: {what}."
    cost: str = "{size} to download; then a take needs about {take}, a render about {render}."
    slow: str = (
        "Nothing larger runs quickly on this computer: it has no graphics card that models can use. The quickest one "
        "is {name}, and its render would take about {render}."
    )
    install: str = "Install {name}"
    on_the_way: str = "{name} is on its way. Go on playing; it appears among the models when it is ready."
    others: str = "See all models"
