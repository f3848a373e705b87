"""Every screen for everybody: narrow windows, less motion, the keyboard, an app of its own. axe-core: `test_axe`."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import Served, open_page, show
from tests.ui.screens.conftest import SCREENS, WAIT_MS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("width", [390, 1920])
def test_every_screen_can_be_reached_and_fits_its_window(tab: Page, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 844})
    for screen in SCREENS:
        show(tab, screen)
        tab.wait_for_timeout(400)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, screen


def test_who_asked_for_less_motion_gets_none(browser: Browser, studio: Served) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    open_page(page, studio)
    parts = '<div class="blank running"></div><div class="bar"><i></i></div>'  # as while something is made
    page.evaluate("parts => document.querySelector('#strip').insertAdjacentHTML('beforeend', parts)", parts)
    for moving in (".blank.running", "#strip .bar i"):
        assert page.eval_on_selector(moving, "part => getComputedStyle(part).animationName") == "none"
    show(page, "Library")
    page.locator("#shelf video").first.wait_for()
    assert page.evaluate("[...document.querySelectorAll('video')].every((video) => video.paused)")
    context.close()


def test_the_stopwatch_that_gradio_runs_in_each_panel_is_neither_seen_nor_heard(tab: Page) -> None:
    tab.evaluate(
        """() => { window.told = []; const tracker = document.querySelector('#outlook [data-testid=status-tracker]');
        new MutationObserver(() => told.push([tracker.textContent.trim(), tracker.innerText.trim()])).observe(
            tracker, { subtree: true, childList: true, characterData: true }); }"""
    )
    tab.get_by_label("What should be seen?").fill("a red ball")
    tab.wait_for_function("told.some(([text]) => text)")
    assert all(not heard for _, heard in tab.evaluate("told"))


def test_the_whole_first_screen_is_worked_with_the_keyboard_alone(tab: Page) -> None:
    reached = []
    for _ in range(60):
        tab.keyboard.press("Tab")
        reached.append(
            tab.evaluate(
                "document.activeElement.innerText || document.activeElement.ariaLabel || "
                "document.activeElement.labels?.[0]?.innerText || document.activeElement.id"
            )
        )
    for name in ("Create", "Red ball", "Choose another model", "Square", "Preview", "Expert"):
        assert any(name in (text or "") for text in reached), (name, reached)
    expect(tab.get_by_role("listbox")).to_have_count(0)  # no list of choices stays open behind who went on


def test_the_page_can_be_installed_as_an_app(tab: Page) -> None:
    link = tab.locator("link[rel=manifest]").get_attribute("href")
    manifest = tab.evaluate("async (link) => (await fetch(link)).json()", link)
    assert manifest["name"] == "Rushes" and manifest["display"] == "standalone"
    assert tab.evaluate("async (icon) => (await fetch(icon)).ok", manifest["icons"][0]["src"])


def test_a_german_browser_gets_the_page_in_german_and_another_language_can_be_chosen(
    browser: Browser, studio: Served
) -> None:
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    open_page(page, studio)
    expect(page.get_by_label("Was soll zu sehen sein?")).to_be_visible()
    expect(page.locator("#outlook .times")).to_contain_text("Entwürfe brauchen zusammen etwa")
    show(page, "Archiv")
    expect(page.locator("#shelf article").first).to_contain_text("Entwurf")
    show(page, "Rechner")
    page.get_by_role("radio", name="English").check(force=True)
    expect(page.get_by_role("tab", name="My machine")).to_be_visible(timeout=WAIT_MS)
    show(page, "My machine")
    page.get_by_role("radio", name="As the browser").check(force=True)
    expect(page.get_by_role("tab", name="Rechner")).to_be_visible(timeout=WAIT_MS)
    context.close()
