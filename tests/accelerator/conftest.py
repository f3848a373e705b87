"""The pretend card, made known to torch once in a test process; where there is no compiler, its tests are skipped."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import torch

from tests.accelerator import pretend


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    gc.collect()
    gc.freeze()  # the libraries stay, and a worker that frees memory collects what there is
    if not pretend.install():
        pytest.skip("there is no C++ compiler to build the pretend card with")


@pytest.fixture(autouse=True)
def as_a_worker() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture
def card() -> Iterator[pretend.Card]:
    """The first card: no cap, nothing seen yet."""
    gc.collect()  # what tests before this one left would go in the middle of it
    found = pretend.CARDS[0]
    found.cap(0)
    found.reset()
    yield found
    found.cap(0)
