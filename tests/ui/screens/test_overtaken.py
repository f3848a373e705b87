"""A form that is drawn slowly, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.slow_page import SECONDS
from tests.ui.conftest import Served
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
