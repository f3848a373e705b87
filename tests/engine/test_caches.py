"""Weights made smaller are shown in bytes, go with their model, and can be thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Engine
from engine.diagnostics import examine

WHOLE_BYTES = 250_000_000


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Engine]:
    """A home with an installed model and kept weights of it and of another one."""
    for model in ("mochi-1-preview", "wan2.1-t2v-1.3b"):
        copy = tmp_path / "caches" / model / "transformer-0"
        copy.mkdir(parents=True)
        with (copy / "model.safetensors").open("wb") as file:
            file.truncate(WHOLE_BYTES)
    (tmp_path / "models" / "mochi-1-preview").mkdir(parents=True)
    (tmp_path / "models" / "mochi-1-preview" / "model_index.json").write_text("{}")
    with Engine(tmp_path) as engine:
        yield engine


def test_a_removed_model_takes_its_kept_weights_with_it(studio: Engine) -> None:
    assert studio.downloads.remove(studio.models.card("mochi-1-preview")) == WHOLE_BYTES + 2
    assert [path.name for path in studio.places.caches.iterdir()] == ["wan2.1-t2v-1.3b"]


def test_the_doctor_says_how_much_is_kept_and_tidying_frees_it(studio: Engine) -> None:
    def said() -> str:
        return next(finding.finding for finding in examine(studio, with_take=False) if finding.name == "caches")

    assert "0.5 GB" in said()
    assert studio.downloads.tidy() == 2 * WHOLE_BYTES
    assert said().startswith("No weights") and studio.downloads.tidy() == 0
