"""The commands: `python app.py make "..."` and its sisters. Each parses, asks the engine, prints."""

from __future__ import annotations

from typing import Annotated

import typer

from engine import Engine
from ui import terminal
from ui.commands import asking, capability, installing, library, loras, making, presets
from ui.commands import installing as reusing
from ui.commands import making as extending
from ui.locale import SPOKEN, USUAL, languages

app = typer.Typer(
    help="Rushes: see a cheap take, approve it, and get that same shot at full quality. Without a command: the studio.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    app(prog_name="app.py")


@app.callback(invoke_without_command=True)
def door(
    context: typer.Context,
    lang: Annotated[str, typer.Option("--lang", help="The language of reasons and refusals, such as de.")] = USUAL,
) -> None:
    if lang != USUAL and lang not in languages():
        raise typer.BadParameter(f"Choose one of: {', '.join(languages())}.")
    SPOKEN.set(lang)
    if context.invoked_subcommand is None:
        serve()


@app.command()
def serve(
    port: Annotated[int | None, typer.Option("--port", help="A port of this computer.")] = None,
    lan: Annotated[bool, typer.Option("--lan", help="Share it on the home network, behind RUSHES_PASSWORD.")] = False,
) -> None:
    """Open the studio page at a loopback address."""

    def body() -> None:
        from ui.page.server import serve as serve_page  # gradio: seconds, and only the page needs it

        serve_page(Engine(), port, shared=lan)

    terminal.run(body, as_json=False)


for command in (
    making.make,
    making.render,
    making.vary,
    extending.extend,
    asking.plan,
    asking.hardware,
    asking.doctor,
    capability.tier,
):
    app.command()(command)
installing.models.command()(reusing.reuse)
app.add_typer(installing.models, name="models")
app.add_typer(library.library, name="library")
app.add_typer(presets.presets, name="presets")
app.add_typer(loras.loras, name="loras")
