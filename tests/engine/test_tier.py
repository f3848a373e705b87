"""Tiers are data: each machine gets the one that fits, and Draft, Standard and Best obey the model's own rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import APP, Engine, Request, Tier
from engine.card import ModelCard
from engine.catalog import Catalog, Presets
from engine.errors import UnknownName
from engine.planner import plan
from engine.tier import apply, choose
from engine.types import Device, HardwareProfile, Outcome, Overrides

CARDS = Catalog(APP / "presets" / "models").cards
TIERS = {tier.id: tier for tier in Presets(APP / "presets", APP / "presets").all(Tier)}
RUNNABLE = [card for card in CARDS.values() if not card.not_yet and card.needs == ("text",)]
OUTCOMES: tuple[Outcome, ...] = ("draft", "standard", "best")


def machine(*devices: tuple[str, float]) -> HardwareProfile:
    found = tuple(Device(id=name, name="GPU", vram_gb=size, vram_free_gb=size) for name, size in devices)
    return HardwareProfile(system="Linux", devices=(*found, Device(id="cpu", name="CPU")), cpu_count=8, ram_gb=64,
                           ram_free_gb=60, page_file_gb=0, disk_free_gb=900)  # fmt: skip


@pytest.mark.parametrize(
    ("devices", "tier"),
    [
        ([], "cpu"),
        ([("mps", 48.0)], "apple"),
        ([("cuda:0", 6.4)], "small"),
        ([("cuda:0", 12.9)], "entry"),
        ([("cuda:0", 17.2)], "entry"),
        ([("cuda:0", 25.8)], "professional"),
        ([("cuda:0", 34.2)], "professional"),
        ([("cuda:0", 51.5)], "workstation"),
        ([("cuda:0", 25.8), ("cuda:1", 25.8)], "several"),
        ([("cuda:0", 85.5), ("cuda:1", 85.5)], "workstation"),
        ([("cuda:0", 12.9), ("cuda:1", 12.9)], "entry"),
    ],
)
def test_a_machine_gets_the_tier_that_fits(devices: list[tuple[str, float]], tier: str) -> None:
    assert choose(TIERS.values(), machine(*devices)).id == tier


def test_every_tier_names_the_three_outcomes_and_only_models_that_exist() -> None:
    for tier in TIERS.values():
        assert set(tier.outcomes) == set(OUTCOMES) and tier.models.keys() <= CARDS.keys()


@pytest.mark.parametrize("tier", TIERS.values(), ids=lambda tier: tier.id)
def test_outcomes_are_legal_for_every_model_and_grow(tier: Tier) -> None:
    for card in RUNNABLE:
        work = []
        for outcome in OUTCOMES:
            request = Request(prompt="a red ball", model=card.id, seed=1, aspect="wide", outcome=outcome)
            filled, reason = apply(tier, request, card)
            made = plan(filled, card, machine(("cuda:0", 51.5)))
            assert not [word for word in made.reasons if "instead of" in word], (card.id, outcome, made.reasons)
            assert tier.name in reason
            work.append(made.render.operations)
        assert work == sorted(work), card.id


def test_what_was_asked_for_by_number_stays() -> None:
    asked = Request(prompt="a", model="wan2.1-t2v-14b", outcome="draft", seconds=4,
                    render=Overrides(width=640, height=480, num_inference_steps=33))  # fmt: skip
    filled, _ = apply(TIERS["entry"], asked, CARDS["wan2.1-t2v-14b"])
    assert filled == asked


def test_a_workstation_goes_to_what_the_family_can() -> None:
    card = CARDS["ltx-2.3"]
    filled, _ = apply(TIERS["workstation"], Request(prompt="a", aspect="wide", outcome="best"), card)
    assert filled.render.width == 1920 and filled.num_frames == card.frames.maximum


def test_a_person_keeps_to_a_tier_and_lets_go(tmp_path: Path) -> None:
    with Engine(tmp_path) as studio:
        fits = studio.tier()
        own = studio.save_preset("My laptop", TIERS["small"])
        assert studio.choose_tier(own.id).name == "My laptop" and (tmp_path / "presets" / "tiers").is_dir()
        assert studio.choose_tier(None) == fits
        with pytest.raises(UnknownName):
            studio.choose_tier("../../etc")


def test_a_machine_that_no_tier_fits_gets_one_all_the_same() -> None:
    assert choose([TIERS["apple"]], machine()).id == "apple"


def test_an_outcome_is_planned_and_said(tmp_path: Path, card: ModelCard) -> None:
    with Engine(tmp_path) as studio:
        request = Request(prompt="a red ball", outcome="draft")
        made = studio.plan(request)
        assert made.render.num_frames < card.frames.default
        assert any("Draft" in reason for reason in made.reasons)
