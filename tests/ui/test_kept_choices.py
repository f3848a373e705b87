"""What a person chose stays chosen, and what they look for is found. Without a browser: the page's own handlers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest

from engine import Engine
from tests.ui.conftest import TAKE, put_take
from ui.page import app
from ui.page.actions.dispatch import act
from ui.page.layout import Click, Page
from ui.page.model import search
from ui.page.model.model_entries import roster
from ui.page.screens.models.models import grid


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("home")) as engine:
        yield engine


@pytest.fixture(scope="module")
def page(engine: Engine) -> Page:
    with gr.Blocks():
        return app._lay_out(engine, "")


def click(engine: Engine, page: Page, **chosen: Any) -> Click:
    """A click with the form as it is at first, but for what is named."""
    values = {part: getattr(part, "value", None) for part in page.asked}
    return Click(engine, page, values | {getattr(page.form, name): value for name, value in chosen.items()})


# ---- the form ----


def test_another_model_keeps_quality_and_length_and_says_nothing(engine: Engine, page: Page) -> None:
    before = click(engine, page, model="wan2.1-t2v-1.3b", outcome="best", seconds=3.0)
    changed = act(before, "choose", "wan2.2-ti2v-5b")
    assert (changed[page.form.outcome], changed[page.form.seconds].value) == ("best", 3.0)
    assert changed[page.stage.notice] == ""


def test_another_model_that_cannot_do_all_of_it_says_what_is_otherwise_now(engine: Engine, page: Page) -> None:
    starter = engine.models.card("starter")
    cameras = [one for one in engine.presets.cameras() if not one.words_for(starter)]
    before = click(engine, page, model="wan2.1-t2v-1.3b", seconds=5.0, camera=cameras[0].id)
    changed = act(before, "choose", "starter")
    said = str(changed[page.stage.notice])
    assert f"so the length is {changed[page.form.seconds].value:.1f} s now" in said
    assert f"Starter cannot do “{cameras[0].name}”" in said and changed[page.form.camera].value == ""


def test_an_example_brings_its_own_words_and_no_camera_move_from_before(engine: Engine, page: Page) -> None:
    changed = act(click(engine, page, look="film", camera="orbit"), "starter", "0")
    assert changed[page.form.prompt] and changed[page.form.look] == changed[page.form.camera] == ""


# ---- what is looked for ----


@pytest.mark.parametrize("words", ["", "ball red", "BALL", "uber", "ÜBER", "  see  ball ", "cafe"])
def test_words_are_found_in_any_order_whatever_their_case_and_accents(words: str) -> None:
    assert search.matches(words, "A red ball", "über den See", "Café")


def test_every_word_must_be_there() -> None:
    assert not search.matches("red cube", "a red ball")


@pytest.mark.parametrize(
    ("words", "there", "not_there"),
    [
        ("animate photo", "wan2.1-i2v-14b-480p", "wan2.1-t2v-1.3b"),
        ("talking", "ltx-2", "wan2.1-t2v-1.3b"),
        ("with sound", "ltx-2.3", "mochi-1-preview"),
        ("dance", "wan2.1-vace-1.3b", "wan2.1-t2v-1.3b"),
    ],
)
def test_models_are_found_by_what_they_are_wanted_for(engine: Engine, words: str, there: str, not_there: str) -> None:
    html = str(grid(roster(engine), words))
    assert f'data-model="{there}"' in html and f'data-model="{not_there}"' not in html


def test_where_there_is_none_that_is_said_and_only_a_search_has_no_match(engine: Engine, page: Page) -> None:
    shelf = page.shelf

    def shown(**filters: Any) -> str:
        values = click(engine, page).values | {getattr(shelf, name): value for name, value in filters.items()}
        return str(shelf.filled(engine, values)[shelf.grid])

    assert "Nothing here yet" in shown() and "The trash is empty" in shown(kind="trash")
    put_take(engine, TAKE)
    assert "No clips yet" in shown(kind="clips") and "Nothing matches that" in shown(words="submarine")
