"""The first screen: what the person asks for, what that would take, and what to do when it cannot be done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FormTexts:
    title: str = "Rushes"
    promise: str = "See a quick take, approve it, and get that same shot at full quality. On your own computer."
    create: str = "Create"
    queue: str = "Queue"
    library: str = "Library"
    models: str = "Models"
    machine: str = "My machine"
    close: str = "Close"
    prompt: str = "What should be seen?"
    prompt_hint: str = "One sentence: what is there, what it does, where, and how the camera moves"
    starters_label: str = "Or try one of these"
    aspect: str = "Shape"
    square: str = "Square"
    wide: str = "Wide"
    tall: str = "Tall"
    length: str = "Seconds"
    count: str = "Takes"
    preview: str = "Preview"
    preview_hint: str = "Ctrl + Enter"
    dial: str = "A render should"
    dial_close: str = "stay close to the take"
    dial_detail: str = "add detail"


@dataclass(frozen=True)
class StarterTexts:
    """Names of the prompts to begin with (`PROMPTS_OF_TOY`, `PROMPTS`)."""

    toy: tuple[str, ...] = ("Red ball", "Star at night", "Box over the sea", "Desert", "Hills, camera pans")
    world: tuple[str, ...] = ("Fox in snow", "Tea", "Old harbour", "Dancer", "From above")


# What the starter was made for, and what any other model can be asked. A prompt is English whatever the page speaks.
PROMPTS_OF_TOY = (
    "a red ball rolls to the left on a blue background",
    "a yellow star spins in the night sky",
    "a green box goes up over the sea at sunset",
    "a purple cone grows in the desert by day",
    "a white ball moves to the right over the hills, the camera pans left",
)
PROMPTS = (
    "A red fox trots through fresh snow at dawn, its breath visible, low sun behind the trees, the camera tracks "
    "alongside at eye level",
    "Close-up of hot tea poured into a glass cup on a wooden table, steam curling in morning light, shallow depth of "
    "field, the camera holds still",
    "Wide shot of an old harbour in the evening, lanterns reflected in the water, a small boat glides in from the "
    "left, the camera slowly pushes in",
    "A dancer in a long yellow dress turns on an empty stage, dust in a single beam of light, the camera circles her "
    "slowly",
    "A drone glides over a winding coast road, turquoise water breaking on the rocks, one white car far below",
)


@dataclass(frozen=True)
class ExpertTexts:
    heading: str = "Expert"
    seed: str = "Seed"
    seed_hint: str = "Empty: a new one each time"
    negative: str = "What should not be seen"
    negative_hint: str = "Empty: as the model recommends"
    take_steps: str = "Steps of a take"
    render_steps: str = "Steps of a render"
    guidance: str = "Guidance (how strictly the prompt is followed)"
    shift: str = "Shift (more: movement and layout first)"
    sigma: str = "Start level (instead of the dial)"
    precision: str = "Precision of the weights"
    precision_cost: str = (
        "Likeness to full precision, measured on the Starter: "
        "fp8\u00a01.00, int8\u00a01.00, nf4\u00a00.98, GGUF Q4\u00a00.98."
    )
    full: str = "Full"
    offload: str = "Where the weights lie"
    resident: str = "All in graphics memory"
    model: str = "One part at a time"
    group: str = "Streamed block by block"
    takes: str = "How takes are drawn"
    refine: str = "A small clip, which the render refines"
    first_part: str = "The render's own first part, which it continues"
    guide: str = "A guide by {name}"
    faster: str = "Faster, a little less exact"
    not_measured: str = "Not measured for this model"
    as_model: str = "As recommended"
    reset: str = "Back to what is recommended"
    bad_number: str = "{label}: '{text}' is not {wanted}."
    whole_number: str = "a whole number"
    number: str = "a number"
    empty_it: str = "Correct it, or leave the field empty."


@dataclass(frozen=True)
class SavedTexts:
    """Looks, camera moves, and settings that were saved under a name."""

    look: str = "Look"
    no_look: str = "None"
    camera: str = "Camera"
    no_camera: str = "As prompted"
    heading: str = "Saved settings"
    empty: str = "None yet. Save what the form says under a name, or take in a friend's file."
    name: str = "Name"
    name_hint: str = "Night harbour"
    save: str = "Save"
    use: str = "Use"
    export: str = "Export"
    delete: str = "Delete these settings"
    bring: str = "Take in a file"
    saved: str = "Saved as “{name}”. It is below the form, in the saved settings."
    came: str = "“{name}” is now among your looks, camera moves, machines or saved settings."
    deleted: str = "“{name}” is deleted."


@dataclass(frozen=True)
class PictureTexts:
    """What a shot starts from, ends on or follows."""

    heading: str = "Pictures and videos"
    image: str = "First picture"
    last_image: str = "Last picture"
    keyframes: str = "Picture in between"
    references: str = "A person or thing to show"
    video: str = "Video to start from"
    control_video: str = "Movement to follow (depth, poses or edges)"
    face_video: str = "Face to follow"
    mask: str = "Mask: what is white is made anew"
    needed: str = "needed by this model"
    choose: str = "Choose a picture, or drop it here"
    choose_video: str = "Choose a video, or drop it here"
    choose_either: str = "Choose a picture or a video, or drop it here"
    clear: str = "Remove this"
    alt: str = "The picture you chose"
    alt_video: str = "The video you chose"
    at: str = "at second"
    fit: str = "Where the shape differs"
    crop: str = "cut off the edges"
    pad: str = "show all, with borders"
    background: str = "Behind transparent parts"
    strength: str = "How far it may leave the video"
    failed: str = "The file could not be brought in."
    kept: str = "The clip's last picture is now the first picture of your next shot."
    not_taken: str = "{model} takes no picture."
    not_taken_remedy: str = "Choose a model that starts from one: they say “from a picture”."
    goes_on: str = "Goes on from this clip"
    begin_anew: str = "Do not go on from it"
    extend_how: str = "Say what happens next, then preview. The render joins both into one clip."


@dataclass(frozen=True)
class LoraTexts:
    """Small files that teach a model a style, a person or a movement."""

    heading: str = "LoRAs"
    hint: str = "Small files that teach a model a style, a person or a movement."
    add: str = "Add a LoRA"
    none_chosen: str = "None"
    bring: str = "Take in a file"
    strength: str = "Strength"
    trigger: str = "Write {words} into the prompt."
    licence: str = "Licence: {licence}"
    remove: str = "Leave this LoRA out"
    half: str = "Acts on"
    all_steps: str = "all steps"
    early_steps: str = "early steps"
    late_steps: str = "late steps"
    came: str = "“{name}” is here and chosen."
    elsewhere: str = "“{name}” is here, but made for {models}."
    nowhere: str = "a model that Rushes does not know"


@dataclass(frozen=True)
class ModelTexts:
    """A model as a card: in the form, and on the screen of models."""

    heading: str = "Model"
    choose: str = "Choose another model"
    not_installed: str = "Not on this computer yet. Installing it downloads about {size}."
    refused: str = "{name} is not on this computer yet."
    refused_remedy: str = "Install it first, or choose a model that is."
    words: str = "How to write for it"
    kept: str = "How well renders keep their takes"
    kept_unknown: str = "not measured for this model"
    good_at: str = "Good at {what}."
    comes_with: str = "comes with Rushes"
    installed: str = "installed"
    download: str = "{size} to download"
    from_text: str = "from text"
    from_picture: str = "from a picture"
    sound: str = "with sound"
    comfortable: str = "fits well"
    tight: str = "tight fit"
    offloads: str = "works, slower"
    unlikely: str = "too large here"
    unknown: str = "not tried yet"
    estimated: str = "{verdict} (estimated)"
    sell: str = "clips may be sold"
    sell_if: str = "clips may be sold, with conditions"
    no_sale: str = "clips may not be sold"
    here: str = "On this computer"
    fits: str = "Would run here"
    others: str = "Too large for this computer, as far as we know"
    not_yet: str = "Not in this version"
    search: str = "Search"
    search_hint: str = "Name, what it is good at, licence"
    other_length: str = "{name} makes clips of {low} to {high} s, so the length is {now} s now."
    no_style: str = "{name} cannot do “{style}”, so that is off."
    as_image: str = "animate a photo, picture or image; image to video, i2v"
    as_last_image: str = "first and last picture, from one photo to another, morph, transition"
    as_references: str = "keep a person, character, face or product from reference photos"
    as_video: str = "change, restyle or extend a video; video to video, v2v"
    as_control_video: str = "follow a movement, pose, dance, depth or edges"
    as_face_video: str = "talking, lip sync, facial expressions, animate a character"
    as_sound: str = "with sound, audio, talking, speaking, voice, dialogue, singing, music"
    as_text: str = "text to video, t2v"
    nothing: str = "No model matches that."


@dataclass(frozen=True)
class RightsTexts:
    may_sell: str
    may_sell_if: str
    may_not_sell: str
    excluded: str = "Nobody is licensed in: {places}."


@dataclass(frozen=True)
class OutlookTexts:
    one_take: str = "A take needs about {take}, its render about {render}."
    takes: str = "{count} takes need about {takes} together; a render about {render}."
    render: str = "Rendering one needs about {render}."
    comfortable: str = "Fits this computer comfortably."
    tight: str = "A tight fit: other large programs should be closed."
    offloads: str = "More than the graphics card has free: it works, but slower."
    unlikely: str = "Probably too large for this computer."
    unknown: str = "Nobody has tried whether it fits this computer."
    estimated: str = "Estimated, not measured."
    download: str = "Downloads {gigabytes} first."
    unknown_words: str = "{model} does not know {words}. It leaves out what it does not know."
    why: str = "How this was worked out"
    sizes: str = "Take {take}, render {render}, {frames} frames at {fps} a second ({seconds})."
    memory: str = "Needs about {ram} of memory."
    memory_and_vram: str = "Needs about {vram} of graphics memory and {ram} of memory."
    basis: str = "The times are {basis}."


@dataclass(frozen=True)
class FixTexts:
    """The one button under an error."""

    say: str = "Write a prompt"
    reset: str = "Use the recommended settings"
    bare: str = "Leave pictures, videos and LoRAs out"
    install: str = "Install it"
    models: str = "Choose a model"
    space: str = "See what takes up space"
    library: str = "Look in the library"
    machine: str = "Check this computer"
    again: str = "Try again"
    bring: str = "Bring it on a disk"
    picture: str = "Choose a picture"
    video: str = "Choose a video"
    file: str = "Choose another file"
    folder: str = "Show its folder"
