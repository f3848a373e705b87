"""Every error is a cause and one button, and the button leads on. Without a browser: the page's own handlers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import gradio as gr
import pytest

from engine import (
    BadFile,
    BadPrompt,
    BadSetting,
    CardTest,
    Engine,
    Finding,
    HubProblem,
    InUse,
    MachineProblem,
    ModelGated,
    ModelProblem,
    Preset,
    Reading,
    RushesError,
    UnknownName,
    examine,
)
from engine.schema import Device
from ui.page import app
from ui.page.actions.dispatch import act
from ui.page.actions.registry import UnknownAction
from ui.page.components.error import fix_of, problem
from ui.page.layout import Click, Page
from ui.page.screens import machine

ROOMS = {BadFile: "create", UnknownName: "library", ModelProblem: "models", ModelGated: "models",
         MachineProblem: "models", InUse: "machine", RushesError: "machine"}  # fmt: skip


FINDINGS = [name for name in get_args(Finding.model_fields["name"].annotation) if name != "caches"]  # never wrong


@pytest.mark.parametrize("name", FINDINGS)
def test_whatever_the_doctor_finds_wrong_has_one_fix(name: str) -> None:
    wrong = Finding.model_validate({"name": name, "ok": False, "finding": "It is broken.", "remedy": "Mend it."})
    (item,) = re.findall("<li.*</li>", machine.doctor([wrong]))
    assert item.count("<button") + item.count("<a ") == 1


def test_weights_that_can_be_made_again_are_freed_with_one_button(engine: Engine, page: Page) -> None:
    kept = engine.places.caches / "starter" / "weights.safetensors"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"0" * 1000)
    assert 'data-act="tidy"' in machine.doctor(examine(engine, with_take=False))
    act(Click(engine, page, {part: getattr(part, "value", None) for part in page.asked}), "tidy", "")
    assert not kept.exists() and 'data-act="tidy"' not in machine.doctor(examine(engine, with_take=False))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("home")) as engine:
        yield engine


@pytest.fixture(scope="module")
def page(engine: Engine) -> Page:
    with gr.Blocks():
        return app._lay_out(engine, "")


def pressed(engine: Engine, page: Page, error: RushesError) -> dict[Any, Any]:
    """What the one button under an error changes, with the form as it is at first."""
    fix = fix_of(error)
    values = {part: getattr(part, "value", None) for part in page.asked}
    return act(Click(engine, page, values), fix.act, fix.name)


@pytest.mark.parametrize(
    "kind", [BadPrompt, BadSetting, BadFile, UnknownName, HubProblem, ModelProblem, ModelGated, MachineProblem, InUse]
)
def test_every_error_has_its_cause_its_remedy_and_one_button(kind: type[RushesError]) -> None:
    html = problem(kind("It broke.", "Mend it."))
    assert "It broke." in html and "Mend it." in html
    assert len(re.findall(r"<button", html)) == 1 and "data-act" in html


@pytest.mark.parametrize("kind", ROOMS)
def test_the_button_opens_the_screen_where_something_can_be_done(
    engine: Engine, page: Page, kind: type[RushesError]
) -> None:
    changed = pressed(engine, page, kind("It broke.", "Mend it."))
    assert changed[page.rooms].selected == ROOMS[kind]


def test_an_unreachable_hub_leads_to_bringing_the_model_on_a_disk(engine: Engine, page: Page) -> None:
    changed = pressed(engine, page, HubProblem("It broke.", "Mend it."))
    assert changed[page.rooms].selected == "models" and changed[page.models.offline].open


def test_a_setting_that_cannot_be_goes_back_to_what_is_recommended(engine: Engine, page: Page) -> None:
    changed = pressed(engine, page, BadSetting("It broke.", "Mend it."))
    assert changed[page.form.expert.take_steps] == "" and changed[page.form.refusal] == ""


def test_a_click_that_fails_becomes_a_notice_and_changes_nothing_else(engine: Engine, page: Page) -> None:
    values = {part: getattr(part, "value", None) for part in page.asked}
    changed = act(Click(engine, page, values), "render", "no-such-take")
    assert "no-such-take" in changed[page.stage.notice] and page.rooms not in changed


@pytest.mark.parametrize("what", ["", "delete", "choose", "settings", "preset-use", "keyframe", "lora-came", "fetch"])
@pytest.mark.parametrize("name", ["", "x", "clip/../../x", "take/x", ":", "\x00"])
def test_a_click_that_somebody_made_up_is_refused_or_changes_nothing(
    engine: Engine, page: Page, what: str, name: str
) -> None:
    values = {part: getattr(part, "value", None) for part in page.asked}
    before = sorted(path for path in engine.places.home.rglob("*") if "sqlite" not in path.name)
    try:
        act(Click(engine, page, values), what, name)
        assert what, "an action that there is not is a mistake, which is raised"
    except UnknownAction:
        assert not what
    except ValueError as error:
        pytest.fail(f"{what} {name!r}: {error}")
    assert sorted(path for path in engine.places.home.rglob("*") if "sqlite" not in path.name) == before


def test_a_card_is_said_to_work_once_its_test_came_to_its_end() -> None:
    device = Device(id="cuda:0", kind="cuda", name="<b>card</b>")
    test = CardTest(device=device, system="Linux", cpu_count=2, ram_gb=8)
    fine = Reading(part="placements", name="resident", ok=True, value=1.5, unit="s")
    wrong = fine.model_copy(update={"ok": False, "problem": "RuntimeError: <i>"})
    cases = (
        (fine, True, "everything that Rushes does with it works"),
        (fine, False, "the test was cut off"),
        (wrong, True, "goes wrong"),
    )
    for reading, done, words in cases:
        page = machine.card_test(test.model_copy(update={"readings": (reading,), "done": done}))
        assert words in page and "<b>" not in page and "<i>" not in page


@pytest.mark.parametrize(
    ("way", "button"),
    [("picture", "Choose a picture"), ("video", "Choose a video"), ("preset", "Choose another file"),
     ("lora", "Choose another file")],
)  # fmt: skip
def test_the_button_below_a_refused_file_follows_its_kind(engine: Engine, page: Page, way: str, button: str) -> None:
    click = Click(engine, page, {part: getattr(part, "value", None) for part in page.asked})
    told = json.dumps(["This file cannot be read.", "Choose another.", way])
    html = str(act(click, "refused", told)[page.stage.notice])
    assert button in html and html.count("<button") == 1


def test_a_broken_file_of_ones_own_is_mended_where_it_lies(engine: Engine) -> None:
    broken = engine.places.home / "presets" / "requests" / "mine.toml"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text("kind = ")
    with pytest.raises(BadFile) as refusal:
        engine.presets.get(Preset, "mine")
    broken.unlink()
    assert fix_of(refusal.value).act == "reveal"
