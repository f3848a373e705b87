"""Shared by the tests of the page: a door to knock at by hand, and a served studio with a real browser before it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psutil
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, expect, sync_playwright

from engine import APP, Engine, Recipe, Request
from ui.page.app import application
from ui.page.middleware.access import Door, Rules

PATIENCE_MS = 180_000  # a take on two busy cores, with the import of torch before it
expect.set_options(timeout=60_000)  # five seconds, as shipped, are too few for a page that loads on busy cores
FILLED = {"Library": "#shelf p", "Models": "#disk .place", "My machine": "#can-do tr"}  # last of what a screen fills in
RED_BALL = "a red ball rolls to the left on a blue background"
REFUSED = "status of 400 (Bad Request)"  # how Chromium tells of what the door did not take
PORT = 7433
HOME = f"127.0.0.1:{PORT}"
TAKE = "20260101-120000-a-red-ball-ab12"
SAME = {"host": HOME, "origin": f"http://{HOME}", "sec-fetch-site": "same-origin"}
Headers = dict[str, str]
Knock = Callable[..., tuple[int, Headers, bytes]]


# ---- the door, knocked at by hand ----


def knock_at(app: Any, path: str, headers: Headers, method: str = "GET", body: tuple[bytes, ...] = (b"",)) -> Any:
    """One HTTP request, given to an ASGI app the way uvicorn would: the path decoded once."""
    bare, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(bare), "raw_path": bare.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 5000), "server": ("127.0.0.1", PORT),
    }  # fmt: skip
    chunks = [{"type": "http.request", "body": part, "more_body": i + 1 < len(body)} for i, part in enumerate(body)]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not chunks:
            await asyncio.Event().wait()  # the caller stays on the line
        return chunks.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    status = next(message["status"] for message in sent if message["type"] == "http.response.start")
    answer = {
        name.decode(): value.decode()
        for message in sent if message["type"] == "http.response.start"
        for name, value in message["headers"]
    }  # fmt: skip
    return status, answer, b"".join(message.get("body", b"") for message in sent)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("home")) as engine:
        put_take(engine, TAKE)
        yield engine


@pytest.fixture(scope="module")
def knock(engine: Engine) -> Knock:
    """Knock at the whole application, behind its door."""
    door = Door(application(engine).app, Rules.of_this_machine(PORT))
    return lambda *args, **kwargs: knock_at(door, *args, **kwargs)


def put_take(engine: Engine, name: str) -> Path:
    """A take in the library, with the files a worker leaves."""
    plan = engine.plan(Request(prompt="a red ball rolls to the left on a blue background", seed=1))
    recipe = Recipe(kind="take", id=name, plan=plan, seconds=1.0, versions={}, created="2026-01-01T12:00:00Z")
    folder = engine.places.takes / name
    folder.mkdir()
    (folder / "take.json").write_text(recipe.model_dump_json())
    (folder / "take.mp4").write_bytes(b"0123456789" * 10)
    (folder / "poster.jpg").write_bytes(b"jpeg")
    (folder / "latents.safetensors").write_bytes(b"secret latents")
    return folder


def put_clip(engine: Engine, name: str, take: str) -> None:
    """A clip in the library that was rendered from a take there."""
    recipe = engine.library.take(take).recipe.model_copy(update={"kind": "render", "id": name, "take_id": take})
    for ending, data in (("json", recipe.model_dump_json().encode()), ("mp4", b"0123456789"), ("jpg", b"jpeg")):
        (engine.places.clips / f"{name}.{ending}").write_bytes(data)


# ---- the studio, served to a browser ----


class Served:
    """A server process on a data folder of its own. `app`: how the app is started."""

    def __init__(self, home: Path, app: tuple[str, ...] = ("app.py",)) -> None:
        self.home, self.log, self.app = home, home / "server.log", app
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {**os.environ, "RUSHES_HOME": str(self.home), "RUSHES_PRINT_URL": "1"}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.app, "serve", "--port", str(self.port)],
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


# The first is the same Chromium without windows of its own: it opens our page for little more than half of the work.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next((path for name in BROWSERS if (path := shutil.which(name))), None)
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
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("home"))
    served.start()
    yield served
    served.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """A fresh visitor. Whatever the page logs as an error, or asks of another address, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    page.on("request", lambda asked: None if _is_ours(asked.url, served) else complaints.append(asked.url))
    open_page(page, served)
    yield page
    context.close()
    assert complaints == []


def _is_ours(url: str, served: Served) -> bool:
    return url.startswith((served.url, "data:", "blob:"))


def open_page(page: Page, served: Served) -> None:
    page.goto(served.url, timeout=PATIENCE_MS)
    expect(page.locator("#outlook .times")).to_be_visible(timeout=PATIENCE_MS)


@pytest.fixture
def tab(browser: Browser, studio: Served) -> Iterator[Page]:
    """A page of the module's own `studio`, in which no script may fail. A refused upload is no failure."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []

    def logged(message: ConsoleMessage) -> None:
        if message.type == "error" and REFUSED not in message.text:
            complaints.append(message.text)

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", logged)
    open_page(page, studio)
    yield page
    context.close()
    assert complaints == []


def show(tab: Page, screen: str) -> None:
    """The screen, filled: what arrives later moves the buttons below it while they are clicked."""
    tab.get_by_role("tab", name=screen, exact=True).click()
    if filled := FILLED.get(screen):
        expect(tab.locator(filled).first).to_be_visible(timeout=PATIENCE_MS)


@contextmanager
def remembering(page: Page) -> Iterator[None]:
    """Until the browser has written down what the form is now. What is seen is written a moment later."""
    written = "localStorage.getItem('rushes-form')"
    before = page.evaluate(written)
    yield
    page.wait_for_function(f"before => {written} !== before", arg=before)


def hand_over(field: Locator, files: Path | list[Path]) -> None:
    """Choose files for a field, by the click of a person."""
    with field.page.expect_file_chooser() as chooser:
        field.locator("xpath=ancestor-or-self::label").click()
    chooser.value.set_files(files)


def say(page: Page, prompt: str, takes: int, steps: int | None = None) -> None:
    """Fill the form in; many steps make a take that is still running when a test looks."""
    page.get_by_label("What should be seen?").fill(prompt)
    page.get_by_label("number input for Takes").fill(str(takes))
    page.get_by_label("number input for Takes").press("Tab")
    if steps:
        page.locator("#expert > button").click()
        page.get_by_label("Steps of a take").fill(str(steps))
        page.get_by_label("Steps of a take").press("Tab")


def plays(page: Page, selector: str) -> None:
    """The clip moves on by itself, without sound, in place, for ever."""
    page.wait_for_function(
        "s => { const v = document.querySelector(s); return v && v.videoWidth && v.currentTime > 0.05 && !v.paused }",
        arg=selector, timeout=PATIENCE_MS,
    )  # fmt: skip
    traits = page.eval_on_selector(selector, "v => [v.muted, v.loop, v.playsInline]")
    assert traits == [True, True, True]


def idle(page: Page) -> None:
    expect(page.locator("#strip .job")).to_have_count(0, timeout=PATIENCE_MS)
