"""`loras` and what hangs below it: add, remove, share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine import BadSetting, Engine, Half, LoraFile, Message, Quote
from ui import terminal
from ui.commands.installing import follow, tell
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
            made = ", ".join(found["made_for"]) or Message("a model that Rushes does not know")
            words.print(terminal.escaped(f"'{kept.name}' is here. It is made for {made}."))

    terminal.run(body, as_json)


@loras.command()
def install(
    address: Annotated[str, typer.Argument(help="OWNER/NAME, OWNER/NAME/FILE, or the address of its page on the hub.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would download.")] = False,
    as_json: Json = False,
) -> None:
    """Download a LoRA from the hub. Stop it whenever you like: the same command goes on where it was."""

    def body() -> None:
        with Engine() as studio:
            quote = studio.downloads.quote_lora(address)
            name = quote.manifest.model
            tell(address, quote)
            if not dry_run:
                on_its_way = [one.model for one in studio.downloads.queue() if one.state in ("queued", "running")]
                if name not in on_its_way:
                    studio.downloads.add_lora(quote)
                follow(studio, name, studio.downloads.get(name).lora)
            found = None if dry_run else row(studio, studio.loras.kept_from(quote.manifest))
        _report(found, quote, as_json)

    terminal.run(body, as_json)


def _report(found: dict[str, Any] | None, quote: Quote, as_json: bool) -> None:
    (file,) = quote.manifest.files
    if as_json:
        cost = {"repo": file.repo, "file": file.path, "revision": file.commit, "bytes": file.bytes}
        cost |= {"bytes_to_download": quote.bytes_to_download, "licence": str(quote.licence)}
        cost |= {"gate": quote.manifest.gate}
        terminal.print_json(cost | {"lora": found})
    elif found:
        made = ", ".join(found["made_for"]) or Message("a model that Rushes does not know")
        words.print(terminal.escaped(f"'{found['name']}' is here. It is made for {made}."))


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
def half(
    name: Annotated[str, typer.Argument(help="Its name or id.")],
    steps: Annotated[str, typer.Argument(help="high (early steps), low (late steps) or both.")],
    as_json: Json = False,
) -> None:
    """Say which steps a LoRA is for, in models of two transformers such as Wan 2.2 A14B."""

    def body() -> None:
        with Engine() as studio:
            found = row(studio, studio.loras.set_half(name, half_of_text(steps)))
        if as_json:
            terminal.print_json(found)
        else:
            words.print(terminal.escaped(f"'{found['name']}' acts on the {HALVES[found['noise']] or 'all steps'}."))

    terminal.run(body, as_json)


def half_of_text(text: str) -> Half:
    match text:
        case "high" | "low" | "both":
            return text
    raise BadSetting(Message("'{text}' is no half of a pair.", text=text[:20]), Message("Choose high, low or both."))


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
    made_for = [card.name for card in studio.models.made_for(file)]
    return file.model_dump() | {"made_for": made_for, "file": str(path or "")}
