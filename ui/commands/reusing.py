"""`models reuse`: weights that another program keeps serve here, where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine import BadInput, Engine
from ui import terminal
from ui.commands.installing import follow, report, tell
from ui.commands.options import Json
from ui.terminal import escaped, words


def reuse(
    path: Annotated[Path, typer.Argument(help="A weights file of ComfyUI or WanGP, or a folder with such files.")],
    model: Annotated[str | None, typer.Option("--as", help="Which model it serves, when there are several.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would read and download.")] = False,
    as_json: Json = False,
) -> None:
    """Install a model that reads another program's weights where they lie; only the rest is downloaded."""

    def body() -> None:
        with Engine() as studio:
            wanted = studio.catalog.card(model).id if model else ""
            found = studio.reusable(path.expanduser().absolute(), wanted)
            for refusal in found.refused:
                words.print(escaped(refusal))
            if len(found.offers) > 1:
                raise BadInput(
                    f"{path.name} can serve {len(found.offers)} models: {', '.join(o.model for o in found.offers)}.",
                    "Say which one (--as).",
                )
            card = studio.catalog.card(found.offers[0].model)
            quote = studio.downloads.quote(card, found.offers[0])
            tell(card.name, quote)
            if not dry_run:
                studio.downloads.add(card, quote)
                follow(studio, card.id, card.name)
            report(card, quote, as_json, installed=studio.installed(card))

    terminal.run(body, as_json)
