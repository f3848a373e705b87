"""`presets` and what hangs below it: looks, camera moves and saved requests; save, export, import, delete."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from engine import PRESET_KINDS, AnyPreset, Engine, Preset, Tier, as_request
from ui import terminal
from ui.commands.options import Json
from ui.locale import shown
from ui.terminal import escaped, words

Kind = Annotated[Literal["look", "camera", "request"], typer.Argument(help="look, camera or request.")]
Name = Annotated[str, typer.Argument(help="Its name as `presets` lists it.")]
presets = typer.Typer(help="Looks, camera moves and saved requests: list, save, export, import, delete.")


@presets.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    model: Annotated[str, typer.Option("--model", help="Say what this model can do of them.")] = "starter",
    as_json: Json = False,
) -> None:
    """The looks, camera moves and saved requests there are."""
    if context.invoked_subcommand is None:
        terminal.run(lambda: _list(model, as_json), as_json)


@presets.command()
def save(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    take_id: Annotated[str, typer.Argument(help="The take whose request to keep: its name, part of it, or 'last'.")],
    as_json: Json = False,
) -> None:
    """Keep the request of a take under a name."""

    def body() -> None:
        with Engine() as studio:
            _tell(studio.presets.keep(name, as_request(studio.library.take(take_id).recipe)), "Saved", as_json)

    terminal.run(body, as_json)


@presets.command()
def export(
    kind: Kind,
    name: Name,
    out: Annotated[Path, typer.Option("--out", help="The folder to write it to.")] = Path(),
    as_json: Json = False,
) -> None:
    """Write a preset as a file for a friend."""

    def body() -> None:
        with Engine() as studio:
            path = studio.presets.export(PRESET_KINDS[kind], name, out)
        if as_json:
            terminal.print_json({"file": str(path)})
        else:
            print(path)

    terminal.run(body, as_json)


@presets.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A preset's file.")],
    renamed: Annotated[str | None, typer.Option("--as", help="Keep it under another name.")] = None,
    as_json: Json = False,
) -> None:
    """Take in a friend's preset."""

    def body() -> None:
        with Engine() as studio:
            _tell(studio.presets.receive(file, renamed), "Imported", as_json)

    terminal.run(body, as_json)


@presets.command()
def delete(kind: Kind, name: Name, as_json: Json = False) -> None:
    """Delete a preset of your own."""

    def body() -> None:
        with Engine() as studio:
            studio.presets.delete(PRESET_KINDS[kind], name)
        if as_json:
            terminal.print_json({"kind": kind, "id": name, "deleted": True})
        else:
            print(f"{name} is deleted.")

    terminal.run(body, as_json)


def _list(model: str, as_json: bool) -> None:
    with Engine() as studio:
        card, problems = studio.models.card(model), studio.presets.problems()
        looks, cameras, requests = studio.presets.looks(), studio.presets.cameras(), studio.presets.requests()
    for problem in problems:
        words.print(escaped(f"{problem.cause} {problem.remedy}"))
    if as_json:
        styles = {
            title: [shown(style) | {"works": bool(style.words_for(card))} for style in found]
            for title, found in (("looks", looks), ("cameras", cameras))
        }
        terminal.print_json({"model": card.id, **styles, "requests": requests})
        return
    for title, found in (("Looks", looks), ("Camera moves", cameras)):
        rows = [[s.id, s.name, s.summary, "yes" if s.words_for(card) else "no"] for s in found]
        terminal.print_table(title, ["id", "name", "what it is", f"with {card.name}?"], rows)
    rows = [[saved.id, saved.name, saved.request.prompt, saved.request.model] for saved in requests]
    terminal.print_table("Your requests", ["id", "name", "prompt", "model"], rows)


def _tell(preset: AnyPreset, done: str, as_json: bool) -> None:
    if as_json:
        terminal.print_json(preset)
    else:
        option = "--preset" if isinstance(preset, Preset) else f"--{preset.kind}"
        use = f"tier {preset.id}" if isinstance(preset, Tier) else f"make ... {option} {preset.id}"
        print(f"{done}: {preset.name}. Use it with `{use}`.")
