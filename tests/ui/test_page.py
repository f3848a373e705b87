"""The page in a real headless Chromium, over the real server, engine, worker and starter weights: the journeys.

Slow machines pass too: waits are long, and what must be caught in the middle is asked for with many steps.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine import read_recipe
from tests.ui.conftest import PATIENCE_MS, RED_BALL, Served, idle, open_page, plays, say

pytestmark = pytest.mark.slow


def test_from_the_first_visit_to_a_finished_clip(page: Page) -> None:
    expect(page.locator("#stage .empty")).to_be_visible()
    say(page, RED_BALL, 2)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#strip .job")).to_be_visible(timeout=10_000)
    expect(page.locator("#sheet video")).to_have_count(2, timeout=PATIENCE_MS)
    plays(page, "#sheet video")
    page.get_by_role("button", name="Render this").first.click()
    expect(page.locator("#result video.loop")).to_be_visible(timeout=PATIENCE_MS)
    plays(page, "#result video")
    expect(page.locator("#result .rights")).to_contain_text("sell")
    with page.expect_download() as download:
        page.locator("#result").get_by_role("link", name="Download").click()
    data = Path(download.value.path()).read_bytes()
    assert data[4:8] == b"ftyp" and download.value.suggested_filename.endswith(".mp4")
    expect(page.get_by_role("button", name="Render again")).to_have_count(1)
    idle(page)


def test_a_running_job_survives_a_refresh_is_seen_in_a_second_tab_and_can_be_stopped_there(
    page: Page, served: Served
) -> None:
    prompt = "a yellow star spins in the night sky"
    say(page, prompt, 2, steps=200)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#strip .phase")).to_contain_text("Step", timeout=PATIENCE_MS)
    page.reload()
    expect(page.locator("#strip .job")).to_contain_text(prompt, timeout=20_000)
    expect(page.get_by_label("What should be seen?")).to_have_value(prompt)  # the form is kept too
    before = page.locator("#strip .bar").get_attribute("aria-valuenow")
    expect(page.locator("#strip .bar")).not_to_have_attribute("aria-valuenow", before or "", timeout=PATIENCE_MS)

    served.worker().suspend()  # on a fast machine it would be done before the second tab is open
    second = page.context.new_page()
    open_page(second, served)
    expect(second.locator("#strip .job")).to_contain_text(prompt, timeout=20_000)
    second.locator("#strip .queue summary").click()
    second.get_by_role("button", name="Clear the queue").click()
    expect(second.locator("#strip .queue")).to_have_count(0, timeout=10_000)
    second.locator("#strip .stop").click()
    served.worker().resume()
    for tab in (second, page):
        idle(tab)
        expect(tab.locator("#sheet article")).to_have_count(2)
        expect(tab.locator("#sheet article").first).to_contain_text("Stopped")
    second.close()


def test_a_worker_that_dies_twice_in_one_place_is_named_and_the_rest_goes_on(page: Page, served: Served) -> None:
    say(page, "a pink cone goes down over the hills", 2, steps=200)
    page.get_by_role("button", name="Preview").click()
    for _ in range(2):
        expect(page.locator("#strip .phase")).to_contain_text("Step", timeout=PATIENCE_MS)
        served.worker().kill()
        for state in (served.home / "staging").glob("*/state.safetensors"):
            state.unlink()  # with what it had saved by then it would go on, as often as it takes
        expect(page.locator("#strip .phase", has_text="Step")).to_have_count(0, timeout=20_000)
    failed = page.locator("#sheet article").first
    expect(failed).to_contain_text("ended from outside", timeout=PATIENCE_MS)
    expect(failed.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.locator("#strip .phase")).to_contain_text("Step", timeout=PATIENCE_MS)  # the second take
    page.locator("#strip .stop").click()
    idle(page)
    page.get_by_role("button", name="Try again").first.click()
    expect(page.locator("#strip .job")).to_be_visible(timeout=10_000)
    page.locator("#strip .stop").click()
    idle(page)


def test_a_take_can_be_the_renders_own_first_part(page: Page, served: Served) -> None:
    say(page, "a green cube stays still over the desert", 1)
    page.locator("#expert > button").click()
    page.locator("#takes-by input").click()
    page.get_by_role("option", name="The render's own first part").click()
    page.get_by_role("button", name="Preview").click()
    take = page.locator("#sheet article", has=page.locator("video"))
    expect(take).to_have_count(1, timeout=PATIENCE_MS)
    page.get_by_role("button", name="Render this").first.click()
    expect(page.locator("#result video.loop")).to_be_visible(timeout=PATIENCE_MS)
    idle(page)
    (clip,) = (read_recipe(file) for file in (served.home / "clips").glob("*.mp4") if "green" in file.name)
    assert clip.plan.request.mode == "continue" and clip.plan.render.part
    page.reload()
    page.locator("#expert > button").click()
    expect(page.locator("#takes-by input")).to_have_value(
        "The render's own first part, which it continues", timeout=30_000
    )
    page.get_by_role("button", name="Back to what is recommended").click()
    expect(page.locator("#takes-by input")).to_have_value("A small clip, which the render refines", timeout=30_000)


def test_the_library_survives_a_restart_and_an_earlier_take_can_be_rendered(page: Page, served: Served) -> None:
    """Runs last of those that share the studio: it stops and starts it."""
    idle(page)
    page.get_by_role("tab", name="Library").click()
    clips = page.locator("#shelf .tag", has_text="Clip")
    takes = page.locator("#shelf article[data-kind=take]", has_text=RED_BALL)
    expect(takes.first).to_be_visible()
    before = clips.count(), takes.count()
    page.goto("about:blank")  # an open tab would complain about the closed server, and rightly
    assert served.stop() == 0
    served.start()
    open_page(page, served)
    page.get_by_role("tab", name="Library").click()
    expect(takes.first).to_be_visible()
    assert (clips.count(), takes.count()) == before
    takes.first.locator("video").hover()
    page.wait_for_function("() => [...document.querySelectorAll('#shelf video')].some(v => v.currentTime > 0)")
    takes.first.get_by_role("button", name="Render this").click()
    expect(page.get_by_role("tab", name="Create")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#strip .job")).to_contain_text(RED_BALL, timeout=20_000)
    expect(page.locator("#result video.loop")).to_be_visible(timeout=PATIENCE_MS)
    idle(page)
    page.get_by_role("tab", name="Library").click()
    expect(clips).to_have_count(before[0] + 1)
