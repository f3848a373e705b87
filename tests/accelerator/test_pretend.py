"""The pretend card is a card: what would fail or be wrong on a real one fails or is wrong on it."""

from __future__ import annotations

import math

import pytest
import torch

from tests.accelerator import pretend
from tests.accelerator.pretend import Card


def test_devices_do_not_mix(card: Card) -> None:
    there = torch.ones(3, device=card.device)
    for other in (torch.ones(3), torch.ones(3, device="pretend:1")):
        with pytest.raises(RuntimeError, match="same device"):
            there + other
    with pytest.raises(RuntimeError, match="Input type"):
        torch.nn.functional.conv2d(torch.ones(1, 1, 4, 4, device=card.device), torch.ones(1, 1, 2, 2))


def test_a_card_that_is_full_says_so_and_its_memory_comes_back(card: Card) -> None:
    card.cap(card.live + 2_000_000)
    kept = torch.empty(250_000, device=card.device)
    with pytest.raises(torch.OutOfMemoryError):
        torch.empty(400_000, device=card.device)
    del kept
    torch.empty(400_000, device=card.device)
    assert card.peak <= 2_000_000 + card.live


def test_each_card_has_memory_of_its_own(card: Card) -> None:
    before = pretend.CARDS[1].live
    held = torch.empty(250_000, device="pretend:1")
    assert pretend.CARDS[1].live - before == 1_000_448 and held.device.index == 1 and card.peak == card.live


def test_what_a_copy_brings_is_not_there_before_it_was_waited_for(card: Card) -> None:
    pretend.seed(1)
    source, stream = torch.ones(64).pin_memory(), torch.Stream(device=card.device)
    with stream:
        there = source.to(card.device, non_blocking=True)
    assert math.isnan(float(there[0]))
    stream.synchronize()
    assert float(there.sum()) == 64


def test_an_event_is_enough_to_wait_for(card: Card) -> None:
    pretend.seed(1)
    source, stream = torch.ones(64).pin_memory(), torch.Stream(device=card.device)
    with stream:
        there = source.to(card.device, non_blocking=True)
    done = stream.record_event()
    torch.accelerator.current_stream().wait_event(done)
    assert float(there.sum()) == 64


def test_what_the_host_reads_early_is_not_there_either(card: Card) -> None:
    there, here = torch.ones(64, device=card.device), torch.zeros(64).pin_memory()
    here.copy_(there, non_blocking=True)
    assert math.isnan(float(here[0]))
    torch.accelerator.synchronize()
    assert float(here.sum()) == 64


def test_memory_that_is_still_read_is_free_only_when_the_host_has_waited(card: Card) -> None:
    before, stream = card.live, torch.Stream(device=card.device)
    with stream:
        weight = torch.ones(1000, 1000).pin_memory().to(card.device, non_blocking=True)
    weight.record_stream(torch.accelerator.current_stream())
    stream.synchronize()
    result = weight.sum()
    del weight
    assert card.live > before + 3_000_000
    assert float(result) == 1_000_000
    torch.accelerator.synchronize()
    assert card.live < before + 1_000_000 and not card.races


def test_memory_given_back_while_it_is_read_is_a_race(card: Card) -> None:
    stream = torch.Stream(device=card.device)
    with stream:
        weight = torch.ones(10).pin_memory().to(card.device, non_blocking=True)
    stream.synchronize()
    result = weight + 1
    del weight
    assert card.races == 1 and float(result[0]) == 2


def test_locked_memory_is_rounded_up_and_kept_as_torchs_own() -> None:
    torch.accelerator.empty_host_cache()
    live, reserved = pretend.pinned()
    block = torch.empty(1_100_000, dtype=torch.uint8).pin_memory()
    assert block.is_pinned() and pretend.pinned()[0] - live == 2**21
    del block
    assert pretend.pinned() == (live, reserved + 2**21)
    torch.accelerator.empty_host_cache()
    assert pretend.pinned()[1] == reserved


def test_attention_holds_nothing_of_tokens_squared_but_by_the_plain_way(card: Card) -> None:
    words = torch.randn(1, 1, 2000, 8, device=card.device)
    card.reset()
    torch.nn.functional.scaled_dot_product_attention(words, words, words)
    assert card.peak - card.live < 2 * words.nbytes
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        torch.nn.functional.scaled_dot_product_attention(words, words, words)
    assert card.peak - card.live > 4 * 2000**2


def test_the_workspace_of_a_convolution_is_told_apart(card: Card) -> None:
    picture, weight = (torch.randn(shape, device=card.device) for shape in ((1, 4, 64, 64), (8, 4, 3, 3)))
    card.reset()
    torch.nn.functional.conv2d(picture, weight)
    assert card.imitated == 0
    card.workspace(10**9)
    try:
        card.reset()
        made = torch.nn.functional.conv2d(picture, weight)
    finally:
        card.workspace(0)
    touched = sum(it.nbytes for it in (picture, weight, made))
    assert card.imitated == touched <= card.peak - card.live + made.nbytes
