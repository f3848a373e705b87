"""What every benchmark shares: its options, and where its one JSON document goes."""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

from engine import APP

RESULTS = APP / "benchmarks" / "results"


def parser(what: str | None) -> argparse.ArgumentParser:
    """Options of a benchmark that says `what` it measures; it adds its own."""
    made = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", action="store_true", help="one line")
    made.add_argument("--write", action="store_true", help="keep the result in benchmarks/results/")
    return made


def publish_text(what: str | None, text: str, kept: Path) -> None:
    """Print a table for people, and keep it as the file `kept` where that was asked for."""
    options = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--write", action="store_true", help=f"keep it as {kept.relative_to(APP)}")
    asked = options.parse_args()
    print(text)
    if asked.write:
        kept.write_text(text, encoding="utf-8")


def keep_lines(kept: Path, title: str, command: str, lines: list[str]) -> None:
    """Keep what a campaign found, with the command that repeats it and the commit that it was run at."""
    words = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(words, cwd=APP, capture_output=True, text=True, check=True).stdout.strip()
    found = "\n".join(f"- {line}" for line in lines)
    kept.write_text(f"# {title}\n\n`{command}`, at commit {commit}.\n\n{found}\n", encoding="utf-8")


def publish(name: str, result: dict[str, Any], options: argparse.Namespace, more: dict[str, Any] | None = None) -> None:
    """Print the result, and keep it as `name` where that was asked for; `more` is only kept."""
    if options.write:
        (RESULTS / f"{name}.json").write_text(json.dumps(result | (more or {}), indent=1) + "\n")
    print(json.dumps(result, indent=None if options.json else 1))
