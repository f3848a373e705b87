"""What a person has to see comes into view, and what was said leaves again."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import RED_BALL, say, show
from tests.ui.screens.conftest import WAIT_MS

pytestmark = pytest.mark.slow

PHONE = {"width": 390, "height": 844}


def test_on_a_phone_a_refusal_stays_in_view_and_what_was_asked_for_comes_into_view(tab: Page) -> None:
    tab.set_viewport_size(PHONE)  # type: ignore[arg-type]
    tab.get_by_role("button", name="Preview").click()
    expect(tab.locator("#refusal .problem")).to_be_in_viewport(timeout=WAIT_MS)
    tab.wait_for_timeout(500)
    expect(tab.locator("#refusal .problem")).to_be_in_viewport()
    say(tab, RED_BALL, 1)
    tab.get_by_role("button", name="Preview").click()
    expect(tab.locator("#strip .queue")).to_be_in_viewport(timeout=WAIT_MS)
    tab.locator("#strip .queue summary").click()
    tab.get_by_role("button", name="Clear the queue").click()
    expect(tab.locator("#strip .queue")).to_have_count(0, timeout=WAIT_MS)


def test_another_screen_is_seen_from_its_top(tab: Page) -> None:
    tab.set_viewport_size(PHONE)  # type: ignore[arg-type]
    show(tab, "Library")
    tab.locator("#shelf article").last.get_by_role("link", name="Download").scroll_into_view_if_needed()
    assert tab.evaluate("scrollY") > 0
    tab.evaluate("document.querySelector('#rooms [role=tab]').click()")  # as a button that leads there does
    tab.wait_for_function("scrollY === 0")


def test_what_an_install_costs_and_how_to_bring_a_model_on_a_disk_come_into_view(tab: Page) -> None:
    show(tab, "Models")
    tab.locator("#catalogue [data-model='wan2.1-t2v-1.3b']").get_by_role("button", name="Install").click()
    bring = tab.locator("#question .problem").get_by_role("button")  # the hub beside us does not have it
    expect(bring).to_be_in_viewport(timeout=WAIT_MS)
    bring.click()
    expect(tab.get_by_label("Folder of the model")).to_be_in_viewport(timeout=WAIT_MS)
    tab.get_by_role("button", name="Look in this folder").click()
    expect(tab.locator("#question .problem")).to_be_in_viewport(timeout=WAIT_MS)


def test_what_was_said_is_closed_or_leaves_by_itself(tab: Page) -> None:
    say(tab, RED_BALL, 1)
    tab.locator("#saved > button").click()
    for leaves in (tab.get_by_role("button", name="Close").click, lambda: tab.mouse.move(0, 0)):
        tab.get_by_label("Name", exact=True).fill("My ball")
        tab.get_by_role("button", name="Save", exact=True).click()
        expect(tab.locator("#notice .said")).to_be_visible(timeout=WAIT_MS)
        leaves()
        expect(tab.locator("#notice .said")).to_have_count(0, timeout=WAIT_MS)
