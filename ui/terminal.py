"""How the commands speak: progress and words on stderr, results on stdout.

With --json stdout is one JSON document, and stderr a JSON line for each event of a job.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

from pydantic import ValidationError
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.prompt import Confirm
from rich.table import Table

import engine
from engine import (
    Adjusted,
    BadSetting,
    Cancelled,
    Engine,
    Event,
    Failed,
    Finished,
    Job,
    Message,
    NeedsConsent,
    Noticed,
    Peek,
    RushesError,
    not_written,
)
from ui.locale import say, shown
from ui.texts import STRIP

words = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One document on stdout. Nouns become their fields."""
    json.dump(shown(value), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


UNBROKEN = 40  # letters of a first column: a longer one would leave no room for the others


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE)
    longest = max((len(row[0]) for row in rows), default=0)
    for index, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=index == 0 and longest <= UNBROKEN)
    for row in rows:
        table.add_row(*(escaped(cell) for cell in row))
    Console(soft_wrap=False).print(table)


def escaped(text: str) -> str:
    """A prompt may hold rich's markup; it is shown, not obeyed."""
    return text.replace("[", "\\[")


def follow(studio: Engine, job: Job, what: str) -> Finished:
    """Show a job's progress until it ends. Raises RushesError when it failed; Ctrl-C stops the job."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=words, transient=True) as bars:
            bar = bars.add_task(f"{what}: waiting", total=None)
            for event in studio.watch(job.id):
                if words.quiet:
                    _tell(studio, job, event)
                match event:
                    case engine.Progress(phase="sampling", step=step, steps=steps):
                        bars.update(
                            bar,
                            description=f"{what}: {STRIP.sampling.format(step=step, steps=steps)}",
                            completed=step,
                            total=steps,
                        )
                    case engine.Progress(phase=phase):
                        bars.update(bar, description=f"{what}: {getattr(STRIP, phase)}")
                    case Adjusted(change=first, reason=then) | Noticed(cause=first, remedy=then):
                        words.print(escaped(f"{say(first)} {say(then)}"))
                    case NeedsConsent(question=question):
                        bars.stop()
                        studio.answer(job.id, agreed(question))
                        bars.start()
                    case Failed(cause=cause, remedy=remedy, detail=detail):
                        raise RushesError(cause, remedy, detail)
                    case Cancelled():
                        raise RushesError(Message("The job was stopped."), Message("Start it again whenever you like."))
                    case Finished():
                        return event
    except KeyboardInterrupt:
        studio.stop(job.id)
        raise
    raise AssertionError("a watch ends with a final event")


def _tell(studio: Engine, job: Job, event: Event) -> None:
    """An event as one line of JSON. The file of a peek is named in full; it is gone when the next one comes."""
    told: dict[str, Any] = {"job": job.id, "stage": job.stage} | shown(event)
    if isinstance(event, Peek):
        told["file"] = str(studio.library.peek(job.id, event.file) or "")
    sys.stderr.write(json.dumps(told, ensure_ascii=False) + "\n")
    sys.stderr.flush()


def agreed(question: Message) -> bool:
    """The person's answer; no where nobody can be asked."""
    words.print(escaped(say(question)))
    if sys.stdin.isatty() and not words.quiet:
        return Confirm.ask("Go on like this?", console=words)
    words.print("Nobody is here to agree. Run it again with --make-it-fit if this is fine.")
    return False


def run(command: Callable[[], None], as_json: bool) -> None:
    """Run a command's body; an error becomes one plain sentence (or one JSON document) and an exit code."""
    words.quiet = as_json
    _leave_in_order()
    try:
        command()
    except ValidationError as error:  # a number that is none, such as nan
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        _leave(
            BadSetting(
                Message("The value for '{field}' is not usable ({first}).", field=field, first=first["msg"].lower()),
                Message("Choose another."),
            ),
            as_json,
        )
    except RushesError as error:
        _leave(error, as_json)
    except BrokenPipeError:  # whoever read what is told has left
        raise
    except OSError as error:
        _leave(not_written(error), as_json)
    except KeyboardInterrupt:
        words.print("\nStopped.")
        sys.exit(130)


def _leave_in_order() -> None:
    """On a reboot or a closed terminal too, so that the job waits in the queue for the next start."""
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):  # Windows has no second one
            number = getattr(signal, name, None)
            if number and signal.getsignal(number) is not signal.SIG_IGN:  # nohup has it ignored
                signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    for name in ("SIGTERM", "SIGHUP"):  # a closed terminal says it twice, and must not break what is being put in order
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    sys.exit(128 + number)


def _leave(error: RushesError, as_json: bool) -> NoReturn:
    if as_json:
        print_json({"error": {"cause": error.cause, "remedy": error.remedy}})
    else:
        words.print(escaped(f"{say(error.cause)} {say(error.remedy)}"), style="bold red")
    sys.exit(error.exit_code)
