"""What can a machine do: the table of models and machines, and the tier that is chosen."""

from __future__ import annotations

from typing import Annotated

import typer

from engine import Engine, Recommendation
from ui import terminal
from ui.amounts import span
from ui.commands.options import Json


def tell_table(as_json: bool) -> None:
    with Engine() as studio:
        rows = studio.planning.table(everywhere=True)
    if as_json:
        terminal.print_json({"rows": rows})
        return
    cells = [[row.model, row.hardware, row.outcome, row.verdict, f"{row.size}, {row.clip_seconds:g} s",
              f"{row.vram_gb:.1f}", f"{row.ram_gb:.1f}", span(*row.render_seconds)] for row in rows]  # fmt: skip
    columns = ["model", "machine", "outcome", "verdict", "clip", "VRAM GB", "RAM GB", "render"]
    terminal.print_table("What can a machine do? Estimated, not measured.", columns, cells)


def told(pick: Recommendation) -> str:
    """A recommendation in two sentences."""
    return (f"For {pick.what_for}: {pick.model} ({pick.download_gb:.0f} GB to download). {pick.why} One clip takes "
            f"{span(*pick.seconds)}. {pick.licence}.")  # fmt: skip


def tier(
    name: Annotated[str | None, typer.Argument(help="Keep to this tier; 'auto': the one that fits.")] = None,
    as_json: Json = False,
) -> None:
    """What Draft, Standard and Best mean on this machine; change it."""

    def body() -> None:
        with Engine() as studio:
            now = (
                studio.machine.tier() if name is None else studio.machine.choose_tier(None if name == "auto" else name)
            )
            tiers = studio.machine.tiers()
        if as_json:
            terminal.print_json({"tier": now, "tiers": tiers})
            return
        print(f"{now.name}: {now.summary}")
        rows = [["yes" if tier.id == now.id else "", tier.id, tier.name, tier.summary] for tier in tiers]
        terminal.print_table("Tiers", ["now", "id", "name", "what it is"], rows)

    terminal.run(body, as_json)
