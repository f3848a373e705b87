"""Take the screenshots of this folder again: python bootstrap.py -m docs.screenshots.shoot

A real server on a data folder of its own, the starter's real weights, a real browser (Chromium must be installed).
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

APP = Path(__file__).resolve().parents[2]
BROWSER = shutil.which("chromium") or shutil.which("chromium-headless-shell")
PATIENCE_MS = 240_000
MAX_BYTES = 120_000
HEIGHTS = {390: 844, 1280: 860, 1920: 1080}
WIDTHS = tuple(HEIGHTS)
SCREENS = ("Create", "Queue", "Library", "Models", "My machine")
PROMPT = "a red ball rolls to the left over the sea at sunset"


def main() -> None:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        environment = {**os.environ, "RUSHES_HOME": home, "RUSHES_PRINT_URL": "1"}
        command = [sys.executable, "app.py", "serve", "--port", "7499"]
        server = subprocess.Popen(command, cwd=APP, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout
            url = next(found[1] for line in server.stdout if (found := re.match(r"APP_URL=<(.*)>", line)))
            browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
            _tour(browser, url)
        finally:
            server.terminate()
            server.wait()


def _tour(browser: Browser, url: str) -> None:
    """Make what there is to see, with one picture while it is made; then every screen in every size, light and dark."""
    first = _open(browser, url, "light", 1280)
    first.get_by_text("Wide", exact=True).click()
    _preview(first, PROMPT, takes=4)
    expect(first.locator("#sheet video")).to_have_count(2, timeout=PATIENCE_MS)
    first.evaluate("scrollTo(0, 0)")
    _keep(first, "running")
    expect(first.locator("#sheet video")).to_have_count(4, timeout=PATIENCE_MS)
    first.get_by_role("button", name="Render this").nth(1).click()
    expect(first.locator("#result video.loop")).to_be_visible(timeout=PATIENCE_MS)
    first.get_by_role("tab", name="Queue").click()
    first.get_by_role("tab", name="Create").click()
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            page = _open(browser, url, scheme, width)
            for screen in SCREENS:
                page.get_by_role("tab", name=screen, exact=True).click()
                page.wait_for_timeout(4500 if screen == "Create" else 1200)  # the player's own buttons fade
                _keep(page, f"{screen.lower().replace(' ', '-')}-{width}-{scheme}")
            if width == WIDTHS[0]:
                page.get_by_role("tab", name="Create", exact=True).click()
                page.evaluate("document.getElementById('stage').scrollIntoView()")
                page.wait_for_timeout(1500)
                _keep(page, f"takes-{width}-{scheme}")
            page.context.close()


def _open(browser: Browser, url: str, scheme: str, width: int) -> Page:
    size = {"width": width, "height": HEIGHTS[width]}
    context = browser.new_context(color_scheme=scheme, viewport=size, locale="en-GB")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    expect(page.locator("#outlook .times")).to_be_visible(timeout=60_000)
    page.wait_for_timeout(1000)
    return page


def _preview(page: Page, prompt: str, takes: int) -> None:
    page.get_by_label("What should be seen?").fill(prompt)
    page.get_by_label("number input for Takes").fill(str(takes))
    page.get_by_label("number input for Takes").press("Tab")
    page.get_by_role("button", name="Preview").click()


def _keep(page: Page, name: str) -> None:
    """In a palette, to keep the repository small: as many colours as the size allows."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = Path(__file__).parent / f"{name}.png"
    for colours in (256, 64):
        picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= MAX_BYTES:
            return


if __name__ == "__main__":
    main()
