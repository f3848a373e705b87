"""How long a person waits for the forecast after a change of the request, in a real browser before the real studio.

    python bootstrap.py -m benchmarks.forecast_page [--rounds 10] [--json] [--write]

The clock runs in the page: from the press of a button or key to the new text of the forecast. Needs Debian's
`chromium`, or another Chromium on the path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median, quantiles

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks import publishing
from benchmarks.first_page import answered, free_port
from engine import APP

WATCH = """() => {
    const panel = document.querySelector("#outlook");
    const said = () => Array.from(panel.querySelectorAll("p"), (p) => p.textContent).join();  // not Gradio's own timer
    let began = 0, before = "";
    window.took = null;
    const begin = () => { began = performance.now(); before = said(); window.took = null; };
    for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, begin, true);
    new MutationObserver(() => {
        if (window.took === null && said() && said() !== before)
            window.took = performance.now() - began;
    }).observe(panel, {subtree: true, childList: true, characterData: true});
}"""
SEEN = "() => window.took"


def changes(page: Page) -> dict[str, Callable[[int], None]]:
    """Ways to change the request, each with a value that differs from round to round."""
    seconds = page.get_by_label("number input for Seconds")

    def length(number: int) -> None:
        seconds.press(("ArrowDown", "ArrowUp")[number % 2])

    def chosen(group: str, *names: str) -> Callable[[int], None]:
        return lambda number: page.locator(group).get_by_text(names[number % len(names)], exact=True).click()

    return {
        "aspect": chosen("#aspect", "Wide", "Square"),
        "outcome": chosen("#outcome", "Best", "Draft"),
        "length": length,
    }


def measure(page: Page, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every change, by its kind."""
    page.evaluate(WATCH)
    found: dict[str, list[float]] = {}
    for kind, change in changes(page).items():
        for number in range(rounds):
            change(number)
            page.wait_for_function(f"({SEEN})() !== null", timeout=30_000, polling=10)
            found.setdefault(kind, []).append(page.evaluate(SEEN))
            time.sleep(0.5)  # what else a change brings is over
    return found


def main() -> None:
    parser = publishing.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as home, sync_playwright() as driver:
        environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "RUSHES_HOME": home}
        app = subprocess.Popen(
            [sys.executable, "app.py"], cwd=APP, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            if not answered(port):
                raise SystemExit("the studio did not open")
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.goto(f"http://127.0.0.1:{port}/", timeout=90_000)
            expect(page.locator("#outlook .times")).to_be_visible(timeout=90_000)
            time.sleep(5)  # the studio has looked at the machine, and lies still
            took = measure(page, options.rounds)
            browser.close()
        finally:
            app.terminate()
            app.wait()
    every = [milliseconds for values in took.values() for milliseconds in values]
    result = {
        "milliseconds": {"median": round(median(every)), "nine_of_ten": round(quantiles(every, n=10)[-1]),
                         "most": round(max(every))},
        "by_change": {kind: round(median(values)) for kind, values in took.items()},
        "changes": len(every),
        "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    publishing.publish("forecast_page", result, options)


if __name__ == "__main__":
    main()
