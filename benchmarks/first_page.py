"""From start to first page, as a ratio to a one-button Gradio app started the same way.

    python bootstrap.py -m benchmarks.first_page [--rounds 3] [--json] [--write]

Both are started as processes with the same Python; the clock stops when the page itself answers.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from statistics import median

from benchmarks import publishing
from engine import APP

ONE_BUTTON = """
import os, gradio as gr
with gr.Blocks() as page:
    gr.Button("one")
page.launch(server_name="127.0.0.1", server_port=int(os.environ["GRADIO_SERVER_PORT"]), quiet=True)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answered(port: int, patience_s: float = 120) -> bool:
    """Whether GET / answers 200 before patience runs out. Returns as soon as it does."""
    started = time.perf_counter()
    while time.perf_counter() - started < patience_s:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                answer.read()
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    return False


def seconds_to_page(command: list[str], home: str) -> float:
    """Wall seconds until GET / answers 200."""
    port = free_port()
    environment = os.environ | {
        "GRADIO_SERVER_PORT": str(port), "RUSHES_HOME": home, "GRADIO_ANALYTICS_ENABLED": "False",
    }  # fmt: skip
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=APP, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as app:
        try:
            if answered(port):
                return time.perf_counter() - started
            raise SystemExit(f"no page from {command}")
        finally:
            app.terminate()


def main() -> None:
    parser = publishing.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as home:
        for number in range(options.rounds + 1):  # the first round warms the disk cache for both
            pair = (
                seconds_to_page([sys.executable, "app.py"], home),
                seconds_to_page([sys.executable, "-c", ONE_BUTTON], home),
            )
            if number:
                ours.append(pair[0])
                theirs.append(pair[1])
    result = {
        "ratio": round(median(ours) / median(theirs), 3),
        "rounds": options.rounds,
        "seconds": {"rushes": round(median(ours), 2), "one_button": round(median(theirs), 2)},
    }
    publishing.publish("first_page", result, options)


if __name__ == "__main__":
    main()
