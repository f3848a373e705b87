"""`library` and what hangs below it: what there is, favourites, and the trash: list, restore, empty."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.prompt import Confirm

from engine import BadSetting, Engine, Message, Thrown
from ui import terminal
from ui.amounts import bytes_of, moment
from ui.commands.options import Json, row
from ui.terminal import words

Name = Annotated[str, typer.Argument(help="Its name as `library trash` lists it.")]
library = typer.Typer(help="The takes and clips on this machine, and the trash: list, restore, empty.")


@library.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    favourites: Annotated[bool, typer.Option("--favourites", help="Only those that you marked.")] = False,
    as_json: Json = False,
) -> None:
    """The takes and clips on this machine, newest first."""
    if context.invoked_subcommand is None:
        terminal.run(lambda: _list(favourites, as_json), as_json)


def _list(favourites: bool, as_json: bool) -> None:
    with Engine() as studio:
        takes = [take for take in studio.library.takes() if take.favourite or not favourites]
        clips = [clip for clip in studio.library.clips() if clip.favourite or not favourites]
    if as_json:
        terminal.print_json({"takes": [row(take) for take in takes], "clips": [row(clip) for clip in clips]})
        return
    for title, found in (("Takes", takes), ("Clips", clips)):
        rows = [[item.id, item.recipe.plan.request.prompt, item.video] for item in found]
        terminal.print_table(title, ["name", "prompt", "file"], rows)


@library.command()
def mark(
    name: Annotated[str, typer.Argument(help="A clip or a take, by its whole name.")],
    off: Annotated[bool, typer.Option("--off", help="It is a favourite no more.")] = False,
    as_json: Json = False,
) -> None:
    """Make a take or clip a favourite."""

    def body() -> None:
        with Engine() as studio:
            clips = [clip for clip in studio.library.clips() if clip.id == name]
            studio.library.mark(clips[0] if clips else studio.library.exact_take(name), favourite=not off)
        if as_json:
            terminal.print_json({"id": name, "favourite": not off})
        else:
            print(f"{name} is {'no longer ' if off else ''}a favourite.")

    terminal.run(body, as_json)


@library.command()
def trash(as_json: Json = False) -> None:
    """What was thrown away, last first."""

    def body() -> None:
        with Engine() as studio:
            items = studio.library.trash.items()
        if as_json:
            terminal.print_json([_thrown(item) for item in items])
        else:
            cells = [[item.id, item.kind, bytes_of(item.bytes), moment(item.deleted)] for item in items]
            terminal.print_table("Trash", ["name", "kind", "size", "deleted"], cells)

    terminal.run(body, as_json)


@library.command()
def restore(name: Name, as_json: Json = False) -> None:
    """Take something back from the trash."""

    def body() -> None:
        with Engine() as studio:
            studio.library.trash.take_back(name)
        if as_json:
            terminal.print_json({"id": name, "restored": True})
        else:
            print(f"{name} is in the library again.")

    terminal.run(body, as_json)


@library.command()
def empty(
    name: Annotated[str | None, typer.Argument(help="Only this, by its name as `library trash` lists it.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    as_json: Json = False,
) -> None:
    """Delete what is in the trash for good."""

    def body() -> None:
        with Engine() as studio:
            items = [item for item in studio.library.trash.items() if name in (None, item.id)]
            if (items and not yes) and not _agreed(items):
                return
            freed = studio.library.trash.empty(name)
        if as_json:
            terminal.print_json({"bytes_freed": freed})
        else:
            print(f"{bytes_of(freed)} are free again.")

    terminal.run(body, as_json)


def _agreed(items: list[Thrown]) -> bool:
    """Raises BadSetting where nobody can be asked."""
    if not sys.stdin.isatty() or words.quiet:
        raise BadSetting(Message("Nobody is here to be asked."), Message("Add --yes to delete it without a question."))
    what = items[0].id if len(items) == 1 else f"{len(items)} takes and clips"
    size = bytes_of(sum(item.bytes for item in items))
    return Confirm.ask(f"Delete {what} for good ({size})?", console=words)


def _thrown(item: Thrown) -> dict[str, object]:
    prompt = item.recipe.plan.request.prompt if item.recipe else None
    return {"id": item.id, "kind": item.kind, "bytes": item.bytes, "deleted": item.deleted, "prompt": prompt}
