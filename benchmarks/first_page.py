"""From start to first page, as a ratio to a one-button Gradio app started the same way.

    python bootstrap.py -m benchmarks.first_page [--rounds 3] [--json] [--write]

Both are started as processes with the same Python; the clock stops when the page itself answers.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from statistics import median

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
            while time.perf_counter() - started < 120:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                        answer.read()
                        return time.perf_counter() - started
                except (urllib.error.URLError, OSError):
                    time.sleep(0.02)
            raise SystemExit(f"no page from {command}")
        finally:
            app.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="keep the result in benchmarks/results/")
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
    if options.write:
        (APP / "benchmarks" / "results" / "first_page.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
