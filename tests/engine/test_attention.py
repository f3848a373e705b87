"""The way through the attention: chosen with a reason, refused where it cannot be, taken by the real worker code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from engine import APP
from engine.planning.compatibility import attention_obstacle
from engine.planning.planner import plan
from engine.schema import Attention, Device, HardwareProfile, Measured, Request, ShotPlan
from engine.schema.card import ModelCard
from engine.schema.errors import BadSetting, MachineProblem
from engine.storage.catalog import Catalog
from engine.worker import attention as worker_attention
from engine.worker.loading import pipeline_loader
from tests.engine import test_prompts
from tests.engine.test_placing import ADA, APPLE, CPU, PASCAL, machine
from tests.engine.test_prompts import Draw

draw = test_prompts.draw  # the fixture
CARDS = Catalog(APP / "presets" / "models").cards
FROM_TEXT = [card for card in CARDS.values() if card.needs == ("text",) and not card.not_yet]
WAN, COGVIDEOX, LTX = CARDS["wan2.1-t2v-1.3b"], CARDS["cogvideox-2b"], CARDS["ltx-video-2b-0.9.5"]
AMD = Device(id="cuda:0", name="AMD Radeon RX 7900 XTX", vram_gb=25.8, vram_free_gb=24)
TURING = ADA.model_copy(update={"compute_capability": "7.5"})


def planned(card: ModelCard, device: Device, installed: tuple[Attention, ...] = (), **fields: Any) -> ShotPlan:
    hardware: HardwareProfile = machine(8).model_copy(update={"devices": (device,), "attention_packages": installed})
    return plan(Request(prompt="a red ball", seed=1, model=card.id, **fields), card, hardware)


@pytest.mark.parametrize("device", [CPU, APPLE, PASCAL, TURING, ADA, AMD], ids=lambda device: device.name)
def test_every_model_gets_a_way_that_works_here_and_the_reason_for_it(device: Device) -> None:
    for card in FROM_TEXT:
        made = planned(card, device)
        assert attention_obstacle(made.placement.attention, card, device, ()) == ""
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


TESTED = ADA.model_copy(update={"measured": Measured(
    products=1.5e14, attention=1e14, ways={"native": 1e14, "_native_cudnn": 1.04e14, "flash": 1.3e14, "sage": 2.4e14},
)})  # fmt: skip


@pytest.mark.parametrize(
    ("card", "installed", "faster", "way"),
    [
        (WAN, ("flash", "sage"), False, "flash"),  # what rounds is taken only where less exact is fine
        (WAN, ("flash", "sage"), True, "sage"),
        (WAN, ("sage",), False, "native"),  # nothing exact pays
        (WAN, (), True, "native"),  # it was there when the card was tested
        (LTX, ("flash", "sage"), True, "native"),  # it has a mask
        (COGVIDEOX, ("flash",), False, "native"),  # it is built in
    ],
)
def test_what_was_faster_when_the_card_was_tested_is_taken_where_it_may_be(
    card: ModelCard, installed: tuple[Attention, ...], faster: bool, way: Attention
) -> None:
    made = planned(card, TESTED, installed, faster=faster)
    assert made.placement.attention == way
    assert any("times as fast" in reason for reason in made.reasons) == (way != "native")
    assert any("8 bits" in reason for reason in made.reasons) == (way == "sage")


def test_what_is_installed_waits_for_a_test_of_the_card_and_its_speed_is_in_the_forecast() -> None:
    before = ADA.model_copy(update={"measured": Measured(products=1.5e14, attention=1e14, ways={"native": 1e14})})
    for device in (ADA, before):  # never tested, or tested before it was installed
        assert any("test the card" in reason for reason in planned(WAN, device, ("sage",)).reasons)
    assert not any("test the card" in reason for reason in planned(WAN, TESTED, ("sage",)).reasons)
    slow, fast = (planned(WAN, TESTED, installed).forecast.render_seconds for installed in ((), ("flash",)))
    assert fast[1] < slow[1]


def test_a_package_that_computes_wrongly_ends_the_job_before_its_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusers.models import attention_dispatch
    from diffusers.models.attention_dispatch import AttentionBackendName, _AttentionBackendRegistry

    monkeypatch.setattr(attention_dispatch, "_check_attention_backend_requirements", lambda way: None)

    def drawn_by(kernel: Callable[..., torch.Tensor]) -> None:
        worker_attention.check.cache_clear()
        monkeypatch.setitem(_AttentionBackendRegistry._backends, AttentionBackendName.SAGE, kernel)
        worker_attention.check("sage", "cpu", torch.float32, 64)

    def right(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **_: Any) -> torch.Tensor:
        found = torch.nn.functional.scaled_dot_product_attention(*(x.transpose(1, 2) for x in (query, key, value)))
        return found.transpose(1, 2)

    drawn_by(right)
    for wrong in (lambda **given: right(**given) * 1.2, lambda **given: right(**given) * float("nan")):
        with pytest.raises(MachineProblem, match="SageAttention does not compute rightly"):
            drawn_by(wrong)
    worker_attention.check.cache_clear()


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
        (ADA, WAN, "sage", "not installed"),
        (ADA, LTX, "flash", "mask"),
    ],
)
def test_what_is_unsafe_is_refused_with_the_reason(device: Device, card: ModelCard, way: Attention, why: str) -> None:
    with pytest.raises(BadSetting, match=why):
        planned(card, device, attention=way)


def ways_of(model: pipeline_loader.Model) -> set[str]:
    processors = [getattr(part, "processor", None) for part in model.pipe.transformer.modules()]
    return {str(one._attention_backend) for one in processors if hasattr(one, "_attention_backend")}


def attending(made: ShotPlan, way: Attention) -> ShotPlan:
    return made.model_copy(update={"placement": made.placement.model_copy(update={"attention": way})})


def test_the_worker_switches_a_warm_model_by_diffusers_own_means_whatever_the_shell_says(
    draw: Draw, tiny_plan: ShotPlan, tiny_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers.models.attention_dispatch import AttentionBackendName, _AttentionBackendRegistry

    monkeypatch.setattr(_AttentionBackendRegistry, "_active_backend", AttentionBackendName._NATIVE_MATH)
    shelf = pipeline_loader.PipelineCache([tiny_home / "models"])
    clips = {}
    for way in ("native", "_native_flash", "native"):
        clips[way], told = draw(attending(tiny_plan, way), shelf)
        model = shelf.get(attending(tiny_plan, way), tmp_path)
        assert ways_of(model) == {str(AttentionBackendName(way))}
    assert "loading" not in told
    assert torch.allclose(clips["native"], clips["_native_flash"], atol=1e-3)
