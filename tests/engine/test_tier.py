"""Tiers are data: each machine gets the one that fits, and Draft, Standard and Best obey the model's own rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import APP, Engine, Request, Tier
from engine.planning.planner import plan
from engine.planning.recommendations import example
from engine.planning.tiers import apply, choose
from engine.schema import Device, HardwareProfile, Outcome, Overrides
from engine.schema.card import ModelCard
from engine.schema.errors import BadSetting, UnknownName
from engine.storage.catalog import Catalog, Presets, machines

CARDS = Catalog(APP / "presets" / "models").cards
TIERS = {tier.id: tier for tier in Presets(APP / "presets", APP / "presets").all(Tier)}
RUNNABLE = [card for card in CARDS.values() if not card.not_yet]
OUTCOMES: tuple[Outcome, ...] = ("draft", "standard", "best")


def test_a_drafts_take_never_computes_more_than_the_render_that_it_saves(tmp_path: Path) -> None:
    with Engine(tmp_path) as studio:
        for there in [*studio.machine.known_machines().values()][::4]:
            for card in (card for card in RUNNABLE if card.needs == ("text",)):
                made = studio.plan(Request(prompt="a red ball", model=card.id, seed=1, outcome="draft"), there)
                assert made.take.operations <= made.render.operations, (card.id, there.system)


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
            request = example(card, outcome)
            filled, reason = apply(tier, request, card)
            made = plan(filled, card, machine(("cuda:0", 51.5)))
            assert not [word for word in made.reasons if "instead of" in word], (card.id, outcome, made.reasons)
            assert tier.name in reason
            work.append(made.render.operations)
        assert work == sorted(work), card.id


def test_what_was_asked_for_by_number_stays() -> None:
    asked = Request(prompt="a", model="wan2.1-t2v-14b", outcome="draft", seconds=4,
                    take=Overrides(num_inference_steps=9),
                    render=Overrides(width=640, height=480, num_inference_steps=33))  # fmt: skip
    filled, _ = apply(TIERS["entry"], asked, CARDS["wan2.1-t2v-14b"])
    assert filled == asked


def test_a_workstation_goes_to_what_the_family_can_and_that_is_planned() -> None:
    workstation = machines(APP / "presets" / "machines")["rtx-6000-ada"]
    best = {}
    for model, image in (("ltx-2.3-distilled", {}), ("ltx-2.3", {}), ("framepack-i2v-13b", {"image": "0" * 32})):
        asked = Request(prompt="a", model=model, seed=1, aspect="wide", outcome="best", pictures=image)
        made = plan(apply(TIERS["workstation"], asked, CARDS[model])[0], CARDS[model], workstation)
        assert made.forecast.verdict in ("comfortable", "offloads", "tight"), (model, made.forecast)
        best[model] = made.render
    four_k, long = best["ltx-2.3-distilled"], best["framepack-i2v-13b"]
    assert four_k.width * four_k.height > 7.5e6 and max(four_k.width, four_k.height) <= 3840
    assert long.seconds >= 30 and best["ltx-2.3"].seconds >= 9


def test_a_person_keeps_to_a_tier_and_lets_go(tmp_path: Path) -> None:
    with Engine(tmp_path) as studio:
        fits = studio.machine.tier()
        own = studio.presets.keep("My laptop", TIERS["small"])
        assert studio.machine.choose_tier(own.id).name == "My laptop" and (tmp_path / "presets" / "tiers").is_dir()
        assert studio.machine.choose_tier(None) == fits
        with pytest.raises(UnknownName):
            studio.machine.choose_tier("../../etc")


def test_a_machine_that_no_tier_fits_gets_one_all_the_same() -> None:
    assert choose([TIERS["apple"]], machine()).id == "apple"


def test_an_outcome_is_planned_and_said(tmp_path: Path, card: ModelCard) -> None:
    with Engine(tmp_path) as studio:
        request = Request(prompt="a red ball", outcome="draft")
        made = studio.plan(request)
        assert made.render.num_frames < card.frames.default
        assert any("Draft" in reason for reason in made.reasons)


def test_a_persons_own_meaning_of_an_outcome_is_kept_and_used(tmp_path: Path) -> None:
    with Engine(tmp_path) as studio:
        asked = Request(
            prompt="a red ball", outcome="draft", seed=1, num_frames=9, render=Overrides(width=128, height=128)
        )
        own = studio.keep_outcome(asked)
        again = studio.plan(Request(prompt="a red ball", outcome="draft", seed=1))
        assert (again.render.num_frames, again.render.size) == (9, "128x128") and studio.machine.tier() == own
        assert studio.plan(Request(prompt="a red ball", outcome="best")).render.num_frames > 9
        studio.keep_outcome(asked.model_copy(update={"num_frames": 13}))
        assert [tier.name for tier in studio.machine.tiers() if studio.presets.is_own(tier)] == ["My own"]
        with pytest.raises(BadSetting):
            studio.keep_outcome(Request(prompt="a red ball"))


@pytest.mark.parametrize("text", ["", "nonsense", 'id = "mine"\nkind = "tier"\nformat = 2\nname = "Mine"', "\x00"])
def test_a_tier_whose_file_broke_is_named_and_another_one_is_used(text: str, tmp_path: Path) -> None:
    with Engine(tmp_path) as studio:
        fits = studio.machine.tier()
        own = studio.presets.keep("Mine", TIERS["small"])
        assert studio.machine.choose_tier(own.id) == own
        (tmp_path / "presets" / "tiers" / "mine.toml").write_text(text)
        assert studio.machine.tier() == fits and studio.plan(Request(prompt="a red ball", outcome="draft"))
        assert any("mine.toml" in problem.cause for problem in studio.presets.problems())
