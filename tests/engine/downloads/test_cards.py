"""Every card of the field can be listed from what a hub says, and an installed model is one that the worker loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import APP
from engine.install.downloader.hub_listing import part_files, parts_of
from engine.schema.card import ModelCard
from engine.schema.manifest import ManifestFile
from engine.storage.catalog import Catalog
from tests.conftest import PROMPT
from tests.hub import Hub

CARDS = [card for card in Catalog(APP / "presets" / "models").cards.values() if card.repo]


def of_hub(names: list[str]) -> dict[str, ManifestFile]:
    return {name: ManifestFile(name=name, path=name, bytes=1000, repo="a/b", commit="c" * 40) for name in names}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_every_card_finds_its_parts(card: ModelCard) -> None:
    """Whether the names are those of the real repositories cannot be seen here; that the card can be followed can."""
    suffix = f".{card.variant}" if card.variant else ""
    weight = f"diffusion_pytorch_model{suffix}.safetensors"
    own = [key for key, component in card.components.items() if not component.repo]
    index = {key: ["diffusers", "X"] for key in [*own, "scheduler", "tokenizer"]}
    main = of_hub([*(f"{key}/{file}" for key in own for file in ("config.json", weight, "x.bin")),
                   "scheduler/scheduler_config.json", "tokenizer/tokenizer.json", "model_index.json"])  # fmt: skip
    parts = parts_of(card, list(main), json.dumps(index))
    assert set(parts) == {*card.components, "scheduler", "tokenizer"}
    for part, component in parts.items():
        prefix = f"{component.folder}/" if component.folder else ""
        elsewhere = of_hub(
            [
                *(prefix + name for name in ("config.json", weight, *component.files, component.gguf) if name),
                "README.md",
            ]
        )
        files = part_files(elsewhere if component.repo else main, part, component, card.variant or "")
        assert files
        assert all(file.name.startswith(f"{part}/") and not file.name.endswith((".bin", ".md")) for file in files)
        if component.gguf:
            assert [file.name for file in files] == [f"{part}/{component.gguf}"]
        elif part in card.components and not component.files:
            assert f"{part}/{weight}" in [file.name for file in files]


@pytest.mark.slow
def test_what_was_installed_is_what_the_worker_makes_takes_with(hub: Hub, tiny_home: Path, tmp_path: Path) -> None:
    """From the hub to an MP4 by the commands alone; the second install of another version says what is there."""
    folder = tiny_home / "models" / "tiny-wan"
    hub.add("tiny/wan", {path.relative_to(folder).as_posix(): path.read_bytes()
                         for path in folder.rglob("*") if path.is_file() and path.name != "rushes.json"})  # fmt: skip
    home = tmp_path / "studio"
    (home / "presets" / "models").mkdir(parents=True)
    card = (tiny_home / "presets" / "models" / "tiny-wan.toml").read_text()
    (home / "presets" / "models" / "hub-wan.toml").write_text(
        card.replace('id = "tiny-wan"', 'id = "hub-wan"\nrepo = "tiny/wan"')
    )

    def app(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "app.py", *words], cwd=APP, env=os.environ | {"RUSHES_HOME": str(home)},
                              capture_output=True, text=True, timeout=250)  # fmt: skip

    quote = app("models", "install", "hub-wan", "--dry-run", "--json")
    assert json.loads(quote.stdout)["installed"] is False, quote.stderr
    assert json.loads(quote.stdout)["fits"] is True
    assert app("models", "install", "hub-wan").returncode == 0
    again = app("models", "install", "hub-wan", "--json")
    assert again.returncode == 1
    assert "already installed" in json.loads(again.stdout)["error"]["cause"]["text"]
    take = app("make", PROMPT, "--model", "hub-wan", "--frames", "9", "--steps", "2", "--take-only")
    assert take.returncode == 0, take.stderr
    assert Path(take.stdout.strip()).is_file()
    freed = app("models", "remove", "hub-wan", "--json")
    assert json.loads(freed.stdout)["bytes_freed"] > 10_000
    assert not (home / "models" / "hub-wan").exists()
