"""A hub, a model on it, and the downloads of an empty data folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.install.downloads import Downloads
from engine.paths import Places, open_home
from engine.schema.card import ModelCard
from engine.storage.job_store import Store
from engine.storage.lora_library import Loras
from tests.engine.downloads.shapes import REPO, a_model
from tests.hub import Hub


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No token, no cache and no proxy of the person who runs the tests."""
    for name in ("HF_TOKEN", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, alone: None) -> Iterator[Hub]:
    with Hub() as hub:
        hub.add(REPO, a_model())
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def shapes(card: ModelCard) -> ModelCard:
    return card.model_copy(update={"id": "shapes-1.0", "name": "Shapes", "repo": REPO})


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return open_home(tmp_path / "home")


@pytest.fixture
def loras(places: Places) -> Iterator[Loras]:
    store = Store(places.database)
    yield Loras(places.loras, store)
    store.close()


@pytest.fixture
def downloads(places: Places, loras: Loras, alone: None) -> Iterator[Downloads]:
    downloads = Downloads(places, loras, patience=8)
    downloads.start()
    yield downloads
    downloads.close()
