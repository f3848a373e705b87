"""What is being made, what has been made, what waits, and where it is kept."""

from __future__ import annotations

from dataclasses import dataclass


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
    paused: str = "The queue is paused."
    go_on: str = "Go on"
    take: str = "Take"
    render: str = "Render"
    remove: str = "Remove from the queue"
    progress: str = "Progress"
    peek: str = "What it looks like so far"


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
    earlier: str = "Your clip before this"
    video: str = "Clip: {prompt}"
    download: str = "Download"
    more: str = "More"
    vary: str = "Vary"
    vary_hint: str = "New takes of the same shot"
    extend: str = "Extend"
    extend_hint: str = "What happens next, joined to this clip"
    start: str = "Use as start"
    start_hint: str = "Its last picture becomes the first of your next shot"
    again: str = "Make again"
    again_hint: str = "The same once more, frame for frame"
    take_first: str = "Its take is gone, so that is drawn again first. Render it when it is there."
    settings: str = "Use these settings"
    keep: str = "Save settings"
    reveal: str = "Show in folder"
    copy: str = "Copy recipe"
    copied: str = "Copied"
    delete: str = "Delete"
    details: str = "How it was made"
    prompt: str = "Prompt"
    told: str = "What the model was told"
    model: str = "Model"
    size: str = "Size"
    length: str = "Length"
    seed: str = "Seed"
    steps: str = "Steps"
    guidance: str = "Guidance"
    sigma: str = "Start level"
    made: str = "Made"
    adjusted: str = "Changed because memory ran out"
    time: str = "Time taken"
    name: str = "Name"
    versions: str = "Software"
    compare: str = "Beside its take"
    compare_take: str = "The take"
    compare_render: str = "The render"
    no_window: str = "This computer has no file manager that could be opened."
    no_window_remedy: str = "The file is {path}."


@dataclass(frozen=True)
class QueueTexts:
    running: str = "Now"
    waiting: str = "Waiting"
    ended: str = "Lately"
    empty: str = "Nothing is waiting. What you preview or render lines up here."
    lost: str = "The work on {device} stopped by itself on {when} and was started again."
    pause: str = "Pause the queue"
    paused: str = "Paused. What runs now is finished; what waits stays here."
    go_on: str = "Go on"
    up: str = "Earlier"
    down: str = "Later"
    remove: str = "Remove"
    clear: str = "Remove all"
    finished: str = "Done"
    failed: str = "Did not work"
    cancelled: str = "Stopped"
    retry: str = "Try again"
    show: str = "Show"


@dataclass(frozen=True)
class ShelfTexts:
    all: str = "Everything"
    clips: str = "Clips"
    takes: str = "Takes"
    show: str = "Show"
    search: str = "Search"
    search_hint: str = "Words of the prompt, or a name"
    model: str = "Model"
    any_model: str = "Any model"
    when: str = "When"
    ever: str = "Any time"
    today: str = "Today"
    week: str = "Last 7 days"
    month: str = "Last 30 days"
    more: str = "Show more"
    empty: str = "Nothing here yet. What you make is kept here until you delete it."
    nothing: str = "Nothing matches that."
    clip: str = "Clip"
    take: str = "Take"
    count: str = "{shown} of {total}"
    trashed: str = "Moved to the trash."
    undo: str = "Undo"
    trash: str = "The trash holds {size}."
    empty_trash: str = "Empty the trash"
