"""The screen of this computer: what it is, what it can do, whether all is well, and a file for someone who helps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine import Engine, Finding, HardwareProfile, examine
from ui.page.panel import button, panel
from ui.page.roster import Entry, roster
from ui.page.wording import gigabytes, shown, span
from ui.texts import MACHINE, MODEL


@dataclass(frozen=True)
class Machine:
    facts: gr.HTML
    doctor: gr.HTML
    table: gr.HTML

    def filled(self, engine: Engine) -> dict[Any, Any]:
        return {
            self.facts: facts(engine.hardware()),
            self.table: table(roster(engine)),
            self.doctor: doctor(examine(engine, with_take=False)),
        }


def build() -> Machine:
    with gr.Row(elem_id="checks"):
        facts_panel = panel("facts")
        doctor_panel = panel("doctor", live=True)
    table_panel = panel("can-do")
    bundle = f'<a class="button" href="/support.zip" download>{shown(MACHINE.bundle_button)}</a>'
    panel("bundle", f"<h2>{shown(MACHINE.bundle)}</h2><p>{shown(MACHINE.bundle_hint)}</p>{bundle}")
    return Machine(facts_panel, doctor_panel, table_panel)


def facts(machine: HardwareProfile) -> str:
    cards = [device for device in machine.devices if device.id != "cpu"]
    processor = machine.devices[-1]
    rows = [
        (MACHINE.card, MACHINE.card_memory.format(name=device.name, free=gigabytes(device.vram_free_gb),
                                                  total=gigabytes(device.vram_gb)))
        for device in cards
    ] or [(MACHINE.card, MACHINE.no_card)]  # fmt: skip
    rows += [
        (MACHINE.processor, processor.name),
        (MACHINE.memory, MACHINE.free_of.format(free=gigabytes(machine.ram_free_gb), total=gigabytes(machine.ram_gb))),
        (MACHINE.disk, MACHINE.free.format(free=gigabytes(machine.disk_free_gb))),
        (MACHINE.system, machine.system),
    ]
    items = "".join(f"<dt>{shown(name)}</dt><dd>{shown(value)}</dd>" for name, value in rows)
    notes = "".join(f'<p class="note">{shown(note)}</p>' for note in machine.notes)
    return f"<section><h2>{shown(MACHINE.heading)}</h2><dl>{items}</dl>{notes}</section>"


def table(entries: list[Entry]) -> str:
    """Every model that this version runs: how it would go here. None is hidden."""
    rows = "".join(_row(entry) for entry in entries if entry.plan)
    names = (MACHINE.model, MACHINE.verdict, MACHINE.take, MACHINE.render, MACHINE.needs)
    head = "".join(f'<th scope="col">{shown(name)}</th>' for name in names)
    return (
        f"<section><h2>{shown(MACHINE.can_do)}</h2><p>{shown(MACHINE.can_do_hint)}</p>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{shown(MACHINE.can_do)}"><table><thead><tr>{head}'
        f"</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _row(entry: Entry) -> str:
    assert entry.plan
    forecast = entry.plan.forecast
    needs = [MACHINE.ram.format(gigabytes=gigabytes(forecast.ram_gb))]
    if forecast.vram_gb:
        needs.insert(0, MACHINE.vram.format(gigabytes=gigabytes(forecast.vram_gb)))
    if forecast.download_gb:
        needs.append(MODEL.download.format(size=gigabytes(forecast.download_gb)))
    return (
        f'<tr data-model="{shown(entry.card.id)}"><th scope="row">{shown(entry.card.name)}</th>'
        f'<td><i data-fact="{forecast.verdict}">{shown(getattr(MODEL, forecast.verdict))}</i></td>'
        f"<td>{shown(span(*forecast.take_seconds))}</td><td>{shown(span(*forecast.render_seconds))}</td>"
        f"<td>{shown(', '.join(needs))}</td></tr>"
    )


def doctor(findings: Iterable[Finding]) -> str:
    """Each thing that was looked at; what is wrong first, with what to do about it."""
    listed = sorted(findings, key=lambda finding: finding.ok)
    items = "".join(
        f'<li data-ok="{str(found.ok).lower()}"><span class="mark">{shown(MACHINE.fine if found.ok else MACHINE.wrong)}'
        f"</span><p>{shown(found.finding)} {f'<strong>{shown(found.remedy)}</strong>' if found.remedy else ''}</p></li>"
        for found in listed
    )
    well = f"<p>{shown(MACHINE.all_well)}</p>" if all(found.ok for found in listed) else ""
    buttons = button("look-again", MACHINE.look_again) + button("test-take", MACHINE.test)
    return f'<section><h2>{shown(MACHINE.doctor)}</h2>{well}<ul>{items}</ul><div class="row">{buttons}</div></section>'
