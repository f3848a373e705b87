"""The page in a real browser: bad input, hostile text, quiet, narrow, closed under an open tab."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from engine import APP
from tests.ui.conftest import RED_BALL, Served, idle, open_page, say

pytestmark = pytest.mark.slow


def test_an_empty_prompt_gets_one_sentence(page: Page) -> None:
    page.get_by_label("What should be seen?").fill("   ")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#refusal .problem")).to_contain_text("The prompt is empty.")
    expect(page.locator("#strip .job")).to_have_count(0)


def test_an_impossible_setting_is_named_before_anything_starts(page: Page) -> None:
    say(page, RED_BALL, 1, steps=900)
    expect(page.locator("#outlook .problem")).to_contain_text("900")


@pytest.mark.parametrize("text", ["many", "nan", "1e99", "9" * 400])
def test_nonsense_in_an_expert_field_gets_one_sentence(page: Page, text: str) -> None:
    page.locator("#expert > button").click()
    page.get_by_label("Guidance").fill(text)
    page.get_by_label("What should be seen?").fill(RED_BALL)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#outlook .problem")).to_be_visible()
    expect(page.locator("#strip .job")).to_have_count(0)


def test_a_model_that_is_not_here_is_refused_before_anything_is_queued_and_stays_chosen(page: Page) -> None:
    page.locator("#picker summary").click()
    page.locator("#picker .option", has_text="Wan 2.1 T2V 1.3B").click()
    expect(page.locator("#about .missing")).to_contain_text("Not on this computer")
    page.get_by_label("What should be seen?").fill(RED_BALL)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#refusal .problem")).to_contain_text("not on this computer")
    expect(page.locator("#strip .job")).to_have_count(0)
    page.get_by_label("What should be seen?").press_sequentially(" x")
    expect(page.locator("#refusal .problem")).to_have_count(0)  # the next try begins clean
    page.reload()
    expect(page.locator("#about h2")).to_have_text("Wan 2.1 T2V 1.3B")
    expect(page.locator("#about .missing")).to_be_visible()


def test_html_in_a_prompt_is_shown_as_text(page: Page) -> None:
    nasty = "a red ball <script>alert(1)</script><img src=x onerror=alert(2)> ${alert(3)} {{alert(4)}}"
    say(page, nasty, 1)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#sheet header .about")).to_have_text(nasty, timeout=10_000)
    assert page.locator("#sheet img, #sheet script").count() == 0
    idle(page)


def test_a_page_without_a_job_is_quiet(page: Page) -> None:
    idle(page)
    page.wait_for_timeout(4000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(6000)
    assert len(asked) <= 3, asked


def test_the_studio_closes_quietly_under_an_open_tab(browser: Browser, tmp_path: Path) -> None:
    served = Served(tmp_path)
    served.start()
    tab = browser.new_page()
    open_page(tab, served)
    assert served.stop() == 0
    assert "Traceback" not in served.log.read_text()
    expect(tab.get_by_text("Connection to the server was lost")).to_be_visible(timeout=20_000)
    served.start()  # the tab finds its studio again
    expect(tab.get_by_text("Connection to the server was lost")).to_have_count(0, timeout=30_000)
    tab.close()
    served.stop()


def test_the_page_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_port_in_use_is_one_sentence_and_the_preferred_one_has_neighbours(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "app.py", "serve", "--port", port],
            cwd=APP, env={**os.environ, "RUSHES_HOME": str(tmp_path)}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert port in done.stderr and "--port" in done.stderr and "Traceback" not in done.stderr
