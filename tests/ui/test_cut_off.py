"""A page that was cut off from its studio for a while (a closed laptop, a lost network) goes on by itself."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.ui.conftest import PATIENCE_MS, RED_BALL, Served, open_page, say

pytestmark = pytest.mark.slow
AWAY_MS = 6_000  # more than ten looks of a busy page


@contextmanager
def no_network(context: BrowserContext, _: Served) -> Iterator[None]:
    context.set_offline(True)
    yield
    context.set_offline(False)


@contextmanager
def asleep(_: BrowserContext, served: Served) -> Iterator[None]:
    """The whole studio stands still, its workers too, as when a laptop is closed."""
    server = psutil.Process(served.process.pid)
    everyone = [server, *server.children(recursive=True)]
    for one in everyone:
        one.send_signal(signal.SIGSTOP)
    yield
    for one in everyone:
        one.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(("cut", "words"), [(no_network, RED_BALL), (asleep, "a green box goes up over the sea")])
def test_a_page_that_was_cut_off_shows_what_was_made_meanwhile(
    browser: Browser, served: Served, cut: Callable[[BrowserContext, Served], AbstractContextManager[None]], words: str
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    open_page(page, served)
    say(page, words, 2)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#strip .job")).to_be_visible(timeout=PATIENCE_MS)
    with cut(context, served):
        page.wait_for_timeout(AWAY_MS)
    expect(page.locator("#sheet article[data-state=finished]")).to_have_count(2, timeout=PATIENCE_MS)
    page.get_by_label("What should be seen?").fill("a yellow star")  # and it answers again
    expect(page.locator("#outlook .times")).to_be_visible(timeout=PATIENCE_MS)
    page.locator("#starters button").first.click()
    expect(page.get_by_label("What should be seen?")).to_have_value(RED_BALL, timeout=PATIENCE_MS)
    context.close()
