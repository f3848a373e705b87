"""The screen of this computer: what it is, what it can do, whether all is well, and a file for someone who helps."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import gradio as gr

from engine import CardTest, Engine, Finding, HardwareProfile, examine
from ui.locale import languages
from ui.page.components.html import CLICKS, panel, render
from ui.page.screens.form.saved_settings import BRING
from ui.texts import MACHINE


def tiers(engine: Engine) -> str:
    """The tier of this machine in words, and the others to choose from."""
    now = engine.machine.tier()
    return render("screens/machine/tiers.html", now=now, tiers=engine.machine.tiers(), own=engine.presets.is_own(now))


def capability(engine: Engine) -> str:
    """The whole table as HTML; none is hidden."""
    table = [(model, [*rows]) for model, rows in groupby(engine.planning.table(), key=lambda row: row.model)]
    names = {card.id: card.name for card in engine.models.cards()}
    return render("screens/machine/capability.html", names=names, table=table, picks=engine.planning.recommended())


# ---- the screen ----


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
        return {self.language: engine.language, self.facts: facts(engine.machine.hardware())}

    def looked_at(self, engine: Engine) -> dict[Any, Any]:
        return {
            self.tiers: tiers(engine),
            self.doctor: doctor(examine(engine, with_take=False), engine.machine.card_tests()),
        }


def build(engine: Engine) -> Machine:
    spoken = [(MACHINE.as_browser, ""), *((name, code) for code, name in languages().items())]
    chosen = engine.language
    language = gr.Radio(spoken, value=chosen, label=MACHINE.language, elem_id="language", elem_classes="shapes")
    looking = render("components/paragraph.html", words=MACHINE.looking)
    with gr.Row(elem_id="checks"):
        facts_panel = panel("facts", looking)
        doctor_panel = panel("doctor", looking, live=True)
    tier_panel = panel("tiers", script=CLICKS + BRING)
    table_panel = panel("can-do", looking)
    panel("bundle", render("screens/machine/bundle.html"))
    return Machine(facts_panel, doctor_panel, table_panel, tier_panel, language)


def facts(machine: HardwareProfile) -> str:
    return render("screens/machine/facts.html", machine=machine)


def doctor(findings: Iterable[Finding], tests: Iterable[CardTest] = ()) -> str:
    """Each thing that was looked at; what is wrong first, with what to do about it and one button for that."""
    listed = sorted(findings, key=lambda finding: finding.ok)
    return render("screens/machine/doctor.html", findings=listed, tests=map(card_test, tests))


def card_test(test: CardTest) -> str:
    """What the test of a device found, in a sentence; all of it for who opens it."""
    fine = all(reading.ok for reading in test.readings)
    sound = MACHINE.card_fine if test.done else MACHINE.card_unfinished
    file = b64encode(test.model_dump_json(indent=1).encode()).decode()
    return render("screens/machine/card_test.html", test=test, fine=fine, file=file,
                  words=sound if fine else MACHINE.card_wrong)  # fmt: skip
