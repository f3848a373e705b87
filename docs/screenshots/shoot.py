"""Take the screenshots of this folder again: python bootstrap.py docs/screenshots/shoot.py

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
PATIENCE_MS = 240_000
MAX_BYTES = 300_000
PROMPT = "a red ball rolls to the left over the sea at sunset"
NEXT = "a purple ball rolls to the right over the hills by day"


def main() -> None:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        environment = {**os.environ, "RUSHES_HOME": home, "RUSHES_PRINT_URL": "1"}
        command = [sys.executable, "app.py", "serve", "--port", "7499"]
        server = subprocess.Popen(command, cwd=APP, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout
            url = next(found[1] for line in server.stdout if (found := re.match(r"APP_URL=<(.*)>", line)))
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            _tour(browser, url)
        finally:
            server.terminate()
            server.wait()


def _tour(browser: Browser, url: str) -> None:
    light = _open(browser, url, "light", 1280, 860)
    light.get_by_text("Wide", exact=True).click()
    _preview(light, PROMPT, takes=4)
    expect(light.locator("#sheet video")).to_have_count(4, timeout=PATIENCE_MS)
    light.get_by_role("button", name="Render this").nth(1).click()
    expect(light.locator("#result video")).to_be_visible(timeout=PATIENCE_MS)
    light.mouse.move(640, 5)
    light.wait_for_timeout(4500)  # the player's own buttons fade
    _keep(light, "create-light.png")

    phone = _open(browser, url, "dark", 390, 844)
    phone.evaluate("document.getElementById('stage').scrollIntoView()")
    phone.wait_for_timeout(1500)
    _keep(phone, "phone-dark.png")

    dark = _open(browser, url, "dark", 1280, 860)
    _preview(dark, NEXT, takes=3)
    expect(dark.locator("#sheet video")).to_have_count(2, timeout=PATIENCE_MS)
    dark.mouse.move(640, 5)
    dark.wait_for_timeout(700)
    _keep(dark, "running-dark.png")


def _open(browser: Browser, url: str, scheme: str, width: int, height: int) -> Page:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": height})  # type: ignore[arg-type]
    page.goto(url)
    expect(page.locator("#outlook .times")).to_be_visible(timeout=60_000)
    page.wait_for_timeout(1500)
    return page


def _preview(page: Page, prompt: str, takes: int) -> None:
    page.get_by_label("What should be seen?").fill(prompt)
    page.get_by_label("number input for Takes").fill(str(takes))
    page.get_by_label("number input for Takes").press("Tab")
    page.get_by_role("button", name="Preview").click()


def _keep(page: Page, name: str) -> None:
    """As it is; in 256 colours when that would be large, to keep the repository small."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = Path(__file__).parent / name
    picture.save(path, optimize=True)
    if path.stat().st_size > MAX_BYTES:
        picture.quantize(256, kmeans=3, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
