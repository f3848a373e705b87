"""What this computer can do: outcomes, tiers, what would fit instead, what was promised and what it took."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OutcomeTexts:
    label: str = "How good"
    by_hand: str = "As set"
    draft: str = "Draft"
    standard: str = "Standard"
    best: str = "Best"
    means: str = "{outcome} for “{tier}”: {seconds} of {size} in {steps} steps."
    keep: str = "Keep this as my {outcome}"
    kept: str = "Kept. From now on this is your {outcome} for {model}."


@dataclass(frozen=True)
class TierTexts:
    heading: str = "What Draft, Standard and Best mean here"
    chosen: str = "Your computer counts as “{tier}”. {summary}"
    others: str = "Count it as something else"
    use: str = "Use"
    automatic: str = "Choose by itself again"
    now: str = "Now counted as “{tier}”."
    delete: str = "Delete this one"


@dataclass(frozen=True)
class InsteadTexts:
    heading: str = "What would fit"
    nothing: str = "Nothing that was tried fits this computer."
    use: str = "Use this"


@dataclass(frozen=True)
class CapabilityTexts:
    heading: str = "What can my machine do?"
    hint: str = (
        "Every model in three outcomes, before anything is downloaded. Nothing here was measured unless it says so."
    )
    model: str = "Model"
    first: str = "Install first, for {what}: {model}. {why} {download} to download. One clip takes {time}. {licence}"
    none: str = (
        "Of the models to download, none is likely to run here as it is; what would fit is said where one is chosen."
    )
    show: str = "Show this model"
    cell: str = "{seconds} s of {size}, rendered in {time}"
    refused: str = "not possible"


@dataclass(frozen=True)
class TruthTexts:
    both: str = "forecast {forecast}, took {took}"
    fit: str = "If memory runs out, change the picture without asking"
    size: str = "Size of the render, such as 640x384"
    bad_size: str = "Size: '{text}' is not two whole numbers with an x between them."
