"""Every way Rushes says no. Each error carries a cause and one remedy, in words a creator understands.

    RushesError
    ├── BadInput              what was asked cannot be done as asked; nothing has changed (exit code 2)
    │   ├── BadPrompt
    │   ├── BadSetting        a size, length, seed, dial or number out of range
    │   ├── BadFile           a path that cannot be read or written, a recipe or preset that is not one
    │   │   └── BadOwnFile    one in the data folder, to be mended where it lies
    │   └── UnknownName       no such model, take, clip or job
    ├── ModelProblem          the weights are missing or damaged
    │   └── ModelGated        its owner asks for a click or a sign-in first
    ├── Overflowed            a clip's numbers overflowed, so that its pictures would be black
    ├── HubProblem            the place that models come from cannot be reached, or answers nonsense
    ├── MachineProblem        disk full, no permission, no room
    ├── InUse                 a port or a folder that another program holds
    ├── JobCancelled          the person said stop (raised inside the worker only)
    └── WorkerDied            the engine process stopped without an answer

Raise with `from error`; only the boundary (a face, the worker's loop) reports.
"""

from __future__ import annotations

import errno

from engine.schema import Shortage
from engine.schema.message import Message


def _sayable(text: str) -> str:
    """Half characters, as broken names have them, could be neither printed nor sent."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class RushesError(Exception):
    """`cause`: what happened. `remedy`: the one thing to do about it. `detail`: for the expert drawer."""

    exit_code = 1

    def __init__(self, cause: Message, remedy: Message, detail: str = "") -> None:
        cause, remedy, detail = Message.of(cause), Message.of(remedy), _sayable(detail)
        super().__init__(f"{cause} {remedy}")
        self.cause, self.remedy, self.detail = cause, remedy, detail


class BadInput(RushesError):
    exit_code = 2


class BadPrompt(BadInput):
    pass


class BadSetting(BadInput):
    pass


class BadFile(BadInput):
    pass


class BadOwnFile(BadFile):
    pass


class UnknownName(BadInput):
    pass


class ModelProblem(RushesError):
    pass


class ModelGated(ModelProblem):
    pass


class Overflowed(RushesError):
    """The numbers of a clip are no numbers any more: its pictures would be black."""


class HubProblem(RushesError):
    pass


class MachineProblem(RushesError):
    pass


class InUse(RushesError):
    pass


class JobCancelled(RushesError):
    def __init__(self) -> None:
        super().__init__(Message("The job was stopped."), Message("Start it again whenever you like."))


class WorkerDied(RushesError):
    """`what` ran out, when that is why it ended."""

    def __init__(self, cause: Message, remedy: Message, detail: str = "", what: Shortage | None = None) -> None:
        super().__init__(cause, remedy, detail)
        self.what = what


PROTECTED = {errno.EROFS, errno.EACCES, errno.EPERM}
IN_USE = (32, 33)  # what Windows says of a file that another program has open
FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def not_written(error: OSError) -> MachineProblem:
    """What to say when a file could not be written, or read."""
    if getattr(error, "winerror", None) in IN_USE:
        return MachineProblem(
            Message("The file is in use by another program."),
            Message("Close that program, then try again."),
            str(error),
        )
    if error.errno in PROTECTED:
        return MachineProblem(
            Message("The file could not be written: the disk or its folder is write-protected."),
            Message("Allow writing there, or move the data folder to another drive (RUSHES_HOME), then try again."),
            str(error),
        )
    if error.errno not in FULL:
        return MachineProblem(
            Message("A file could not be read or written ({strerror}).", strerror=error.strerror or error),
            Message("Try again; if it happens again, run `app.py doctor`."),
            str(error),
        )
    return MachineProblem(
        Message("The disk is full, so the file could not be written."),
        Message("Free some space, or move the data folder to another drive (RUSHES_HOME), then try again."),
        str(error),
    )
