"""What went wrong: the cause, the remedy, and one button that does something about it."""

from __future__ import annotations

from engine import (
    BadFile,
    BadOwnFile,
    BadPrompt,
    BadSetting,
    HubProblem,
    MachineProblem,
    ModelProblem,
    RushesError,
    UnknownName,
)
from ui.page.components.html import Button, render
from ui.texts import FIX


def problem(error: RushesError, fix: Button | None = None) -> str:
    """An error in place. `fix`: what to offer where the kind of error does not say it."""
    return render("components/problem.html", error=error, fix=fix or fix_of(error))


def fix_of(error: RushesError) -> Button:
    match error:
        case BadPrompt():
            return Button("say", FIX.say)
        case BadSetting():
            return Button("reset", FIX.reset)
        case BadOwnFile():
            return Button("reveal", FIX.folder, "home/")
        case BadFile():
            return Button("go", FIX.file, "create")
        case UnknownName():
            return Button("go", FIX.library, "library")
        case HubProblem():
            return Button("bring", FIX.bring)
        case ModelProblem():
            return Button("go", FIX.models, "models")
        case MachineProblem():
            return Button("go", FIX.space, "models")
    return Button("go", FIX.machine, "machine")


def said(words: str, fix: Button | None = None) -> str:
    """What was done, in passing. `fix`: what can still be done about it."""
    return render("components/said.html", words=words, fix=fix)
