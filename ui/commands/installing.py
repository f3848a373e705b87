"""`models` and what hangs below it: install, import, reuse, remove, tidy, sign-in."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from engine import BadInput, Download, Engine, Message, ModelCard, ModelGated, Quote, RushesError
from ui import terminal
from ui.amounts import bytes_of
from ui.commands import asking
from ui.commands.options import Json
from ui.locale import TEXTS
from ui.terminal import escaped, words
from ui.texts import MODELS

POLL_SECONDS = 0.2
Name = Annotated[str, typer.Argument(help="A model's id; see `models`.")]
models = typer.Typer(help="The models Rushes knows; install, import and remove them.")


@models.callback(invoke_without_command=True)
def listing(context: typer.Context, as_json: Json = False) -> None:
    """The models Rushes knows."""
    if context.invoked_subcommand is None:
        asking.models(as_json)


@models.command()
def install(
    model: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would download.")] = False,
    as_json: Json = False,
) -> None:
    """Download a model. Stop it whenever you like: the same command goes on where it was."""

    def body() -> None:
        with Engine() as studio:
            card = studio.models.card(model)
            going_on = _resume(studio, card)
            if not going_on or dry_run:
                quote = studio.downloads.quote(card)
                tell(card.name, quote)
                if dry_run:
                    report(card, quote, as_json, installed=False)
                    return
                if quote.manifest.gate:
                    raise ModelGated(
                        Message("The owner of {model} asks everyone to accept terms.", model=card.name),
                        quote.manifest.gate,
                    )
                studio.downloads.add(card, quote)
            follow(studio, card.id, card.name)
            report(card, None, as_json, installed=studio.models.installed(card))

    terminal.run(body, as_json)


@models.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="A model's folder, on this computer or a USB disk.")],
    model: Annotated[str | None, typer.Option("--as", help="Which model it is, when that cannot be seen.")] = None,
    link: Annotated[bool, typer.Option("--link", help="Use the files where they are, without a copy.")] = False,
    as_json: Json = False,
) -> None:
    """Install a model from a folder; nothing is downloaded."""

    def body() -> None:
        source = folder.expanduser().absolute()
        with Engine() as studio:
            cards = studio.models.cards() if model is None else [studio.models.card(model)]
            source, card = studio.downloads.recognise(source, cards)
            quote = studio.downloads.quote(card, source, link)
            studio.downloads.add(card, quote, source, link)
            follow(studio, card.id, card.name)
            report(card, quote, as_json, installed=studio.models.installed(card))

    terminal.run(body, as_json)


@models.command()
def remove(model: Name, as_json: Json = False) -> None:
    """Remove an installed model, or an unfinished download of it."""

    def body() -> None:
        with Engine() as studio:
            card = studio.models.card(model)
            freed = studio.downloads.remove(card)
        if as_json:
            terminal.print_json({"model": card.id, "bytes_freed": freed})
        else:
            print(f"{card.name} is removed; {bytes_of(freed)} are free again.")

    terminal.run(body, as_json)


@models.command()
def tidy(as_json: Json = False) -> None:
    """Free the disk of weights that were made smaller for your card; a model makes its own again at its next start."""

    def body() -> None:
        with Engine() as studio:
            freed = studio.downloads.tidy()
        if as_json:
            terminal.print_json({"bytes_freed": freed})
        else:
            print(f"{bytes_of(freed)} are free again.")

    terminal.run(body, as_json)


@models.command()
def folder(
    to: Annotated[Path | None, typer.Argument(help="A folder for new models, perhaps on another drive.")] = None,
    move: Annotated[bool, typer.Option("--move", help="Also move the models there that are here.")] = False,
    as_json: Json = False,
) -> None:
    """Where models live; with a folder, new ones go there. Whole at any moment, and stopped whenever you like."""

    def body() -> None:
        with Engine() as studio:
            home = studio.location
            if to and move:
                _move(studio, str(to.expanduser().absolute()))
            elif to:
                home.use(str(to.expanduser().absolute()))
            elif move:
                raise BadInput(Message("--move needs a folder."), Message("Say which: `models folder FOLDER --move`."))
            folders = home.folders()
        if as_json:
            terminal.print_json({"folders": [place.model_dump(mode="json", context=TEXTS) for place in folders]})
            return
        for place in folders:
            state = f"{len(place.models)} models, {bytes_of(place.bytes_used)}; {bytes_of(place.disk_free)} free"
            print(f"{place.folder}: {state if place.there else 'not there; is its disk plugged in?'}")

    terminal.run(body, as_json)


def _move(studio: Engine, target: str) -> None:
    quote = studio.location.quote(target)
    here, elsewhere, free = map(bytes_of, (quote.bytes, quote.bytes_to_write, quote.disk_free))
    words.print(f"{len(quote.models)} models, {here}, of which {elsewhere} go to another disk, where {free} are free.")
    with Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=words, transient=True
    ) as bars:
        bar = bars.add_task("Moving", total=quote.bytes or None)
        studio.location.move(target, lambda now: bars.update(bar, completed=now.bytes_done, description=now.model))


@models.command("sign-in")
def sign_in(as_json: Json = False) -> None:
    """Keep a token of yours, for models whose owners ask who you are."""

    def body() -> None:
        if sys.stdin.isatty():
            token = typer.prompt("Token (it is not shown)", hide_input=True, err=True)
        else:
            token = sys.stdin.readline()
        if not token.strip():
            raise BadInput(
                Message("No token was given."),
                Message("Make one at the hub (Settings, Access Tokens, read is enough)."),
            )
        with Engine() as studio:
            name = studio.downloads.sign_in(token.strip())
        if as_json:
            terminal.print_json({"name": name})
        else:
            print(f"Signed in as {name}.")

    terminal.run(body, as_json)


def _resume(studio: Engine, card: ModelCard) -> bool:
    """Whether a download of this model was already begun; if it stood still, it goes on now."""
    begun = [download for download in studio.downloads.queue() if download.model == card.id]
    if not begun or begun[0].state == "finished":
        return False
    studio.downloads.resume(card.id)
    return True


def tell(name: str, quote: Quote) -> None:
    words.print(escaped(
        f"{name}: {len(quote.manifest.files)} files, {bytes_of(quote.bytes_to_download)} to download"
        f"{f' ({bytes_of(quote.bytes_here)} are already here)' if quote.bytes_here else ''}; "
        f"{bytes_of(max(quote.disk_free_after, 0))} of disk stay free."
    ))  # fmt: skip
    for one in quote.manifest.borrowed:
        words.print(escaped(f"Its {one.part.replace('_', ' ')} ({bytes_of(one.bytes)}) is read from {one.path}."))
    words.print(escaped(f"Licence: {quote.licence}"))


def follow(studio: Engine, model: str, name: str) -> None:
    """Show a download until it ends. Ctrl-C pauses it. Raises RushesError when it failed."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
               TimeRemainingColumn())  # fmt: skip
    studio.downloads.start()
    told: tuple[str, ...] = ()
    try:
        with Progress(*columns, console=words, transient=True) as bars:
            bar = bars.add_task(name, total=None)
            while True:
                download = studio.downloads.get(model)
                bars.update(bar, description=f"{name}: {getattr(MODELS, download.phase)}",
                            completed=download.bytes_done, total=download.bytes_total or None)  # fmt: skip
                for note in download.notes[len(told) :]:
                    words.print(escaped(note))
                told = download.notes
                if _ended(download):
                    return
                time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        studio.downloads.pause(model)
        words.print("\nPaused; what has arrived is kept. The same command goes on.")
        raise


def _ended(download: Download) -> bool:
    match download.state:
        case "failed":
            raise RushesError(download.cause, download.remedy, download.detail)
        case "paused":
            raise RushesError(Message("The download is paused."), Message("The same command goes on with it."))
    return download.state == "finished"


def report(card: ModelCard, quote: Quote | None, as_json: bool, installed: bool) -> None:
    """What is there now, or would be."""
    if not as_json:
        if installed:
            print(f"{card.name} is installed.")
        return
    document: dict[str, Any] = {"model": card.id, "installed": installed, "license": card.licence.name}
    if quote:
        document |= {
            "files": [{"name": file.name, "bytes": file.bytes} for file in quote.manifest.files],
            "reused": [{"part": one.part, "file": one.path, "bytes": one.bytes} for one in quote.manifest.borrowed],
            "bytes_to_download": quote.bytes_to_download,
            "bytes_here": quote.bytes_here,
            "disk_free_after": quote.disk_free_after,
            "fits": quote.fits,
            "gate": quote.manifest.gate,
        }
    terminal.print_json(document)


# ---- models reuse ----


def reuse(
    path: Annotated[Path, typer.Argument(help="A weights file of ComfyUI or WanGP, or a folder with such files.")],
    model: Annotated[str | None, typer.Option("--as", help="Which model it serves, when there are several.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would read and download.")] = False,
    as_json: Json = False,
) -> None:
    """Install a model that reads another program's weights where they lie; only the rest is downloaded."""

    def body() -> None:
        with Engine() as studio:
            wanted = studio.models.card(model).id if model else ""
            found = studio.models.reusable(path.expanduser().absolute(), wanted)
            for refusal in found.refused:
                words.print(escaped(refusal))
            if len(found.offers) > 1:
                raise BadInput(
                    Message(
                        "{file} can serve {count} models: {model}.",
                        file=path.name,
                        count=len(found.offers),
                        model=[o.model for o in found.offers],
                    ),
                    Message("Say which one (--as)."),
                )
            card = studio.models.card(found.offers[0].model)
            quote = studio.downloads.quote(card, found.offers[0])
            tell(card.name, quote)
            if not dry_run:
                studio.downloads.add(card, quote)
                follow(studio, card.id, card.name)
            report(card, quote, as_json, installed=studio.models.installed(card))

    terminal.run(body, as_json)
