"""Every text of the page in every language: none is missing, and none asks for what the page does not fill in."""

from __future__ import annotations

import ast
import re
import string
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from engine import APP, BadSetting, Engine, ModelCard, Request
from engine.planning import forecast, memory_fallback
from engine.planning.recommendations import recommend
from engine.schema import Device, Measured
from engine.storage.catalog import machines
from ui import texts
from ui.page.components import formatting
from ui.page.components.error import problem
from ui.page.middleware.language import choose, wanted
from ui.texts import SPOKEN
from ui.texts.sentences import BETWEEN, KNOWN, _german, _sentence

PLACES = {name: place for name, place in vars(texts).items() if type(place).__name__ == "_Spoken"}
ALIKE = {"Rushes", "Name", "Clips", "Clip", "Clip: {prompt}", "Seed", "Seed {seed}", "Guidance", "System", "LoRAs",
         "s", "min", "h", "{shown} von {total}", "Standard"}  # fmt: skip


def flat(value: Any) -> list[str]:
    return [*value] if isinstance(value, tuple) else [*value.values()] if isinstance(value, dict) else [value]


def holes(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("place", PLACES)
def test_every_english_text_has_a_german_one_with_the_same_fields(place: str) -> None:
    english, german = PLACES[place]._each["en"], PLACES[place]._each["de"]
    for field in fields(english):
        ours, theirs = flat(getattr(english, field.name)), flat(getattr(german, field.name))
        if place == "PRESETS":
            continue
        assert len(ours) == len(theirs), field.name
        for one, other in zip(ours, theirs, strict=True):
            assert holes(one) == holes(other), (field.name, one, other)
            assert one != other or one in ALIKE, (field.name, one)
            assert other.strip() and other.count("„") == other.count("“"), (field.name, other)


def test_every_look_and_camera_move_of_ours_has_a_german_name(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        ours = {style.id for style in (*engine.presets.looks(), *engine.presets.cameras())}
    assert ours == set(PLACES["PRESETS"]._each["de"].names)


def test_numbers_and_times_are_written_as_the_language_does() -> None:
    SPOKEN.set("de")
    try:
        said = [formatting.duration(0.44), formatting.gigabytes(1.5), formatting.span(1, 3),
                formatting.listed(["a", "b"]), formatting.moment("2026-03-01T12:00:00")]  # fmt: skip
    finally:
        SPOKEN.set("en")
    assert said[:4] == ["0,4 s", "1,5 GB", "1 bis 3 s", "„a“ oder „b“"]
    assert said[4].startswith("1. März 2026, ")


def test_amounts_in_what_the_engine_says_are_written_as_german_does_and_versions_are_not() -> None:
    assert _german("The last 2.5 GB of 13.25 GB for Wan 2.1, torch 2.13.0") == \
        "The last 2,5 GB of 13,25 GB for Wan 2.1, torch 2.13.0"  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "chosen", "spoken"),
    [("de-DE,de;q=0.9,en;q=0.8", "", "de"), ("en-US,en", "", "en"), ("fr,de;q=0.5", "", "de"), ("", "", "en"),
     ("de", "en", "en"), ("en", "de", "de"), ("de", "klingon", "de"), ("../../de", "", "en"), ("x" * 9000, "", "en")],
)  # fmt: skip
def test_the_page_speaks_what_was_chosen_else_what_the_browser_asks_for(
    tmp_path: Path, asked: str, chosen: str, spoken: str
) -> None:
    with Engine(tmp_path) as engine:
        choose(engine, chosen)
        assert wanted(engine, {"headers": [(b"accept-language", asked.encode())]}) == spoken


# ---- what the engine says ----

FILLS = ("7", "8-bit weights (int8)", "torch's own choice for each call", "is made for 7", "7 instead of 7")
MODULES = [path.relative_to(APP / "engine") for path in sorted((APP / "engine").rglob("*.py"))]


def said_in(module: Path) -> set[str]:
    """Every whole sentence that a module can say, "{}" for what it fills in. Docstrings are for its readers."""
    tree = ast.parse((APP / "engine" / module).read_text(encoding="utf-8"))
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    notes |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    texts = {template(node).strip() for node in ast.walk(tree) if isinstance(node, ast.expr) and id(node) not in notes}
    return {text for text in texts if re.search(r"[a-z]{2}.* .*\.$", text)}


def template(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
    return ""


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_sentence_of_the_engine_has_its_german(module: Path) -> None:
    """Why a plan is as it is, and what went wrong, wherever in the engine it is said."""
    missing = {text for text in said_in(module) if text not in KNOWN}
    assert sorted(text for text in missing if not any(in_german(text.replace("{}", fill)) for fill in FILLS)) == []


def test_every_german_sentence_fills_in_what_the_english_does() -> None:
    for english, german in KNOWN.items():
        places = [str(number) for number in range(english.count("{}"))]
        found = sorted(name or places[at] for at, name in enumerate(
            name for _, name, _, _ in string.Formatter().parse(german) if name is not None))  # fmt: skip
        assert set(found) <= set(places) and (len(found) == len(places) or found == []), english


def test_why_a_plan_is_as_it_is_is_said_in_german_on_every_kind_of_machine(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        for row in engine.planning.table(everywhere=True)[::7]:
            for reason in row.reasons:
                for sentence in BETWEEN.split(reason):
                    assert _german(sentence) != sentence, sentence


@pytest.mark.parametrize(("own", "here", "traced"), [(1, 1, True), (3, 3, True), (0, 2, True), (0, 0, False)])
def test_what_a_forecast_rests_on_is_said_in_german(card: ModelCard, own: int, here: int, traced: bool) -> None:
    facts = card.model_copy(update={} if traced else {"traced": None})
    for measured in (None, Measured()):
        device = Device(id="cpu", kind="cpu", name="a CPU", measured=measured)
        assert in_german(forecast._basis(facts, device, own, here))


def test_every_sentence_of_a_card_a_tier_and_a_recommendation_has_its_german(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        said = [text for card in engine.models.cards() for text in (
            card.summary, card.good_at, card.prompt.style, card.not_yet or "", card.sigma.kept, card.licence.line,
            card.faster.measured if card.faster else "", card.licence.conditions, *card.licence.excluded)]  # fmt: skip
        said += [text for tier in engine.machine.tiers() for text in (tier.name, tier.summary)]
        kinds = machines(engine.places.machines).values()
        said += [text for machine in kinds for pick in recommend(lambda asked, _, m=machine: engine.plan(asked, m),
                 engine.models.cards()) for text in (pick.what_for, pick.why, pick.licence)]  # fmt: skip
    names = {"24 GB", "Apple"}
    assert sorted({text for text in said if text and text not in names and not in_german(text)}) == []


def test_what_would_fit_instead_is_said_in_german(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        said = {one.text for machine in [*machines(engine.places.machines).values()][::3]
                for model in ("wan2.2-t2v-a14b", "ltx-2", "mochi-1-preview") if any(card.id == model for card in
                engine.models.cards())
                for one in engine.planning.instead(Request(prompt="a ball", model=model), machine)}  # fmt: skip
    assert len(said) > 5
    assert sorted(text for text in said if not in_german(text)) == []


def in_german(text: str) -> bool:
    return bool(_sentence(text)) or all(map(_sentence, BETWEEN.split(text)))


@pytest.mark.parametrize("module", ["diagnostics", "machine/nvidia", "machine/hardware", "install/model_location"])
def test_what_is_found_and_advised_has_its_german(module: str) -> None:
    """Whatever becomes a finding, a note, a suggestion or a refusal there: each text with a full sentence in it."""
    tree = ast.parse((APP / "engine" / f"{module}.py").read_text(encoding="utf-8"))
    for node in [node for node in ast.walk(tree) if isinstance(node, ast.Call)]:
        texts = [part for part in (*node.args, *(word.value for word in node.keywords if word.arg in SAID))
                 if getattr(node.func, "id", getattr(node.func, "attr", "")) in SAYING]  # fmt: skip
        for text in filter(None, map(template, texts)):
            plain = text.replace("{}", "7")
            assert text in KNOWN or in_german(plain) or " " not in plain, text


def test_what_is_done_when_memory_runs_out_and_why_a_card_was_slow_is_said_in_german() -> None:
    said = [*memory_fallback.CHANGES.values(), memory_fallback.FRESH, memory_fallback.ROOM]
    said += [f"It can go on like this: {memory_fallback.CHANGES['fp8']}"]
    said += [memory_fallback.reason(what, doing) for what in memory_fallback.NAMES for doing in memory_fallback.DOING]
    source = (APP / "engine" / "machine" / "symptoms.py").read_text(encoding="utf-8")
    calls = [node for node in ast.walk(ast.parse(source))
             if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Symptom"]  # fmt: skip
    said += [text for call in calls for text in map(template, call.args) if text]
    assert len(calls) == 5 and sorted(text for text in said if not in_german(text)) == []


SAID = ("finding", "remedy", "cause")
SAYING = {"Finding", "append", "BadFile", "InUse", "MachineProblem"}


def test_a_refusal_reaches_a_german_page_in_german() -> None:
    SPOKEN.set("de")
    try:
        html = problem(BadSetting("Starter takes no mask.", "Leave it out, or choose a model that does."))
    finally:
        SPOKEN.set("en")
    assert "Starter nimmt das nicht: Maske." in html and "Lass es weg" in html
