"""Looks, camera moves and saved settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import RED_BALL, hand_over, say
from tests.ui.screens.conftest import WAIT_MS

pytestmark = pytest.mark.slow


def test_settings_are_saved_used_exported_taken_in_and_deleted(tab: Page, tmp_path: Path) -> None:
    say(tab, RED_BALL, 1)
    tab.locator("#saved > button").click()
    tab.get_by_label("Name", exact=True).fill("My ball")
    tab.get_by_role("button", name="Save", exact=True).click()
    row = tab.locator("[data-preset=my-ball]")
    expect(row).to_be_visible(timeout=WAIT_MS)
    with tab.expect_download() as download:
        row.get_by_role("link", name="Export").click()
    text = Path(download.value.path()).read_text()
    row.get_by_role("button", name="Delete these settings").click()
    expect(row).to_have_count(0, timeout=WAIT_MS)
    (tmp_path / "broken.toml").write_text(text.replace("aspect = ", "aspekt = "))
    hand_over(tab.locator("#saved input[type=file]"), tmp_path / "broken.toml")
    expect(tab.locator("#notice .problem")).to_contain_text("aspekt", timeout=WAIT_MS)
    expect(tab.locator("#notice .problem")).to_contain_text("broken.toml")  # by its name, with a way to another one
    (tmp_path / "friend.toml").write_text(text)
    with tab.expect_file_chooser() as chooser:
        tab.locator("#notice").get_by_role("button", name="Choose another file").click()
    chooser.value.set_files(tmp_path / "friend.toml")
    expect(row).to_be_visible(timeout=WAIT_MS)
    tab.get_by_label("What should be seen?").fill("something else")
    row.get_by_role("button", name="Use").click()
    expect(tab.get_by_label("What should be seen?")).to_have_value(RED_BALL, timeout=WAIT_MS)


def test_a_look_is_changed_kept_used_exported_deleted_and_taken_in_again(tab: Page, tmp_path: Path) -> None:
    tab.locator("#own-styles > button").click()
    drawer = tab.locator("#own-styles")
    drawer.get_by_role("button", name="Keep", exact=True).click()
    expect(tab.locator("#notice .problem")).to_contain_text("No look or camera move is chosen", timeout=WAIT_MS)
    tab.get_by_label("Begin with").click()
    tab.get_by_role("option", name="Look: Night").first.click()
    words = tab.get_by_label("What it adds to the prompt")
    expect(words).not_to_have_value("", timeout=WAIT_MS)
    words.fill("at night, dark")
    tab.get_by_label("Begin with").click()
    words.click()  # the list was looked at again and left
    tab.wait_for_timeout(1000)
    expect(words).to_have_value("at night, dark")
    tab.get_by_label("Name of the look or camera move").fill("My night")
    drawer.get_by_role("button", name="Keep", exact=True).click()
    expect(tab.locator("#notice")).to_contain_text("“My night” is kept and chosen.", timeout=WAIT_MS)
    expect(tab.get_by_label("Look", exact=True)).to_have_value("My night")
    with tab.expect_download() as download:
        drawer.get_by_role("link", name="Export").click()
    text = Path(download.value.path()).read_text()
    assert 'words = "at night, dark"' in text and 'kind = "look"' in text
    drawer.get_by_role("button", name="Delete this one").click()
    expect(tab.locator("#notice")).to_contain_text("deleted", timeout=WAIT_MS)
    expect(tab.get_by_label("Look", exact=True)).to_have_value("None")
    tab.locator("#saved > button").click()
    (tmp_path / "friend.toml").write_text(text)
    hand_over(tab.locator("#saved input[type=file]"), tmp_path / "friend.toml")
    expect(tab.locator("#notice")).to_contain_text("“My night” is now among your looks", timeout=WAIT_MS)
    tab.get_by_label("Look", exact=True).click()
    expect(tab.get_by_role("option", name="My night")).to_be_visible(timeout=WAIT_MS)
