"""Looks, cameras and saved requests: what they add is said and repeated exactly; a file goes from friend to friend."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine import APP, Camera, Engine, Look, Preset, Recipe, Request, as_request
from engine.planning.planner import plan
from engine.schema import HardwareProfile
from engine.schema.card import ModelCard
from engine.schema.errors import BadFile, BadPrompt, BadSetting, UnknownName
from engine.storage.catalog import Catalog, Presets

CARDS = Catalog(APP / "presets" / "models").cards
OURS = Presets(APP / "presets", APP / "presets")
STYLES = [*OURS.all(Look), *OURS.all(Camera)]
PROMPT = "a fox runs through the snow"


def test_ours_are_all_readable_and_enough() -> None:
    assert not OURS.problems()
    assert len(OURS.all(Look)) >= 12 and len(OURS.all(Camera)) >= 10


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.id)
def test_ours_name_only_models_families_and_forbidden_phrases_that_exist(style: Look | Camera) -> None:
    assert style.models.keys() <= CARDS.keys()
    assert style.families.keys() <= {card.family for card in CARDS.values()}
    forbidden = " ".join(card.prompt.default_negative for card in CARDS.values()).casefold()
    assert all(phrase.casefold() in forbidden for phrase in style.allows)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.id)
def test_the_starter_is_told_only_words_it_knows(style: Look | Camera) -> None:
    starter = CARDS["starter"]
    assert bool(style.words_for(starter)) == ("starter" in style.models)
    assert not starter.prompt.unknown(style.words_for(starter))


def test_the_prompt_gets_the_look_then_the_camera_and_both_are_said(machine: HardwareProfile) -> None:
    request = Request(prompt=PROMPT, model="mochi-1-preview", look="film-noir", camera="orbit", seed=1)
    styles = [OURS.get(Look, "film-noir"), OURS.get(Camera, "orbit")]
    made = plan(request, CARDS[request.model], machine, styles=styles)
    assert made.prompt == f"{PROMPT}. {styles[0].words} {styles[1].words}"
    assert made.request.prompt == PROMPT
    for style in styles:
        assert any(style.name in reason and style.words in reason for reason in made.reasons)


def test_a_family_gets_its_own_words_and_a_model_its_own_before_them() -> None:
    camera = OURS.get(Camera, "dolly-in")
    told = {model: camera.words_for(CARDS[model]) for model in ("mochi-1-preview", "wan2.1-t2v-1.3b", "starter")}
    assert told["mochi-1-preview"] == camera.words
    assert told["wan2.1-t2v-1.3b"] == camera.families["wan"]
    assert told["starter"] == camera.models["starter"]


def test_what_a_model_cannot_do_is_said_and_adds_nothing(card: ModelCard, machine: HardwareProfile) -> None:
    noir = OURS.get(Look, "film-noir")
    made = plan(Request(prompt="a red ball", seed=1), card, machine, styles=[noir])
    assert made.prompt == "a red ball"
    assert any("Film noir changes nothing" in reason for reason in made.reasons)


def test_a_look_is_not_forbidden_by_the_models_own_negative_prompt(machine: HardwareProfile) -> None:
    wan = CARDS["wan2.1-t2v-1.3b"]
    painted = plan(Request(prompt=PROMPT, seed=1), wan, machine, styles=[OURS.get(Look, "watercolour")])
    assert "画作" in wan.prompt.default_negative and "画作" not in painted.negative_prompt
    assert "畸形的" in painted.negative_prompt
    assert any("画作" in reason for reason in painted.reasons)
    asked = Request(prompt=PROMPT, seed=1, negative_prompt="画作")
    assert plan(asked, wan, machine, styles=[OURS.get(Look, "watercolour")]).negative_prompt == "画作"


def test_a_recipe_repeats_its_words_whatever_became_of_its_look(tmp_path: Path) -> None:
    with Engine(tmp_path) as studio:
        words = {"words": "at night"}
        studio.presets.keep("Mine", studio.presets.get(Look, "night").model_copy(update={**words, "models": {}}))
        made = studio.plan(Request(prompt="a red ball over the sea", look="mine"))
        assert made.prompt == "a red ball over the sea. at night"
        studio.presets.delete(Look, "mine")
        recipe = Recipe(kind="take", id="a", plan=made, seconds=1, versions={}, created="2026-01-01T00:00:00Z")
        again = studio.plan(as_request(recipe))
    assert again.prompt == made.prompt and again.request.prompt == made.request.prompt


def test_the_word_list_covers_what_a_look_adds(tmp_path: Path) -> None:
    (tmp_path / "filter.txt").write_text("smoke\n")
    with Engine(tmp_path) as studio:
        studio.plan(Request(prompt=PROMPT, model="mochi-1-preview", look="golden-hour"))
        with pytest.raises(BadPrompt, match="smoke"):
            studio.plan(Request(prompt=PROMPT, model="mochi-1-preview", look="film-noir"))


def test_an_unknown_look_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with Engine(tmp_path) as studio, pytest.raises(UnknownName) as refusal:
        studio.plan(Request(prompt=PROMPT, look="nonesuch"))
    assert "film-noir" in refusal.value.remedy


def test_a_saved_request_comes_back_without_what_belongs_to_one_computer(tmp_path: Path) -> None:
    asked = Request(prompt="ein Fuchs, «schnell»\nim Schnee", look="night", seed=7, dial=0.25, device="cuda:3",
                    pictures={"image": "0" * 32})  # fmt: skip
    with Engine(tmp_path) as studio:
        saved = studio.presets.keep("Fuchs & Schnee", asked)
        (found,) = studio.presets.requests()
    assert found == saved and found.id == "fuchs-schnee"
    assert found.request == asked.model_copy(update={"device": None, "pictures": {}})


@pytest.mark.parametrize("name", ["Nacht: 1", "夜", "con", "COM1", "../../etc", "a" * 60])
def test_any_name_becomes_a_safe_file(name: str, tmp_path: Path) -> None:
    with Engine(tmp_path) as studio:
        saved = studio.presets.keep(name, Request(prompt=PROMPT))
        assert studio.presets.get(Preset, saved.id) == saved
    (file,) = (tmp_path / "presets" / "requests").iterdir()
    assert file.stem not in ("con", "com1") and file.name.isascii()


@pytest.mark.parametrize("name", ["", "a" * 61, "x\x00y", "x\ny", "<b>bold</b>", "\u202egnp.exe"])
def test_a_name_that_cannot_be_one_is_refused(name: str, tmp_path: Path) -> None:
    with Engine(tmp_path) as studio, pytest.raises(BadSetting, match="'name' is wrong"):
        studio.presets.keep(name, Request(prompt=PROMPT))
    assert not (tmp_path / "presets" / "requests").exists()


def test_a_preset_goes_from_friend_to_friend(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with Engine(tmp_path / "one") as one, Engine(tmp_path / "two") as two:
        mine = one.presets.keep(
            "My noir", one.presets.get(Look, "film-noir").model_copy(update={"words": "Noir, but mine."})
        )
        file = one.presets.export(Look, mine.id, out)
        assert two.presets.receive(file) == mine == two.presets.get(Look, "my-noir")
        assert two.presets.receive(file) == mine  # twice is no harm
        assert two.presets.is_own(mine) and not two.presets.is_own(two.presets.get(Look, "film-noir"))


def test_another_preset_of_the_same_name_is_not_replaced_by_a_friends(tmp_path: Path) -> None:
    file = Path(shutil.copyfile(APP / "presets" / "looks" / "film-noir.toml", tmp_path / "noir.toml"))
    file.write_text(file.read_text().replace("drifting smoke", "drifting fog"))
    with Engine(tmp_path / "home") as studio:
        before = studio.presets.get(Look, "film-noir")
        with pytest.raises(BadFile, match="another look called 'film-noir'"):
            studio.presets.receive(file)
        assert studio.presets.get(Look, "film-noir") == before
        assert studio.presets.receive(file, "Friend's noir").id == "friend-s-noir"


def test_an_own_look_replaces_ours_until_it_is_deleted(tmp_path: Path) -> None:
    with Engine(tmp_path) as studio:
        ours = studio.presets.get(Look, "night")
        studio.presets.keep("Night", ours.model_copy(update={"words": "Pitch dark."}))
        assert studio.presets.get(Look, "night").words == "Pitch dark."
        assert [look.id for look in studio.presets.looks()].count("night") == 1
        studio.presets.delete(Look, "night")
        assert studio.presets.get(Look, "night") == ours
        with pytest.raises(BadSetting, match="comes with Rushes"):
            studio.presets.delete(Look, "night")


def test_a_broken_file_is_named_and_hides_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "presets" / "looks"
    folder.mkdir(parents=True)
    (folder / "bad.toml").write_text('id = "bad"\nkind = "look"\nname = "Bad"\n')
    with Engine(tmp_path) as studio:
        assert "film-noir" in [look.id for look in studio.presets.looks()]
        (problem,) = studio.presets.problems()
        assert "bad.toml" in problem.cause and "'words'" in problem.cause
        studio.presets.delete(Look, "bad")
        assert not studio.presets.problems()
