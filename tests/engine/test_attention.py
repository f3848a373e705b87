"""The way through the attention: chosen with a reason, refused where it cannot be, taken by the real worker code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from engine import APP
from engine.attention import obstacle
from engine.card import ModelCard
from engine.catalog import Catalog
from engine.errors import BadSetting
from engine.planner import plan
from engine.types import Attention, Device, HardwareProfile, Plan, Request
from engine.worker import weights
from tests.engine import test_prompts
from tests.engine.test_placing import ADA, APPLE, CPU, PASCAL, machine
from tests.engine.test_prompts import Draw

draw = test_prompts.draw  # the fixture
CARDS = Catalog(APP / "presets" / "models").cards
FROM_TEXT = [card for card in CARDS.values() if card.needs == ("text",) and not card.not_yet]
WAN, COGVIDEOX, LTX = CARDS["wan2.1-t2v-1.3b"], CARDS["cogvideox-2b"], CARDS["ltx-video-2b-0.9.5"]
AMD = Device(id="cuda:0", name="AMD Radeon RX 7900 XTX", vram_gb=25.8, vram_free_gb=24)
TURING = ADA.model_copy(update={"compute_capability": "7.5"})


def planned(card: ModelCard, device: Device, **fields: Any) -> Plan:
    hardware: HardwareProfile = machine(8).model_copy(update={"devices": (device,)})
    return plan(Request(prompt="a red ball", seed=1, model=card.id, **fields), card, hardware)


@pytest.mark.parametrize("device", [CPU, APPLE, PASCAL, TURING, ADA, AMD], ids=lambda device: device.name)
def test_every_model_gets_a_way_that_works_here_and_the_reason_for_it(device: Device) -> None:
    for card in FROM_TEXT:
        made = planned(card, device)
        assert obstacle(made.placement.attention, card, device) == ""
        assert [reason for reason in made.reasons if reason.startswith("Attention by")]


@pytest.mark.parametrize(
    ("device", "card", "way"),
    [
        (PASCAL, WAN, "_native_efficient"),
        (TURING, WAN, "_native_efficient"),
        (PASCAL, COGVIDEOX, "native"),
        (ADA, WAN, "native"),
        (AMD, WAN, "native"),
        (CPU, WAN, "native"),
        (APPLE, WAN, "native"),
    ],
)
def test_cards_without_flash_kernels_get_the_way_that_needs_little_memory(
    device: Device, card: ModelCard, way: Attention
) -> None:
    assert planned(card, device).placement.attention == way


@pytest.mark.parametrize("way", ["native", "_native_cudnn", "_native_flash", "_native_efficient"])
def test_what_is_asked_for_is_taken_and_said(way: Attention) -> None:
    made = planned(WAN, ADA, attention=way)
    assert made.placement.attention == way and any("as asked" in reason for reason in made.reasons)


@pytest.mark.parametrize(
    ("device", "card", "way", "why"),
    [
        (CPU, WAN, "_native_flash", "NVIDIA"),
        (APPLE, WAN, "_native_efficient", "NVIDIA"),
        (PASCAL, WAN, "_native_cudnn", "too old"),
        (TURING, WAN, "_native_flash", "too old"),
        (ADA, LTX, "_native_flash", "mask"),
        (ADA, COGVIDEOX, "_native_cudnn", "built in"),
    ],
)
def test_what_is_unsafe_is_refused_with_the_reason(device: Device, card: ModelCard, way: Attention, why: str) -> None:
    with pytest.raises(BadSetting, match=why):
        planned(card, device, attention=way)


def ways_of(model: weights.Model) -> set[str]:
    processors = [getattr(part, "processor", None) for part in model.pipe.transformer.modules()]
    return {str(one._attention_backend) for one in processors if hasattr(one, "_attention_backend")}


def attending(made: Plan, way: Attention) -> Plan:
    return made.model_copy(update={"placement": made.placement.model_copy(update={"attention": way})})


def test_the_worker_switches_a_warm_model_by_diffusers_own_means_whatever_the_shell_says(
    draw: Draw, tiny_plan: Plan, tiny_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers.models.attention_dispatch import AttentionBackendName, _AttentionBackendRegistry

    monkeypatch.setattr(_AttentionBackendRegistry, "_active_backend", AttentionBackendName._NATIVE_MATH)
    shelf = weights.Shelf([tiny_home / "models"])
    clips = {}
    for way in ("native", "_native_flash", "native"):
        clips[way], told = draw(attending(tiny_plan, way), shelf)
        model = shelf.get(attending(tiny_plan, way), tmp_path)
        assert ways_of(model) == {str(AttentionBackendName(way))}
    assert "loading" not in told
    assert torch.allclose(clips["native"], clips["_native_flash"], atol=1e-3)
