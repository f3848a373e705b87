"""A form that is drawn slowly, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.slow_page import SECONDS
from tests.ui.conftest import Served, remembering, say
from tests.ui.screens.conftest import WAIT_MS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("home"), ("-m", "tests.slow_page"))
    served.start()
    yield served
    served.stop()


def test_a_model_that_was_chosen_while_the_form_was_drawn_stays_chosen(tab: Page) -> None:
    tab.locator("#picker summary").click()
    tab.locator("#picker .option", has_text="Wan 2.1 VACE 1.3B").first.click()
    expect(tab.locator("#about h2")).to_contain_text("VACE", timeout=WAIT_MS)
    tab.wait_for_timeout(1000 * SECONDS + 1000)  # what was on its way has come
    expect(tab.locator("#about h2")).to_contain_text("VACE", timeout=WAIT_MS)
    expect(tab.locator("#places [data-slot=video] input")).to_have_count(1)


def test_what_is_typed_while_the_kept_form_is_on_its_way_stays(tab: Page) -> None:
    prompt, takes = tab.get_by_label("What should be seen?"), tab.get_by_label("number input for Takes")
    with remembering(tab):
        say(tab, "a red ball", 5)
    tab.wait_for_timeout(500)  # each field is written down by itself
    held: list[Route] = []
    slow = True
    tab.route("**/gradio_api/run/**", lambda route: held.append(route) if slow else route.continue_())
    tab.reload()
    prompt.fill("a yellow star")
    expect(takes).to_have_value("3")  # the kept form has not come yet
    slow = False
    for route in held:
        route.continue_()
    expect(takes).to_have_value("5", timeout=WAIT_MS)
    expect(tab.locator("#outlook .times")).to_be_visible(timeout=WAIT_MS)
    expect(prompt).to_have_value("a yellow star")
    tab.reload()
    expect(prompt).to_have_value("a yellow star", timeout=WAIT_MS)
