"""What the form brings beside its words: every role a model takes has its place, and nothing foreign gets in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Beginning, Engine, LoraUse, Request
from tests.ui.test_page_text import NASTY, assert_harmless
from ui.page.model import attachments
from ui.page.screens.form.lora_inputs import loras
from ui.page.screens.form.media_inputs import slots

ID, OTHER = "0" * 32, "1" * 32
EVERYTHING = Request(
    prompt="",
    pictures={"image": ID, "last_image": ID},
    references=(ID, OTHER),
    keyframes={24: ID},
    videos={"video": ID, "control_video": ID, "face_video": ID, "mask": ID},
    loras=(LoraUse(id=ID, strength=0.5, name="style"),),
    extends=Beginning(kind="clip", id="20260101-a"),
    strength=0.5,
    fit="pad",
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path) as engine:
        yield engine


def test_the_browser_gives_back_what_it_was_given_and_nothing_else() -> None:
    assert attachments.read(attachments.written(EVERYTHING)) == EVERYTHING
    assert (
        attachments.read(attachments.written(EVERYTHING.model_copy(update={"prompt": "a ball", "seed": 7})))
        == EVERYTHING
    )


@pytest.mark.parametrize(
    "text",
    [None, "", "[]", "{", '{"pictures": {"image": "../../etc/passwd"}}', '{"prompt": "", "videos": {"film": "x"}}',
     '{"prompt": "", "extends": {"kind": "clip", "id": "../x"}}', '{"prompt": "", "more": 1}', "9" * 5000],
)  # fmt: skip
def test_what_is_not_ours_is_nothing(text: str | None) -> None:
    assert attachments.read(text) == attachments.NOTHING


def test_every_model_has_a_place_for_all_it_takes_and_is_asked_for_nothing_else(engine: Engine) -> None:
    for card in engine.models.cards():
        html = slots(card, attachments.NOTHING, "#ffffff")
        assert [f'data-slot="{role}"' in html for role in attachments.ROLES] == [
            role in card.inputs for role in attachments.ROLES
        ]
        if not card.not_yet:
            asked = EVERYTHING.model_copy(update={"prompt": "a ball", "model": card.id, "loras": (), "extends": None})
            brought = asked.model_copy(update={**attachments.fields(asked, card), "loras": (), "pictures": {}})
            engine.plan(attachments.filled_in(brought.model_copy(update={"keyframes": {}}), card))


@pytest.mark.parametrize("role", attachments.ROLES)
def test_what_was_brought_can_be_taken_away_again(role: str) -> None:
    brought = attachments.with_media(attachments.NOTHING, role, ID, is_video=role.endswith(("video", "mask")), frame=12)
    assert brought.given == (role,)
    assert (
        attachments.without(brought, role, {"references": ID, "keyframes": "12"}.get(role, "")) == attachments.NOTHING
    )


def test_a_mask_is_a_picture_or_a_video_but_never_both() -> None:
    moving = attachments.with_media(attachments.with_media(attachments.NOTHING, "mask", ID, False), "mask", OTHER, True)
    assert (moving.pictures, moving.videos) == ({}, {"mask": OTHER})


@pytest.mark.parametrize(("second", "frames"), [("2.5", [60]), ("nan", [24]), ("1e400", [24]), ("soon", [24])])
def test_a_picture_in_between_moves_to_a_time_that_is_one(second: str, frames: list[int]) -> None:
    brought = attachments.changed(attachments.NOTHING, keyframes={24: ID})
    assert list(attachments.moved(brought, "24", second, 24).keyframes) == frames


@pytest.mark.parametrize("changes", [{"strength": "much"}, {"fit": "stretch"}, {"loras": [{"id": "x"}]}])
def test_a_change_that_makes_no_sense_changes_nothing(changes: dict[str, object]) -> None:
    assert attachments.changed(EVERYTHING, **changes) == EVERYTHING


def test_what_has_left_the_computer_leaves_the_form(engine: Engine) -> None:
    engine.places.media.mkdir(exist_ok=True)
    (engine.places.media / f"{ID}.png").write_bytes(b"")
    here = attachments.present(engine, EVERYTHING)
    assert here.references == (ID,) and here.pictures == EVERYTHING.pictures and here.loras == ()


def test_hostile_names_in_what_is_brought_stay_text(engine: Engine) -> None:
    nasty = EVERYTHING.model_copy(update={"loras": (LoraUse(id=ID, name=NASTY[:120]),)})
    assert_harmless(loras(engine, engine.models.card("starter"), nasty))
