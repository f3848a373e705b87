"""Models that come and go, what this computer is, and the step from the toy to a real model."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ModelsTexts:
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
    lent_heading: str = "Weights that another program keeps"
    lent: str = "Read where they are, without a copy: {files}."
    lend: str = "Use for {name}"
    wait: str = "One moment…"
    lora_address: str = "A LoRA on the hub"
    lora_address_hint: str = "OWNER/NAME, or the address of its page"
    lora_ask: str = "See what it is"
    lora_file: str = "{file}: {bytes} bytes."
    lora_folders: str = "LoRAs that another app keeps"
    lora_folders_hint: str = "Folders of ComfyUI or WanGP, one a line. They are read there, never changed."
    lora_folders_button: str = "Read LoRAs there"
    lora_folders_done: str = "{count} LoRAs were found there and can be chosen."
    removed: str = "{name} was removed; {freed} are free again."
    confirm: str = "Really remove {name}? {size} are freed, and it would have to be downloaded again."
    keep: str = "Keep it"


@dataclass(frozen=True)
class HousingTexts:
    """The folders that models live in."""

    amount: str = "Models take up {used}. {free} are free on that disk."
    kept: str = "They are kept in {folder}."
    unplugged: str = "This folder is not there. Plug its disk in, or choose another folder below."
    reveal: str = "Show in folder"
    heading: str = "Keep models in another folder"
    hint: str = "A folder on another drive, for instance. Takes, clips and presets stay where they are."
    folder: str = "Folder for models"
    use: str = "Use this folder for new models"
    move: str = "Move the models there"
    move_here: str = "Move these to the folder for new models"
    used: str = "New models go into {folder} from now on. Those that are here stay where they are, and work as before."
    asking: str = "Move the models?"
    quote: str = "{size} of models ({count}) move into {folder}. {free} are free there."
    same_disk: str = "It is on the same disk, so this takes a moment only."
    nothing: str = "There is no model to move. New ones can go there: choose that beside it."
    no_room: str = "That does not fit on that disk."
    go: str = "Move them now"
    not_now: str = "Not now"
    moving: str = "Models are being moved"
    done: str = "{done} of {total}"
    waits: str = "Each model stays whole, here or there, whatever happens. Jobs wait until this is done."


@dataclass(frozen=True)
class MachineTexts:
    heading: str = "This computer"
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
    looking: str = "Looking at this computer…"
    all_well: str = "Everything that was looked at is in order."
    fine: str = "in order"
    wrong: str = "to mend"
    test: str = "Make a test take"
    testing: str = "Making a real take…"
    look_again: str = "Look again"
    test_card: str = "Test the card"
    testing_card: str = "Testing the card: about two minutes. Nothing else is made meanwhile."
    card_fine: str = "{device}: everything that Rushes does with it works. Forecasts count with what was measured."
    card_wrong: str = "{device}: some of what Rushes does with it goes wrong. The list says what."
    card_unfinished: str = "{device}: the test was cut off; what it came to works. Test the card again."
    card_figures: str = "What was tried and measured"
    card_file: str = "Save it as a file to send"
    card_parts: dict[str, str] = field(
        default_factory=lambda: {
            "placements": "A take",
            "formats": "A take with smaller weights",
            "decode": "Decoding pictures",
            "products": "Products of matrices",
            "attention": "Attention",
            "memory": "Its memory",
            "kernels": "Starting a kernel",
            "link": "Copying",
            "pinned": "RAM locked for copies",
            "disk": "Reading from the disk",
        }
    )
    bundle: str = "For someone who helps you"
    bundle_hint: str = (
        "One file that says what this computer is and what went wrong. Names, paths and prompts are taken out."
    )
    bundle_button: str = "Save the support file"
    let_go: str = "Let go of the loaded model"
    tidy: str = "Free them"
    copy: str = "Copy the command"
    copied: str = "Copied"
    python: str = "To Python's downloads"
    driver: str = "To NVIDIA's drivers"
    folder: str = "Show that folder"
    room: str = "Make room among the models"
    other_folder: str = "Choose a folder for models"
    again: str = "Try the test take again"
    language: str = "Language"
    as_browser: str = "As the browser"


@dataclass(frozen=True)
class OnwardTexts:
    """After the first clip of the toy: the real model for this machine."""

    heading: str = "That was the toy. Ready for the real thing?"
    why: str = "For this computer we recommend {name}: {what}."
    cost: str = "{size} to download; then a clip takes about {time}, from its take to its render."
    slow: str = (
        "None of the larger models runs well on this computer. What each of them would need is under My machine."
    )
    needs: str = "See what they need"
    install: str = "Install {name}"
    on_the_way: str = "{name} is on its way. Go on playing; it appears among the models when it is ready."
    others: str = "See all models"
