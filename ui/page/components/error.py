"""What went wrong: the cause, the remedy, and one button that does something about it."""

from __future__ import annotations

from dataclasses import dataclass

from engine import BadFile, BadPrompt, BadSetting, HubProblem, MachineProblem, ModelProblem, RushesError, UnknownName
from ui.page.components.formatting import aloud, shown
from ui.page.components.html import button
from ui.texts import FIX, SHEET


@dataclass(frozen=True)
class Fix:
    """What the button does (`actions`), to what, and what is written on it."""

    act: str
    words: str
    name: str = ""


def problem(error: RushesError, fix: Fix | None = None) -> str:
    """An error in place. `fix`: what to offer where the kind of error does not say it."""
    fix = fix or fix_of(error)
    return (
        f'<div class="problem" role="alert"><p><strong>{aloud(error.cause)}</strong> {aloud(error.remedy)}</p>'
        f"{details(error.detail)}{button(fix.act, fix.words, fix.name)}</div>"
    )


def fix_of(error: RushesError) -> Fix:
    match error:
        case BadPrompt():
            return Fix("say", FIX.say)
        case BadSetting():
            return Fix("reset", FIX.reset)
        case BadFile():
            return Fix("go", FIX.picture, "create")
        case UnknownName():
            return Fix("go", FIX.library, "library")
        case HubProblem():
            return Fix("bring", FIX.bring)
        case ModelProblem():
            return Fix("go", FIX.models, "models")
        case MachineProblem():
            return Fix("go", FIX.space, "models")
    return Fix("go", FIX.machine, "machine")


def said(words: str) -> str:
    """What was done, in passing."""
    return f'<div class="said" role="status"><p>{shown(words)}</p></div>'


def details(text: str) -> str:
    """The expert's part of an error, folded away."""
    if not text:
        return ""
    return f"<details><summary>{shown(SHEET.expert)}</summary><code>{shown(text)}</code></details>"
