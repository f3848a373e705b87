"""The content filter is the person's own: off without a file, whole words with one, and said in the plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import Engine, Request
from engine.schema.errors import BadFile, BadPrompt


def test_without_a_file_there_is_no_filter(tmp_path: Path) -> None:
    with Engine(tmp_path) as studio:
        assert studio.plan(Request(prompt="a red ball")).filtered_by == ""


def test_a_listed_phrase_is_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "filter.txt").write_text("# mine\nred ball\n\nBlue  # remark\n")
    with Engine(tmp_path) as studio:
        for prompt in ("a RED   ball", "on a blue background"):
            with pytest.raises(BadPrompt, match="word list"):
                studio.plan(Request(prompt=prompt))
        allowed = studio.plan(Request(prompt="a red balloon is a ball, blueish"))
    assert allowed.filtered_by == "a word list of 2"


def test_an_unreadable_list_is_a_sentence_and_not_no_filter(tmp_path: Path) -> None:
    (tmp_path / "filter.txt").write_bytes(b"\xff\xfe\x00 not text \x81")
    with Engine(tmp_path) as studio, pytest.raises(BadFile, match="cannot be read"):
        studio.plan(Request(prompt="a red ball"))
