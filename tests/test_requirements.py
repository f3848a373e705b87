"""What is installed is what is needed: the locks against the names in pyproject.toml and what is imported."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.txt", "requirements-dev.txt")
NAMED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def lock(name):
    """The entries of a lock: each a line that goes on over the lines of its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pins(name):
    return {entry.partition("==")[0]: entry.split()[0].partition("==")[2] for entry in lock(name)}


def names(requirements):
    return {re.match(r"[\w-]+", requirement)[0] for requirement in requirements}


def imported(*places):
    """The outermost names that the Python files below these places import, wherever in them."""
    files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*.py"))]
    files = [file for file in files if "node_modules" not in file.parts]  # what npm brought for a test
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    own = {"app", "bootstrap", "engine", "ui", "tests", "benchmarks", "starter"}
    return {module.partition(".")[0] for module in modules} - own - sys.stdlib_module_names


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_one_version_and_its_hashes(name):
    entries = lock(name)
    assert [entry for entry in entries if not re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}\b", entry)] == []
    assert len(entries) == len(pins(name)) and "torch" not in pins(name)


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_tells_where_it_was_made(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(r"(?m)://|^ *--(?!hash=)| @ |file:", text) == []


def test_every_name_in_pyproject_is_locked():
    assert names(NAMED["project"]["dependencies"]) <= pins("requirements.txt").keys()
    assert names(NAMED["dependency-groups"]["dev"]) <= pins("requirements-dev.txt").keys()


def test_both_locks_agree_and_the_app_gets_nothing_that_only_tests_use():
    app, dev = pins("requirements.txt"), pins("requirements-dev.txt")
    assert {name: version for name, version in dev.items() if app.get(name, version) != version} == {}
    assert names(NAMED["dependency-groups"]["dev"]) & app.keys() == set()


@pytest.mark.parametrize(
    ("places", "locks"),
    [
        (("engine", "ui", "app.py"), LOCKS[:1]),
        (("tests", "benchmarks", "starter", "docs"), LOCKS),
    ],
    ids=["the app", "tests and measurements"],
)
def test_what_is_imported_is_installed(places, locks):
    owners, installed = packages_distributions(), {"torch"}.union(*map(pins, locks))
    used = imported(*(ROOT / place for place in places))
    assert {name for name in used if not installed & {normal(owner) for owner in owners.get(name, ())}} == set()
