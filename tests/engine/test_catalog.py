"""Cards: every one of ours is whole, and a broken one is named, never obeyed."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import APP
from engine.catalog import Catalog, read_card
from engine.errors import BadFile, UnknownName

FOLDER = APP / "presets" / "models"
STARTER = (FOLDER / "starter.toml").read_text()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_card_is_whole_and_consistent(path: Path) -> None:
    card = read_card(path)
    rule = card.frames
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
        ("not a number", "default = 0.65", "default = nan", "'sigma.default'"),
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
