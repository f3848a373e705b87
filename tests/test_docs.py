"""The docs say what the code is: every module, every command and option, everything a face may use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import APP
from tests import docs

NAMED = re.compile(
    r"`((?:[\w.-]+/)*[\w-]+\.(?:py|js|css|toml|md|json|sh|csv|txt))`|`((?:engine|ui|tests|docs|presets|benchmarks|starter)/[\w/.-]*)`"
)
WRITTEN = [APP / "README.md", APP / "CONTRIBUTING.md", APP / "docs" / "architecture.md"]


def test_the_architecture_names_every_module_as_it_is() -> None:
    text = docs.ARCHITECTURE.read_text(encoding="utf-8")
    assert docs.with_modules(text) == text, "run python3 bootstrap.py -m tests.docs"
    assert docs.MODULES.search(text)


def test_every_command_and_option_stands_in_the_docs() -> None:
    assert docs.COMMANDS.read_text(encoding="utf-8") == docs.commands(), "run python3 bootstrap.py -m tests.docs"


def test_the_reference_of_the_engine_is_that_of_the_code() -> None:
    assert docs.API.read_text(encoding="utf-8") == docs.api(), "run python3 bootstrap.py -m tests.docs"


def test_every_module_says_what_it_is_for() -> None:
    assert not re.search(r"`: *$", docs.modules(), re.M)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_every_file_that_is_named_exists(path: Path) -> None:
    text = docs.MODULES.sub("", path.read_text(encoding="utf-8"))
    names = [file or folder for file, folder in NAMED.findall(text)]
    folders = ("", "engine", "engine/worker", "tests", "tests/engine", "tests/ui", "ui", "docs", "docs/decisions")
    assert not [name for name in names if not any((APP / folder / name).exists() for folder in folders)]
