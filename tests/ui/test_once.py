"""A click that makes or deletes something counts once."""

from __future__ import annotations

import time

from ui.page.actions.dispatch import action
from ui.page.once import Once


def test_the_same_counts_once_while_it_is_done_and_a_moment_after_and_then_again() -> None:
    once = Once(seconds=0.05)
    with once.first("a") as first, once.first("a") as second, once.first("b") as other:
        assert (first, second, other) == (True, False, True)
    with once.first("a") as third:
        assert not third
    time.sleep(0.1)
    with once.first("a") as later:
        assert later


def test_what_went_wrong_can_be_tried_again() -> None:
    once = Once(seconds=0)
    for _ in range(2):
        try:
            with once.first("a") as first:
                assert first
                raise OSError
        except OSError:
            pass


def test_whatever_queues_downloads_or_deletes_counts_once_and_what_moves_a_step_does_not() -> None:
    for name in ("render", "vary", "again", "retry", "install", "fetch", "erase", "delete", "extend"):
        assert action[name].once, name
    assert not action["earlier"].once and not action["later"].once
