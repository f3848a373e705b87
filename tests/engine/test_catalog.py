"""Cards: every one of ours is whole, and a broken one is named, never obeyed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import APP
from engine.schema.errors import BadFile, UnknownName
from engine.schema.shot import RECORDED
from engine.storage.catalog import Catalog, read_card

FOLDER = APP / "presets" / "models"
STARTER = (FOLDER / "starter.toml").read_text()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_card_is_whole_and_consistent(path: Path) -> None:
    card = read_card(path)
    rule = card.frames
    assert {card.pipeline, card.image_pipeline or card.pipeline, card.guided_pipeline or card.pipeline} <= RECORDED
    assert (rule.default - 1) % rule.step == 0 and rule.minimum <= rule.default <= rule.maximum
    for stage in (card.take, card.render):
        assert set(stage.sizes) == {"square", "wide", "tall"}
        for size in stage.sizes.values():
            for side in (size.width, size.height):
                assert side % card.size.multiple == 0 and card.size.minimum <= side <= card.size.maximum
    assert card.sigma.close < card.sigma.default < card.sigma.detail
    assert "transformer" in card.components and card.licence.name
    assert (APP / "engine" / "worker" / "families" / f"{card.family}.py").is_file()


@pytest.mark.parametrize(
    ("what", "old", "new", "named"),
    [
        ("not TOML", 'id = "starter"', "id = = =", "cannot be read"),
        ("another name", 'id = "starter"', 'id = "other"', "calls itself"),
        ("a path in the id", 'id = "starter"', 'id = "../etc"', "'id'"),
        ("a path in the family", 'family = "wan"', 'family = "../../os"', "'family'"),
        ("a missing field", "[sigma]", "[sigma2]", "sigma"),
        ("an unknown field", "[sigma]", "surprise = 1\n[sigma]", "surprise"),
        ("a wrong type", "fps = 12", 'fps = "many"', "'frames.fps'"),
        ("not a number", "default = 0.5", "default = nan", "'sigma.default'"),
    ],
)
def test_a_broken_card_is_refused_by_the_field(what: str, old: str, new: str, named: str, tmp_path: Path) -> None:
    broken = tmp_path / "starter.toml"
    assert old in STARTER
    broken.write_text(STARTER.replace(old, new))
    with pytest.raises(BadFile, match=named):
        read_card(broken)


def test_a_bomb_of_a_card_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / "deep.toml"
    deep.write_text("a = " + "[" * 100_000 + "]" * 100_000)
    with pytest.raises(BadFile):
        read_card(deep)
    (tmp_path / "large.toml").write_text("#" * 10_000_000)
    with pytest.raises(BadFile, match="too large"):
        read_card(tmp_path / "large.toml")


def test_one_broken_card_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("nonsense")
    found = Catalog(FOLDER, tmp_path)
    assert "starter" in found.cards and "bad" not in found.cards
    assert "bad.toml" in found.problems[0].cause


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownName) as refusal:
        Catalog(FOLDER).card("nonesuch")
    assert "starter" in refusal.value.remedy


def test_the_starters_card_lists_the_words_it_was_trained_on() -> None:
    trained = (APP / "models" / "starter" / "vocabulary.txt").read_text().split()
    assert list(read_card(FOLDER / "starter.toml").prompt.words) == trained


# ---- where the numbers come from ----

SOURCE = re.compile(  # a place to look it up, how it was counted, or whose choice it is
    r"https?://|\w\.(com|py|yaml|json|toml|md)\b|/models/|\[(take|render)\]|README|docs|diffusers|benchmarks|hub\b|"
    r"listing|config|repo\b|reference|yaml|bytes|settings only|VAE|patch|trained|counted|this app's choice|fits within|"
    r"working assumption|guidance is|by its name|as the transformer|heads x|pipeline|bf16|starter/|the same|"
    r"(?-i:[A-Z]+_[A-Z]+)",
    re.IGNORECASE,
)


def unsourced(text: str) -> list[str]:
    """The numbers of a card that have no source: beside them, above them in their table, or right above its heading."""
    table, said, bare = "", "", []
    for line in text.splitlines():
        if line.startswith("["):
            table = line
        elif line.startswith("#"):
            said += line
        elif not line.strip():
            said, table = "", "" if not said else table
        else:
            key, _, value = re.sub(r'"[^"]*"', "text", line).partition("=")
            value, _, beside = value.partition("#")
            if table and re.search(r"\d", value) and not SOURCE.search(beside + said):
                bare.append(f"{table} {key.strip()}")
    return bare


@pytest.mark.parametrize("path", sorted((APP / "presets" / "models").glob("*.toml")), ids=lambda path: path.stem)
def test_every_number_of_a_card_says_where_it_comes_from(path: Path) -> None:
    assert unsourced(path.read_text()) == []


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("[size]\nminimum = 3\n", ["[size] minimum"]),
        ("[size]\nminimum = 3    # nice\n", ["[size] minimum"]),
        ("[size]\nminimum = 3    # README\n\n[frames]\nfps = 8\n", ["[frames] fps"]),
        ("[size]\n# README: 1280x720\nminimum = 3\n\n[frames]\nfps = 8\n", ["[frames] fps"]),
        ("# wan/configs.py\n[size]\nminimum = 3\n", []),
        ('id = "wan2.1"\n\n[licence]\nname = "Apache-2.0"\n', []),
    ],
)
def test_a_number_without_a_source_is_found(text: str, bare: list[str]) -> None:
    assert unsourced(text) == bare
