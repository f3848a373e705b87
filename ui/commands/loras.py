"""`loras` and what hangs below it: add, remove, share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine import Engine, LoraFile
from ui import terminal
from ui.commands.options import Json
from ui.terminal import words

loras = typer.Typer(help="The LoRAs on this computer; add and remove them.")
HALVES = {"high": "early steps", "low": "late steps", "": ""}


@loras.callback(invoke_without_command=True)
def listing(context: typer.Context, as_json: Json = False) -> None:
    """The LoRAs that are kept, and those in shared folders."""
    if context.invoked_subcommand is not None:
        return

    def body() -> None:
        with Engine() as studio:
            rows = [row(studio, file) for file in studio.loras.kept()]
            rows += [row(studio, file, path) for path, file in studio.loras.shared()]
        if as_json:
            terminal.print_json(rows)
        else:
            cells = [[r["name"], ", ".join(r["made_for"][:2]) or "unknown", HALVES[r["noise"]], r["trigger_words"],
                      r["licence"] or "not said"] for r in rows]  # fmt: skip
            terminal.print_table("LoRAs", ["name", "made for", "half", "trigger words", "licence"], cells)

    terminal.run(body, as_json)


@loras.command()
def add(file: Annotated[Path, typer.Argument(help="A LoRA in a .safetensors file.")], as_json: Json = False) -> None:
    """Take in a LoRA."""

    def body() -> None:
        with Engine() as studio:
            kept = studio.keep_lora(file)
            found = row(studio, kept)
        if as_json:
            terminal.print_json(found)
        else:
            made = ", ".join(found["made_for"]) or "a model that Rushes does not know"
            words.print(terminal.escaped(f"'{kept.name}' is here. It is made for {made}."))

    terminal.run(body, as_json)


@loras.command()
def remove(name: Annotated[str, typer.Argument(help="Its name or id.")], as_json: Json = False) -> None:
    """Forget a LoRA; a file in a shared folder stays where it is."""

    def body() -> None:
        with Engine() as studio:
            gone = studio.loras.find(name)
            studio.loras.remove(name)
        if as_json:
            terminal.print_json({"removed": gone.id})
        else:
            words.print(terminal.escaped(f"'{gone.name}' is gone."))

    terminal.run(body, as_json)


@loras.command()
def share(
    folders: Annotated[list[Path] | None, typer.Argument(help="Folders that other apps keep LoRAs in.")] = None,
    as_json: Json = False,
) -> None:
    """Read LoRAs from these folders too, without copying them; without a folder, from none."""

    def body() -> None:
        with Engine() as studio:
            studio.loras.share(folders or [])
            found = [str(folder) for folder in studio.loras.folders()]
        if as_json:
            terminal.print_json({"folders": found})
        else:
            words.print(terminal.escaped(f"LoRAs are read from: {', '.join(found) or 'no other folder'}."))

    terminal.run(body, as_json)


def row(studio: Engine, file: LoraFile, path: Path | None = None) -> dict[str, Any]:
    made_for = [card.name for card in studio.made_for(file)]
    return file.model_dump() | {"made_for": made_for, "file": str(path or "")}
