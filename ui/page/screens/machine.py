"""The screen of this computer: what it is, what it can do, whether all is well, and a file for someone who helps."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import gradio as gr

from engine import CardTest, Engine, Finding, HardwareProfile, Reading, Row, examine
from ui.page.components.formatting import aloud, figure, fits, gigabytes, shown, span
from ui.page.components.html import CLICKS, button, panel
from ui.page.middleware.language import SETTING
from ui.page.screens.form.saved_settings import BRING
from ui.texts import CAPABILITY, LANGUAGES, MACHINE, OUTCOME, SAVED, TIER
from ui.texts.sentences import told


def tiers(engine: Engine) -> str:
    """The tier of this machine in words, and the others to choose from."""
    now = engine.tier()
    items = "".join(
        f"<li><span><strong>{aloud(tier.name)}</strong> {aloud(tier.summary)}</span>"
        f"{button('tier', TIER.use, tier.id)}</li>"
        for tier in engine.tiers() if tier.id != now.id
    )  # fmt: skip
    said_now = shown(TIER.chosen.format(tier=told(now.name), summary=told(now.summary)))
    export = f'<a class="button" href="/preset/tier/{shown(now.id)}.toml" download>{shown(SAVED.export)}</a>'
    delete = button("tier-delete", TIER.delete, now.id) if engine.is_own_preset(now) else ""
    bring = (
        f'<label class="button bring">{shown(SAVED.bring)}<input type="file" accept=".toml" data-role="preset"></label>'
    )
    return (
        f"<section><h2>{shown(TIER.heading)}</h2><p>{said_now}</p><details><summary>{shown(TIER.others)}</summary>"
        f"<ul>{items}</ul>{button('tier', TIER.automatic)}</details>"
        f'<div class="row">{export}{delete}{bring}</div></section>'
    )


# ---- tiers ----


def capability(engine: Engine) -> str:
    """The whole table as HTML; none is hidden."""
    names = {card.id: card.name for card in engine.cards()}
    outcomes = (OUTCOME.draft, OUTCOME.standard, OUTCOME.best)
    head = "".join(f'<th scope="col">{shown(name)}</th>' for name in (CAPABILITY.model, *outcomes))
    rows = "".join(
        f'<tr data-model="{shown(model)}"><th scope="row">{shown(names[model])}</th>{"".join(map(_cell, rows))}</tr>'
        for model, rows in groupby(engine.table(), key=lambda row: row.model)
    )
    return (
        f"<section><h2>{shown(CAPABILITY.heading)}</h2><p>{shown(CAPABILITY.hint)}</p>{_first(engine)}"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{shown(CAPABILITY.heading)}"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _first(engine: Engine) -> str:
    picks, names = "", {card.id: card.name for card in engine.cards()}
    for pick in engine.recommended():
        what, why, terms = told(pick.what_for), told(pick.why), told(pick.licence)
        words = CAPABILITY.first.format(what=what, model=names[pick.model], why=why, licence=terms,
                                        download=gigabytes(pick.download_gb), time=span(*pick.seconds))  # fmt: skip
        picks += f"<li><span>{shown(words)}</span>{button('choose', CAPABILITY.show, pick.model)}</li>"
    return f"<ul>{picks}</ul>" if picks else f'<p class="note">{shown(CAPABILITY.none)}</p>'


def _cell(row: Row) -> str:
    if not row.size:
        return f'<td title="{aloud(" ".join(row.reasons))}">{shown(CAPABILITY.refused)}</td>'
    length = figure(row.clip_seconds, 0 if row.clip_seconds.is_integer() else 1)
    clip = CAPABILITY.cell.format(seconds=length, size=row.size.replace("x", " × "),
                                  time=span(*row.render_seconds))  # fmt: skip
    return (
        f'<td title="{aloud(row.basis)}"><i data-fact="{row.verdict}">{shown(fits(row.verdict, row.measured))}</i>'
        f" {shown(clip)}</td>"
    )


# ---- the screen ----

REINSTALL = "python bootstrap.py"


@dataclass(frozen=True)
class Machine:
    facts: gr.HTML
    doctor: gr.HTML
    table: gr.HTML
    tiers: gr.HTML
    language: gr.Radio

    def filled(self, engine: Engine) -> dict[Any, Any]:
        return {**self.at_once(engine), **self.looked_at(engine), self.table: capability(engine)}

    def at_once(self, engine: Engine) -> dict[Any, Any]:
        """What needs no looking."""
        return {self.language: engine.store.setting(SETTING), self.facts: facts(engine.hardware())}

    def looked_at(self, engine: Engine) -> dict[Any, Any]:
        return {self.tiers: tiers(engine), self.doctor: doctor(examine(engine, with_take=False), engine.card_tests())}


def build(engine: Engine) -> Machine:
    spoken = [(MACHINE.as_browser, ""), *((name, code) for code, name in LANGUAGES.items())]
    chosen = engine.store.setting(SETTING)
    language = gr.Radio(spoken, value=chosen, label=MACHINE.language, elem_id="language", elem_classes="shapes")
    looking = f"<p>{shown(MACHINE.looking)}</p>"
    with gr.Row(elem_id="checks"):
        facts_panel = panel("facts", looking)
        doctor_panel = panel("doctor", looking, live=True)
    tier_panel = panel("tiers", script=CLICKS + BRING)
    table_panel = panel("can-do", looking)
    bundle = f'<a class="button" href="/support.zip" download>{shown(MACHINE.bundle_button)}</a>'
    panel("bundle", f"<h2>{shown(MACHINE.bundle)}</h2><p>{shown(MACHINE.bundle_hint)}</p>{bundle}")
    return Machine(facts_panel, doctor_panel, table_panel, tier_panel, language)


def facts(machine: HardwareProfile) -> str:
    cards = [device for device in machine.devices if device.kind != "cpu"]
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
    notes = "".join(f'<p class="note">{aloud(note)}</p>' for note in (*machine.problems, *machine.notes))
    return f"<section><h2>{shown(MACHINE.heading)}</h2><dl>{items}</dl>{notes}</section>"


def fix(found: Finding) -> str:
    """The one button under a finding: it mends it, or leads to where that is done."""
    if found.ok:
        return button("tidy", MACHINE.tidy) if found.name == "caches" and found.spare else ""
    match found.name:
        case "python":
            return _link(MACHINE.python, "https://www.python.org/downloads/")
        case "torch" | "video":
            return f'<button type="button" data-text="{REINSTALL}" data-copied="{shown(MACHINE.copied)}">' \
                   f"{shown(MACHINE.copy)}</button>"  # fmt: skip
        case "device":
            return _link(MACHINE.driver, "https://www.nvidia.com/drivers")
        case "memory":
            return button("let-go", MACHINE.let_go)
        case "disk":
            return button("go", MACHINE.room, "models")
        case "folder" | "library":
            return button("reveal", MACHINE.folder, "home/")
        case "models":
            return button("go", MACHINE.other_folder, "models")
        case "take":
            return button("test-take", MACHINE.again)
        case "queue":
            return f'<a class="button" href="/support.zip" download>{shown(MACHINE.bundle_button)}</a>'
    raise ValueError(found.name)  # a new kind of finding needs its fix


def _link(words: str, address: str) -> str:
    """Out of the studio, in a tab of its own: only when the person follows it."""
    return f'<a class="button" href="{address}" target="_blank" rel="noreferrer noopener">{shown(words)}</a>'


def _item(found: Finding) -> str:
    mark = MACHINE.fine if found.ok else MACHINE.wrong
    remedy = f" <strong>{aloud(found.remedy)}</strong>" if found.remedy else ""
    return (
        f'<li data-ok="{str(found.ok).lower()}"><span class="mark">{shown(mark)}</span>'
        f"<p>{aloud(found.finding)}{remedy}</p>{fix(found)}</li>"
    )


def doctor(findings: Iterable[Finding], tests: Iterable[CardTest] = ()) -> str:
    """Each thing that was looked at; what is wrong first, with what to do about it and one button for that."""
    listed = sorted(findings, key=lambda finding: finding.ok)
    items = "".join(map(_item, listed))
    well = f"<p>{shown(MACHINE.all_well)}</p>" if all(found.ok for found in listed) else ""
    pairs = (("look-again", MACHINE.look_again), ("test-take", MACHINE.test), ("test-card", MACHINE.test_card))
    buttons = "".join(button(what, words) for what, words in pairs)
    tested = "".join(map(card_test, tests))
    return (
        f"<section><h2>{shown(MACHINE.doctor)}</h2>{well}<ul>{items}</ul>{tested}"
        f'<div class="row">{buttons}</div></section>'
    )


def card_test(test: CardTest) -> str:
    """What the test of a device found, in a sentence; all of it for who opens it."""
    fine = all(reading.ok for reading in test.readings)
    sound = MACHINE.card_fine if test.done else MACHINE.card_unfinished
    words = (sound if fine else MACHINE.card_wrong).format(device=test.device.name)
    rows = "".join(map(_reading, sorted(test.readings, key=lambda reading: reading.ok)))
    name = f"card-test-{test.device.id.replace(':', '-')}.json"
    address = f"data:application/json;base64,{b64encode(test.model_dump_json(indent=1).encode()).decode()}"
    return (
        f'<div class="card-test" data-ok="{str(fine).lower()}"><p>{shown(words)}</p>'
        f"<details><summary>{shown(MACHINE.card_figures)}</summary><table><tbody>{rows}</tbody></table>"
        f'<a class="button" href="{address}" download="{shown(name)}">{shown(MACHINE.card_file)}</a></details></div>'
    )


def _reading(found: Reading) -> str:
    value = "" if found.value is None else f"{figure(found.value, 3)}\N{NO-BREAK SPACE}{found.unit}"
    mark = "" if found.ok else f"<strong>{shown(MACHINE.wrong)}</strong> {shown(found.problem)}"
    return (
        f"<tr><th>{shown(MACHINE.card_parts[found.part])}</th><td>{shown(found.name)}</td>"
        f"<td>{shown(value)} {mark}</td></tr>"
    )
