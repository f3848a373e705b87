"""What is said in every language: nothing is missing, a person's own names stay, numbers are as usual."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from pydantic import TypeAdapter, ValidationError

from engine import BadSetting, Engine, Failed, Message, ModelCard, Request
from engine.planning import memory_fallback
from engine.planning.recommendations import recommend
from engine.schema.events import Event
from engine.storage.catalog import machines
from tests.ui.test_commands import command
from ui import amounts, locale, texts
from ui.locale import SPOKEN, languages, say, shown
from ui.locale.__main__ import extracted, strings
from ui.page.components import formatting
from ui.page.components.error import problem
from ui.page.middleware.language import choose, wanted

PLACES = {name: place for name, place in vars(texts).items() if isinstance(place, locale._Spoken)}
ALIKE = {"Rushes", "Name", "Clips", "Clip", "Clip: {prompt}", "Seed", "Seed {seed}", "Guidance", "System", "LoRAs",
         "s", "min", "h", "Standard", "24 GB", "Apple", "Anime", "Film noir", "video", "Video",
         "{program} ({vram_gb:.1f} GB)"}  # fmt: skip
OTHERS = [language for language in languages() if language != "en"]


@pytest.fixture
def german() -> Iterator[None]:
    token = SPOKEN.set("de")
    yield
    SPOKEN.reset(token)


@pytest.fixture(scope="module")
def english() -> Catalog:
    return extracted()


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=None if path.suffix == ".pot" else path.stem)


def keys(catalogue: Catalog) -> set[Any]:
    return {(message.context, message.id) for message in catalogue if message.id}


def holes(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


# ---- the catalogues ----


@pytest.mark.parametrize("name", ["messages.pot", *(f"{language}.po" for language in OTHERS)])
def test_a_catalogue_has_what_is_said_and_nothing_else(name: str, english: Catalog) -> None:
    """Else run `python -m ui.locale` and translate what it lists."""
    ours = read(locale.FOLDER / name)
    assert keys(ours) == keys(english)
    assert not ours.obsolete and not any(message.fuzzy for message in ours if message.id)


@pytest.mark.parametrize("language", OTHERS)
def test_everything_is_translated_with_the_same_parameters(language: str) -> None:
    for message in read(locale.FOLDER / f"{language}.po"):
        if not message.id:
            continue
        said = strings(message.id)
        for translation in strings(message.string):
            assert translation.strip(), message.id
            assert holes(translation) == holes(said[-1]) or holes(translation) == holes(said[0]), message.id
            assert translation.count("„") == translation.count("“"), translation
            assert translation != said[0] or said[0] in ALIKE or not message.context, said


def test_what_is_said_is_a_template_in_the_code() -> None:
    """A message that is put together at run time could not be found by whoever translates it."""
    for path in sorted((locale.FOLDER.parents[1] / "engine").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"\bMessage\(\s*f[\"']|\bplural\(\s*f[\"']", source), path


def test_a_card_brings_its_own_translation(tmp_path: Path, card: ModelCard, german: None) -> None:
    ours = card.but(summary="Draws nothing but herons.", translations={"de": {"Draws nothing but herons.": "Reiher."}})
    locale.learn([ours])
    try:
        assert locale.known(ours.summary) == "Reiher."
        assert say(Message.known(ours.summary)) == "Reiher."
    finally:
        locale._OF_CARDS.clear()
        locale.catalogue.cache_clear()


@pytest.fixture
def pseudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, english: Catalog) -> Iterator[str]:
    """A third language, of one file: every text between brackets."""
    third = Catalog(locale="eo")
    for message in english:
        if message.id:
            wrapped = tuple(f"⟦{text}⟧" for text in strings(message.id))
            third.add(message.id, wrapped if len(wrapped) > 1 else wrapped[0], context=message.context)
    with (tmp_path / "eo.po").open("wb") as file:
        write_po(file, third)
    monkeypatch.setattr(locale, "FOLDER", tmp_path)
    for place in PLACES.values():
        monkeypatch.setattr(place, "_said", {})
    caches = (locale.languages, locale.catalogue)
    for cache in caches:
        cache.cache_clear()
    token = SPOKEN.set("eo")
    yield "eo"
    SPOKEN.reset(token)
    for cache in caches:
        cache.cache_clear()


def test_a_third_language_is_one_file(pseudo: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert languages() == {"en": "English", "eo": "Esperanto"}
    for place in PLACES.values():
        for field in fields(place.english):
            value = getattr(place, field.name)
            each = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else [value]
            assert all(text == "" or text.startswith("⟦") for text in each), (place.context, field.name)
    with Engine(tmp_path_factory.mktemp("home")) as engine:
        assert wanted(engine, {"headers": [(b"accept-language", b"eo,en;q=0.5")]}) == pseudo
        with pytest.raises(BadSetting) as refusal:
            engine.plan(Request(prompt="a ball", num_frames=100_000))
        assert say(refusal.value.cause).startswith("⟦Starter cannot make") and "⟦" in say(refusal.value.remedy)
        for row in engine.planning.table(everywhere=True)[::5]:
            assert all("⟦" in say(reason) for reason in row.reasons)


# ---- what the engine says ----


def test_why_a_plan_is_as_it_is_is_said_in_german_on_every_kind_of_machine(tmp_path: Path, german: None) -> None:
    with Engine(tmp_path) as engine:
        rows = engine.planning.table(everywhere=True)
    for reason in {reason for row in rows for reason in (*row.reasons, *([row.basis] if row.basis else []))}:
        assert say(reason) != reason and reason.id != "{text}"


def test_what_would_fit_instead_and_what_to_install_is_said_in_german(tmp_path: Path, german: None) -> None:
    with Engine(tmp_path) as engine:
        kinds, cards = machines(engine.places.machines), engine.models.cards()
        picks = [pick for machine in kinds.values() for pick in recommend(
            lambda asked, _, m=machine: engine.plan(asked, m), cards)]  # type: ignore[misc]  # fmt: skip
        found = [one.text for machine in [*kinds.values()][::3] for model in ("wan2.2-t2v-a14b", "ltx-2")
                 for one in engine.planning.instead(Request(prompt="a ball", model=model), machine)]  # fmt: skip
    assert len(found) > 3 and len(picks) > 5
    for text in (*found, *(part for pick in picks for part in (pick.what_for, pick.why, pick.licence))):
        assert say(text) != text


def test_what_is_done_when_memory_runs_out_is_said_in_german(german: None) -> None:
    said = [*memory_fallback.CHANGES.values(), memory_fallback.FRESH, memory_fallback.ROOM]
    said += [memory_fallback.reason(what, doing) for what in memory_fallback.NAMES for doing in memory_fallback.DOING]
    assert [text for text in said if say(text) == text] == []


def test_a_refusal_reaches_a_german_page_in_german(german: None) -> None:
    refusal = BadSetting(
        Message("{model} takes no {names}.", model="Starter", names=Message("mask")),
        Message("Leave it out, or choose a model that does."),
    )
    html = problem(refusal)
    assert "Starter nimmt das nicht: Maske." in html and "Lass es weg" in html


@pytest.mark.parametrize("name", ["Draft", "video", "It ends. Here it goes on.", "{seed}", "take", "“", "a.b"])
def test_a_persons_own_name_is_never_translated(name: str, german: None) -> None:
    told = say(Message("The LoRA '{guide}' is not on this computer.", guide=name))
    assert told == f"Die LoRA „{name}“ ist nicht auf diesem Rechner."


def test_one_and_several_are_told_apart(german: None) -> None:
    one, several = "from {count} run on this machine", "from {count} runs on this machine"
    assert [str(Message.plural(one, several, count=count)) for count in (1, 2)] == [
        "from 1 run on this machine",
        "from 2 runs on this machine",
    ]
    assert say(Message.plural(one, several, count=1)) == "aus 1 Lauf auf diesem Rechner"
    assert say(Message.plural(one, several, count=2)) == "aus 2 Läufen auf diesem Rechner"


# ---- how it is stored and answered ----

EVENT: TypeAdapter[Any] = TypeAdapter(Event)


def test_what_is_stored_is_the_template_and_its_parameters() -> None:
    cause = Message("{words} is not installed.", words=Message("the flash kernels"))
    failed = Failed(cause=cause, remedy=Message("Update Rushes."))
    stored = json.loads(failed.model_dump_json())
    assert stored["cause"] == {
        "id": "{words} is not installed.",
        "params": {"words": {"id": "the flash kernels", "params": {}}},
    }
    again = EVENT.validate_python(stored)
    assert again == failed and again.cause.id == failed.cause.id


def test_a_record_of_an_older_version_shows_as_its_text(german: None) -> None:
    old = EVENT.validate_json('{"kind": "failed", "cause": "The disk {is} full.", "remedy": "Free some. Then go on."}')
    assert (say(old.cause), say(old.remedy)) == ("The disk {is} full.", "Free some. Then go on.")


@pytest.mark.parametrize(
    "stored",
    [
        {"id": "{a.__class__}", "params": {"a": "x"}},
        {"id": "{a[0]}", "params": {"a": "x"}},
        {"id": "{a:9999999999}", "params": {"a": "x"}},
        {"id": "{a:{a}}", "params": {"a": "9999999999"}},
        {"id": "{b}", "params": {"a": "x"}},
        {"id": "{", "params": {}},
        {"id": "{a!x}", "params": {"a": "x"}},
        {"id": "x", "params": {"a": None}},
        {"id": "{a:.9f}", "params": {"a": "x"}},
        {"id": 7, "params": {}},
        7,
        None,
    ],
)
def test_a_template_of_a_stranger_fills_in_names_alone(stored: object) -> None:
    with pytest.raises(ValidationError):
        EVENT.validate_python({"kind": "failed", "cause": stored, "remedy": "x"})


def test_an_answer_has_the_text_in_the_language_that_is_spoken(german: None) -> None:
    answer = shown({"reasons": [Message("Leave it empty.")]})
    assert answer == {"reasons": [{"id": "Leave it empty.", "params": {}, "text": "Lass das Feld leer."}]}


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "Say in a sentence what should be seen."), ("de", "Sag in einem Satz, was zu sehen sein soll.")],
)
def test_json_of_a_command_speaks_the_language_that_was_asked_for(tiny_home: Path, language: str, text: str) -> None:
    done = command(tiny_home, "--lang", language, "plan", "", "--json")
    assert done.returncode == 2 and json.loads(done.stdout)["error"]["remedy"]["text"] == text


# ---- languages, numbers, times ----


def test_numbers_and_times_are_written_as_the_language_does(german: None) -> None:
    said = [amounts.duration(0.44), amounts.gigabytes(1.5), amounts.span(1, 3),
            formatting.listed(["a", "b"]), amounts.moment("2026-03-01T12:00:00")]  # fmt: skip
    assert said[:4] == ["0,4 s", "1,5 GB", "1 bis 3 s", "„a“ oder „b“"]
    assert said[4].startswith("1. März 2026, ")


def test_amounts_are_written_as_german_does_and_versions_are_not(german: None) -> None:
    assert say(Message("torch {build} is installed.", build="2.13.0")) == "torch 2.13.0 ist installiert."
    free = Message("{free:.1f} of {all:.1f} GB in {folder}", free=1.5, all=2.0, folder="3.5 GB")
    assert say(free) == "1,5 of 2,0 GB in 3.5 GB"


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
