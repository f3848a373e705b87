"""A studio whose screens are full, before a real browser. No take is made here: the queue is paused, and what lies in
the library was put there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine import APP, Engine
from engine.storage.library import TAKE_FILES
from tests.engine.downloads.shapes import REPO, a_model
from tests.hub import Hub
from tests.ui.conftest import RED_BALL, Served, put_take

MODEL = "shapes-1.0"
WAIT_MS = 60_000
SCREENS = ("Create", "Queue", "Library", "Models", "My machine")


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        hub.add(REPO, a_model())
        yield hub


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, hub: Hub) -> Iterator[Served]:
    """A studio with three takes in its library, a model to install from the hub beside it, and a paused queue."""
    home = tmp_path_factory.mktemp("home")
    with Engine(home) as engine:
        for name in ("20260101-120000-a-red-ball-ab12", "20260102-120000-a-red-ball-cd34"):
            put_take(engine, name)
        folder = put_take(engine, "20260103-120000-a-green-box-ef56")
        for path in (folder / name for name in TAKE_FILES if name.endswith(".json")):
            path.write_text(path.read_text().replace(RED_BALL, "a green box goes up over the sea"))
        engine.queue.pause(True)
    card = (APP / "presets" / "models" / "starter.toml").read_text()
    card = card.replace('id = "starter"', f'id = "{MODEL}"\nrepo = "{REPO}"').replace(
        'name = "Starter"', 'name = "Shapes"'
    )
    (home / "presets" / "models").mkdir(parents=True)
    (home / "presets" / "models" / f"{MODEL}.toml").write_text(card)
    served = Served(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.setenv("HF_HOME", str(home / "hf"))
        patch.setenv("NO_PROXY", "localhost,127.0.0.1")
        served.start()
    yield served
    served.stop()
