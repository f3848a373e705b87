"""The page in a real headless Chromium, over the real server, engine, worker and starter weights.

Slow machines pass too: waits are long, and what must be caught in the middle is asked for with many steps.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from engine import APP

pytestmark = pytest.mark.slow
PATIENCE_MS = 180_000  # a take on two busy cores, with the import of torch before it
RED_BALL = "a red ball rolls to the left on a blue background"


class Studio:
    """A server process on a data folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home, self.log = home, home / "server.log"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {**os.environ, "RUSHES_HOME": str(self.home), "RUSHES_PRINT_URL": "1"}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py", "serve", "--port", str(self.port)],
                cwd=APP, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + 120
        while f"APP_URL=<{self.url}>\n" not in self.log.read_text():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def worker(self) -> psutil.Process:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return next(child for child in children if "engine.worker" in child.cmdline())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine; Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error as error:
            pytest.skip(f"Chromium does not start here: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    studio = Studio(tmp_path_factory.mktemp("home"))
    studio.start()
    yield studio
    studio.stop()


@pytest.fixture
def page(browser: Browser, studio: Studio) -> Iterator[Page]:
    """A fresh visitor. Whatever the page logs as an error, or asks of another address, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    page.on("request", lambda asked: None if _is_ours(asked.url, studio) else complaints.append(asked.url))
    _open(page, studio)
    yield page
    context.close()
    assert complaints == []


def _is_ours(url: str, studio: Studio) -> bool:
    return url.startswith((studio.url, "data:", "blob:"))


def _open(page: Page, studio: Studio) -> None:
    page.goto(studio.url)
    expect(page.locator("#outlook .times")).to_be_visible(timeout=30_000)


def _say(page: Page, prompt: str, takes: int, steps: int | None = None) -> None:
    """Fill the form in; many steps make a take that is still running when a test looks."""
    page.get_by_label("What should be seen?").fill(prompt)
    page.get_by_label("number input for Takes").fill(str(takes))
    page.get_by_label("number input for Takes").press("Tab")
    if steps:
        page.locator("#expert > button").click()
        page.get_by_label("Steps of a take").fill(str(steps))
        page.get_by_label("Steps of a take").press("Tab")


def _plays(page: Page, selector: str) -> None:
    """The clip moves on by itself, without sound, in place, for ever."""
    page.wait_for_function(
        "s => { const v = document.querySelector(s); return v && v.videoWidth && v.currentTime > 0.05 && !v.paused }",
        arg=selector, timeout=PATIENCE_MS,
    )  # fmt: skip
    traits = page.eval_on_selector(selector, "v => [v.muted, v.loop, v.playsInline]")
    assert traits == [True, True, True]


def _idle(page: Page) -> None:
    expect(page.locator("#strip .job")).to_have_count(0, timeout=PATIENCE_MS)


def test_from_the_first_visit_to_a_finished_clip(page: Page) -> None:
    expect(page.locator("#stage .empty")).to_be_visible()
    _say(page, RED_BALL, 2)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#strip .job")).to_be_visible(timeout=10_000)
    expect(page.locator("#sheet video")).to_have_count(2, timeout=PATIENCE_MS)
    _plays(page, "#sheet video")
    page.get_by_role("button", name="Render this").first.click()
    expect(page.locator("#result video")).to_be_visible(timeout=PATIENCE_MS)
    _plays(page, "#result video")
    expect(page.locator("#result .rights")).to_contain_text("sell")
    with page.expect_download() as download:
        page.locator("#result").get_by_role("link", name="Download").click()
    data = Path(download.value.path()).read_bytes()
    assert data[4:8] == b"ftyp" and download.value.suggested_filename.endswith(".mp4")
    expect(page.get_by_role("button", name="Render again")).to_have_count(1)
    _idle(page)


def test_an_empty_prompt_gets_one_sentence(page: Page) -> None:
    page.get_by_label("What should be seen?").fill("   ")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#outlook .problem")).to_contain_text("The prompt is empty.")
    expect(page.locator("#strip .job")).to_have_count(0)


def test_an_impossible_setting_is_named_before_anything_starts(page: Page) -> None:
    _say(page, RED_BALL, 1, steps=900)
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
    page.get_by_label("Model", exact=True).click()
    page.get_by_role("option", name="Wan 2.1 T2V 1.3B").click()
    expect(page.locator("#about .missing")).to_contain_text("models install")
    page.get_by_label("What should be seen?").fill(RED_BALL)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#outlook .problem")).to_contain_text("not on this computer")
    expect(page.locator("#strip .job")).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Model", exact=True)).to_have_value(re.compile("Wan"))
    expect(page.locator("#about .missing")).to_be_visible()


def test_html_in_a_prompt_is_shown_as_text(page: Page) -> None:
    nasty = "a red ball <script>alert(1)</script><img src=x onerror=alert(2)> ${alert(3)} {{alert(4)}}"
    _say(page, nasty, 1)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#sheet header .about")).to_have_text(nasty, timeout=10_000)
    assert page.locator("#sheet img, #sheet script").count() == 0
    _idle(page)


def test_a_running_job_survives_a_refresh_is_seen_in_a_second_tab_and_can_be_stopped_there(
    page: Page, studio: Studio
) -> None:
    prompt = "a yellow star spins in the night sky"
    _say(page, prompt, 2, steps=200)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#strip .phase")).to_contain_text("Step", timeout=PATIENCE_MS)
    page.reload()
    expect(page.locator("#strip .job")).to_contain_text(prompt, timeout=20_000)
    expect(page.get_by_label("What should be seen?")).to_have_value(prompt)  # the form is kept too
    before = page.locator("#strip .bar").get_attribute("aria-valuenow")
    expect(page.locator("#strip .bar")).not_to_have_attribute("aria-valuenow", before or "", timeout=PATIENCE_MS)

    second = page.context.new_page()
    _open(second, studio)
    expect(second.locator("#strip .job")).to_contain_text(prompt, timeout=20_000)
    second.locator("#strip .queue summary").click()
    second.get_by_role("button", name="Stop all").click()
    expect(second.locator("#strip .queue")).to_have_count(0, timeout=10_000)
    second.locator("#strip .stop").click()
    for tab in (second, page):
        _idle(tab)
        expect(tab.locator("#sheet article")).to_have_count(2)
        expect(tab.locator("#sheet article").first).to_contain_text("Stopped")
    second.close()


def test_a_worker_that_dies_twice_is_named_in_place_and_the_rest_goes_on(page: Page, studio: Studio) -> None:
    _say(page, "a pink cone goes down over the hills", 2, steps=200)
    page.get_by_role("button", name="Preview").click()
    for _ in range(2):
        expect(page.locator("#strip .phase")).to_contain_text("Step", timeout=PATIENCE_MS)
        studio.worker().kill()
        expect(page.locator("#strip .phase", has_text="Step")).to_have_count(0, timeout=20_000)
    failed = page.locator("#sheet article").first
    expect(failed).to_contain_text("killed", timeout=PATIENCE_MS)
    expect(failed.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.locator("#strip .phase")).to_contain_text("Step", timeout=PATIENCE_MS)  # the second take
    page.locator("#strip .stop").click()
    _idle(page)
    page.get_by_role("button", name="Try again").first.click()
    expect(page.locator("#strip .job")).to_be_visible(timeout=10_000)
    page.locator("#strip .stop").click()
    _idle(page)


def test_a_page_without_a_job_is_quiet(page: Page) -> None:
    _idle(page)
    page.wait_for_timeout(4000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(6000)
    assert len(asked) <= 3, asked


def test_the_studio_closes_quietly_under_an_open_tab(browser: Browser, tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    studio.start()
    tab = browser.new_page()
    _open(tab, studio)
    began = time.monotonic()
    assert studio.stop() == 0
    assert time.monotonic() - began < 10
    assert "Traceback" not in studio.log.read_text()
    expect(tab.get_by_text("Connection to the server was lost")).to_be_visible(timeout=20_000)
    studio.start()  # the tab finds its studio again
    expect(tab.get_by_text("Connection to the server was lost")).to_have_count(0, timeout=30_000)
    tab.close()
    studio.stop()


def test_the_page_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_library_survives_a_restart_and_an_earlier_take_can_be_rendered(page: Page, studio: Studio) -> None:
    """Runs last of those that share the studio: it stops and starts it."""
    _idle(page)
    page.goto("about:blank")  # an open tab would complain about the closed server, and rightly
    assert studio.stop() == 0
    studio.start()
    _open(page, studio)
    page.get_by_role("tab", name="Library").click()
    expect(page.locator("#shelf .tag", has_text="Clip")).to_have_count(1)
    takes = page.locator("#shelf article[data-kind=take]", has_text=RED_BALL)
    expect(takes).to_have_count(2)
    takes.first.locator("video").hover()
    page.wait_for_function("() => [...document.querySelectorAll('#shelf video')].some(v => v.currentTime > 0)")
    takes.first.get_by_role("button", name="Render this").click()
    expect(page.get_by_role("tab", name="Create")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#strip .job")).to_contain_text(RED_BALL, timeout=20_000)
    expect(page.locator("#result video")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("tab", name="Library").click()
    expect(page.locator("#shelf .tag", has_text="Clip")).to_have_count(2)


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
