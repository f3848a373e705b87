"""Every error has one button, and it helps."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import RED_BALL, say
from tests.ui.screens.conftest import WAIT_MS

pytestmark = pytest.mark.slow


def test_an_empty_prompt_leads_to_the_prompt(tab: Page) -> None:
    tab.get_by_role("button", name="Preview").click()
    tab.locator("#refusal").get_by_role("button", name="Write a prompt").click()
    expect(tab.get_by_label("What should be seen?")).to_be_focused()


def test_an_impossible_setting_is_taken_back_with_one_button(tab: Page) -> None:
    say(tab, RED_BALL, 1, steps=900)
    tab.locator("#outlook").get_by_role("button", name="Use the recommended settings").click()
    expect(tab.get_by_label("Steps of a take")).to_have_value("", timeout=WAIT_MS)
    expect(tab.locator("#outlook .times")).to_be_visible()
    expect(tab.get_by_label("What should be seen?")).to_have_value(RED_BALL)
