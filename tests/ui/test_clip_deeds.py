"""What can be done with a finished clip, in a real browser over a clip that was really made."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine import Engine, Finished, Request
from tests.ui.conftest import RED_BALL, Served

pytestmark = pytest.mark.slow
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A studio with one take and its render, and a paused queue; its file manager writes down what it is told."""
    home = tmp_path_factory.mktemp("home")
    with Engine(home) as engine:
        engine.start()
        (take,) = engine.make_takes(Request(prompt=RED_BALL, seed=7))
        assert isinstance([*engine.watch(take.id)][-1], Finished)
        assert isinstance([*engine.watch(engine.render(take.id).id)][-1], Finished)
        engine.queue.pause(True)
    files = home / "bin" / "xdg-open"
    files.parent.mkdir()
    files.write_text(f'#!/bin/sh\necho "$1" > {home}/shown\n')
    files.chmod(files.stat().st_mode | stat.S_IXUSR)
    served = Served(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(files.parent), prepend=":")
        served.start()
    yield served
    served.stop()


@pytest.fixture
def tab(tab: Page) -> Page:
    """With the clip in sight, and a clipboard."""
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(tab.locator("#result video.loop").first).to_be_visible(timeout=WAIT_MS)
    return tab


def deed(tab: Page, name: str) -> None:
    tab.locator("#result .deeds summary").click()
    tab.locator("#result .deeds").get_by_role("button", name=name).click()


def test_use_as_start_makes_its_last_picture_the_first_of_the_next_shot(tab: Page) -> None:
    tab.locator("#result").get_by_role("button", name="Use as start").click()
    expect(tab.locator("#notice .problem")).to_contain_text("Starter takes no picture", timeout=WAIT_MS)
    tab.locator("#notice").get_by_role("button", name="Choose a model").click()
    expect(tab.get_by_role("tab", name="Models")).to_have_attribute("aria-selected", "true", timeout=WAIT_MS)
    tab.get_by_role("tab", name="Create").click()
    tab.locator("#picker summary").click()
    tab.locator("#picker .option", has_text="Wan 2.2 TI2V 5B").first.click()
    expect(tab.locator("[data-slot=image] img")).to_be_visible(timeout=WAIT_MS)


def test_settings_are_kept_under_the_words_of_the_prompt(tab: Page, studio: Served) -> None:
    deed(tab, "Save settings")
    expect(tab.locator("#notice .said")).to_contain_text("Saved as", timeout=WAIT_MS)
    (file,) = (studio.home / "presets" / "requests").glob("*.toml")
    assert RED_BALL in file.read_text()


def test_show_in_folder_opens_the_folder_of_the_clip(tab: Page, studio: Served) -> None:
    deed(tab, "Show in folder")
    for _ in range(100):
        if (studio.home / "shown").is_file() and (studio.home / "shown").stat().st_size:
            break
        tab.wait_for_timeout(100)
    assert Path((studio.home / "shown").read_text().strip()) == studio.home / "clips"


def test_copy_recipe_puts_the_whole_recipe_on_the_clipboard(tab: Page) -> None:
    deed(tab, "Copy recipe")
    expect(tab.locator("#result .deeds")).to_contain_text("Copied", timeout=WAIT_MS)
    recipe = json.loads(tab.evaluate("navigator.clipboard.readText()"))
    assert recipe["kind"] == "render" and recipe["plan"]["seed"] == 7


def test_a_clip_and_its_take_move_in_step(tab: Page) -> None:
    tab.locator("#result .compare summary").click()
    tab.wait_for_function(
        "() => { const [a, b] = document.querySelectorAll('#result .compare video');"
        " return a.currentTime > 0.2 && !a.paused && !b.paused && Math.abs(a.currentTime - b.currentTime) < 0.15 }",
        timeout=WAIT_MS,
    )
    tab.evaluate("document.querySelector('#result .compare video').pause()")
    tab.wait_for_function("() => document.querySelectorAll('#result .compare video')[1].paused")


def test_vary_queues_new_takes_of_the_same_shot(tab: Page, studio: Served) -> None:
    tab.get_by_label("number input for Takes").fill("2")
    tab.get_by_label("number input for Takes").press("Tab")
    tab.locator("#result").get_by_role("button", name="Vary").click()
    expect(tab.locator("#strip .queue b")).to_have_text("2", timeout=WAIT_MS)
    tab.locator("#result .earlier summary").first.click()  # the clip that was varied stays in reach
    expect(tab.locator("#result .earlier video").first).to_be_visible()
    tab.locator("#strip .queue summary").click()
    tab.get_by_role("button", name="Clear the queue").click()
    expect(tab.locator("#strip .queue")).to_have_count(0, timeout=WAIT_MS)
