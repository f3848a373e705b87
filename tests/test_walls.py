"""The import walls of docs/architecture.md that ruff cannot state, and what follows from them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine
from engine import APP, Engine
from engine.install.downloads import Downloads
from engine.install.model_location import ModelLocation
from engine.jobs.queue import Queue
from engine.queries import Machine, Models, Planning
from engine.storage.catalog import Presets
from engine.storage.library import Library
from engine.storage.lora_library import Loras
from engine.storage.media_library import MediaLibrary

HEAVY = {"torch", "diffusers", "transformers", "peft", "accelerate", "bitsandbytes"}
FACES = {"gradio", "typer", "rich", "ui"}


def imported(path: Path) -> set[str]:
    """Every module a file imports, at any depth, by full name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def sources(folder: str) -> list[Path]:
    return sorted((APP / folder).rglob("*.py"))


def roots(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize("path", sources("engine"), ids=str)
def test_engine_knows_no_face(path: Path) -> None:
    assert not roots(path) & FACES


@pytest.mark.parametrize("path", [p for p in sources("engine") if "worker" not in p.parts], ids=str)
def test_only_the_worker_imports_torch(path: Path) -> None:
    assert not roots(path) & HEAVY


@pytest.mark.parametrize("path", [*sources("ui"), APP / "app.py", *sources("engine")], ids=str)
def test_nobody_imports_the_worker(path: Path) -> None:
    if "worker" not in path.parts:
        assert not any(name == "engine.worker" or name.startswith("engine.worker.") for name in imported(path))


@pytest.mark.parametrize("path", [*sources("ui"), APP / "app.py"], ids=str)
def test_faces_enter_by_the_front_door(path: Path) -> None:
    assert not any(name.startswith("engine.") and name.split(".")[1].islower() and name.count(".") > 1
                   for name in imported(path))  # fmt: skip
    tree = ast.parse(path.read_text())
    deep = [
        n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and (n.module or "").startswith("engine.")
    ]
    assert not deep


PARTS = {
    "queue": Queue, "library": Library, "presets": Presets, "media": MediaLibrary, "loras": Loras, "models": Models,
    "downloads": Downloads, "location": ModelLocation, "machine": Machine, "planning": Planning,
}  # fmt: skip


def is_public(kind: type, member: str) -> bool:
    """Whether a class offers this: a method or property that says what it does."""
    found = getattr(kind, member, None)
    return not member.startswith("_") and bool(getattr(found, "__doc__", None))


def engine_chains(path: Path) -> Iterator[tuple[str, ...]]:
    """What a face asks of an engine: the names after one, however it comes by it."""
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.insert(0, node.attr)
            node = node.value
        names = [node.id, *names] if isinstance(node, ast.Name) else names
        at = next((place for place, name in enumerate(names) if name in ("engine", "studio")), None)
        if at is not None and names[at + 1 :]:
            yield tuple(names[at + 1 :])


@pytest.mark.parametrize("path", [*sources("ui"), APP / "app.py"], ids=str)
def test_faces_reach_for_nothing_behind_the_engine(path: Path) -> None:
    asked = {chain for chain in engine_chains(path) if chain[0].islower()}
    for first, *rest in asked:
        if first in PARTS:
            assert not rest or is_public(PARTS[first], rest[0]), (first, *rest)
        else:
            assert is_public(Engine, first) or first in engine.__all__, (first, *rest)


# What an engine package may import stands before it. `paths` and the front door are no packages.
ORDER = ("schema", "media", "machine", "weights", "planning", "storage", "install", "jobs", "worker", "queries",
         "engine", "diagnostics")  # fmt: skip


@pytest.mark.parametrize("path", sources("engine"), ids=str)
def test_no_arrow_between_packages_runs_back(path: Path) -> None:
    here = path.relative_to(APP / "engine").parts[0].removesuffix(".py")
    if here in ORDER:
        rooms = {name.split(".")[1] for name in imported(path) if name.startswith("engine.")} - {here}
        assert not [room for room in rooms if room in ORDER and ORDER.index(room) > ORDER.index(here)]


@pytest.mark.parametrize("path", [p for p in sources("engine") if p.name not in ("catalog.py", "paths.py")], ids=str)
def test_presets_have_one_reader(path: Path) -> None:
    assert "presets" not in [
        node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)
    ]


def test_the_front_door_opens_without_torch_or_gradio() -> None:
    code = "import sys, engine; print(sorted(set(sys.modules) & {'torch', 'diffusers', 'transformers', 'gradio'}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=APP, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_needs_neither_torch_nor_gradio() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "app.py", "--help"], cwd=APP, capture_output=True, text=True
    )
    assert done.returncode == 0
    modules = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert not modules & {"torch", "diffusers", "transformers", "gradio"}


def test_no_source_file_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "core", "base"}
    assert not [
        path for folder in ("engine", "ui", "starter", "benchmarks") for path in sources(folder) if path.stem in empty
    ]
