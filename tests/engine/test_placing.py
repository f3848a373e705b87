"""Placement is arithmetic: whole where it fits, streamed where it does not, smaller formats last and said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import APP
from engine.planning.compatibility import obstacle
from engine.planning.cost import memory
from engine.planning.planner import plan
from engine.schema import Device, HardwareProfile, Held, Overrides, Request, ShotPlan
from engine.schema.card import ModelCard
from engine.schema.errors import BadSetting
from engine.storage.catalog import Catalog

CARDS = Catalog(APP / "presets" / "models").cards
FITS_FROM_TEXT = [card for card in CARDS.values() if card.needs == ("text",) and not card.not_yet]


def machine(vram_gb: float, ram_gb: float = 64.0, capability: str = "8.9") -> HardwareProfile:
    card = Device(id="cuda:0", name=f"a card of {vram_gb:g} GB", vram_gb=vram_gb, vram_free_gb=vram_gb * 0.95,
                  compute_capability=capability, driver="580.1")  # fmt: skip
    cpu = Device(id="cpu", name="a CPU")
    return HardwareProfile(system="Linux", devices=(card, cpu), cpu_count=8, ram_gb=ram_gb, ram_free_gb=ram_gb * 0.9,
                           page_file_gb=16, disk_free_gb=1000)  # fmt: skip


CPU_ONLY = machine(0).model_copy(update={"devices": (Device(id="cpu", name="a CPU"),)})


def planned(card: ModelCard, hardware: HardwareProfile, **fields: Any) -> ShotPlan:
    return plan(Request(prompt="a red ball on a blue background", seed=1, model=card.id, **fields), card, hardware)


@pytest.mark.parametrize("card", FITS_FROM_TEXT, ids=lambda card: card.id)
def test_every_model_has_a_plan_on_every_card_and_a_reason(card: ModelCard) -> None:
    for vram_gb in (6, 8, 12, 16, 24, 48, 80):
        made = planned(card, machine(vram_gb))
        assert made.reasons and made.forecast.verdict in ("comfortable", "tight", "offloads", "unlikely")
        for run in (made.take, made.render):
            assert run.width % card.size.multiple == 0 and run.height % card.size.multiple == 0
            assert (run.num_frames - card.frames.offset) % card.frames.step == 0


@pytest.mark.parametrize("card", FITS_FROM_TEXT, ids=lambda card: card.id)
def test_more_memory_never_gives_a_worse_verdict(card: ModelCard) -> None:
    order = ["unlikely", "tight", "offloads", "comfortable"]
    ranks = [
        order.index(planned(card, machine(vram_gb)).forecast.verdict) for vram_gb in (6, 8, 12, 16, 24, 48, 80, 141)
    ]
    assert ranks == sorted(ranks)


def test_a_small_model_runs_whole_on_a_large_card() -> None:
    made = planned(CARDS["wan2.1-t2v-1.3b"], machine(24))
    assert made.placement.offload == "resident" and made.placement.precision == "full"


def test_a_large_model_is_streamed_at_full_precision_before_it_is_made_smaller() -> None:
    made = planned(CARDS["wan2.1-t2v-14b"], machine(16, ram_gb=128))
    assert (made.placement.offload, made.placement.precision) == ("group", "full")
    assert made.forecast.verdict == "offloads" and made.forecast.vram_gb <= 16


def test_little_ram_asks_for_smaller_weights_and_says_that_the_picture_changes() -> None:
    made = planned(CARDS["wan2.1-t2v-14b"], machine(16, ram_gb=32))
    assert made.placement.precision != "full"
    assert any("changes the picture" in reason for reason in made.reasons)


def test_what_cannot_fit_is_unlikely_and_still_planned() -> None:
    made = planned(CARDS["wan2.2-t2v-a14b"], machine(4, ram_gb=8))
    assert made.forecast.verdict == "unlikely"
    assert any("probably not run" in reason for reason in made.reasons)


@pytest.mark.parametrize(
    ("capability", "dtype"), [("6.1", "float16"), ("7.5", "float16"), ("8.6", "bfloat16"), ("12.0", "bfloat16")]
)
def test_the_number_format_is_one_that_the_card_computes_in(capability: str, dtype: str) -> None:
    assert planned(CARDS["starter"], machine(8, capability=capability)).placement.dtype == dtype


CPU = Device(id="cpu", name="a CPU")
APPLE = Device(id="mps", name="Apple GPU", vram_gb=24, vram_free_gb=20)
PASCAL = Device(id="cuda:0", name="an old card", vram_gb=8, vram_free_gb=8, compute_capability="6.1")
ADA = PASCAL.model_copy(update={"name": "a new card", "compute_capability": "8.9"})
GGUF = {"transformer": CARDS["wan2.1-t2v-1.3b"].components["transformer"].model_copy(update={"gguf": "w-Q4_0.gguf"})}
CANNOT: list[tuple[Device, dict[str, Any], bool, str]] = [
    (CPU, {"precision": "nf4"}, False, "NVIDIA"),
    (CPU, {"precision": "int8"}, False, "NVIDIA"),
    (CPU, {"offload": "group"}, False, "nothing to offload"),
    (CPU, {"offload": "model"}, False, "nothing to offload"),
    (APPLE, {"precision": "nf4"}, False, "NVIDIA"),
    (APPLE, {"precision": "int8"}, False, "NVIDIA"),
    (APPLE, {"precision": "fp8"}, False, "fp8"),
    (APPLE, {"offload": "group"}, False, "own memory"),
    (APPLE, {"offload": "model"}, False, "own memory"),
    (PASCAL, {"precision": "int8"}, False, "too old"),
    (ADA, {"precision": "int8", "offload": "group"}, False, "streamed"),
    (ADA, {"precision": "gguf"}, False, "does not come as a GGUF"),
    (ADA, {"precision": "int8"}, True, "smaller already"),
    (ADA, {"precision": "fp8"}, True, "smaller already"),
    (ADA, {"precision": "nf4"}, True, "smaller already"),
    (ADA, {"precision": "full"}, True, "smaller already"),
]


@pytest.mark.parametrize(("device", "fields", "gguf", "why"), CANNOT)
def test_a_combination_that_does_not_work_is_refused_with_the_reason(
    device: Device, fields: dict[str, Any], gguf: bool, why: str
) -> None:
    card = CARDS["wan2.1-t2v-1.3b"]
    card = card.model_copy(update={"components": card.components | GGUF}) if gguf else card
    hardware = machine(8).model_copy(update={"devices": (device,)})
    with pytest.raises(BadSetting, match=why):
        planned(card, hardware, **fields)


@pytest.mark.parametrize("device", [CPU, APPLE, PASCAL, ADA], ids=lambda device: device.name)
@pytest.mark.parametrize("gguf", [False, True])
def test_what_is_chosen_by_itself_is_never_a_combination_that_does_not_work(device: Device, gguf: bool) -> None:
    for card in FITS_FROM_TEXT:
        if gguf and "transformer" not in card.single_files:
            continue
        parts = {"transformer": card.components["transformer"].model_copy(update={"gguf": "w.gguf"})} if gguf else {}
        card = card.model_copy(update={"components": card.components | parts})
        for ram_gb in (8, 64, 512):
            hardware = machine(8, ram_gb).model_copy(update={"devices": (device,)})
            chosen = planned(card, hardware).placement
            assert obstacle(card, device, chosen.precision, chosen.offload) == ""


def test_a_gguf_file_of_a_family_that_none_can_be_read_of_is_refused() -> None:
    card = CARDS["cogvideox-2b"]
    part = card.components["transformer"].model_copy(update={"gguf": "w.gguf"})
    with pytest.raises(BadSetting, match="cannot be read"):
        planned(card.model_copy(update={"components": card.components | {"transformer": part}}), machine(8))


def test_weights_larger_than_half_of_the_memory_are_not_locked_in_it() -> None:
    roomy, narrow = (planned(CARDS["wan2.2-t2v-a14b"], machine(16, ram_gb=ram)) for ram in (72, 56))
    assert roomy.placement.offload == narrow.placement.offload == "group"
    assert roomy.placement.pin_memory and not narrow.placement.pin_memory
    assert any("travel slower" in reason for reason in narrow.reasons)


@pytest.mark.parametrize(
    ("vram_gb", "ram_gb", "readers", "offload"),
    [(48, 128, "resident", "resident"), (8, 128, "streamed", "resident"),
     (8, 24, "dropped", "resident"), (5, 128, "resident", "group"),
     (5, 24, "dropped", "group")],
)  # fmt: skip
def test_the_text_encoder_stays_where_there_is_room_and_the_reason_is_said(
    vram_gb: float, ram_gb: float, readers: str, offload: str
) -> None:
    made = planned(CARDS["wan2.1-t2v-1.3b"], machine(vram_gb, ram_gb))
    assert (made.placement.text_encoder, made.placement.offload) == (readers, offload)
    assert any("text encoder" in reason and ("stays" in reason) == (readers != "dropped") for reason in made.reasons)
    full = any("more than half of the memory" in reason for reason in made.reasons)
    assert full == (readers == "dropped" and offload == "group")


def test_on_a_cpu_what_was_asked_for_is_done_too() -> None:
    there = machine(8).model_copy(update={"devices": (CPU,)})
    made = planned(WAN_13, there, drop_text_encoder=True, vae_tiling=True).placement
    assert made.text_encoder == "dropped" and made.vae_tiling and made.vae_slicing


def test_on_a_cpu_a_text_encoder_larger_than_half_of_the_memory_is_let_go_and_the_forecast_is_smaller() -> None:
    card = CARDS["wan2.1-t2v-1.3b"]
    small, large = (planned(card, machine(8, ram).model_copy(update={"devices": (CPU,)})) for ram in (48, 256))
    assert (small.placement.text_encoder, large.placement.text_encoder) == ("dropped", "resident")
    assert small.forecast.ram_gb < large.forecast.ram_gb


def test_where_ram_is_short_the_text_encoder_is_made_smaller_and_the_transformer_is_not() -> None:
    made = planned(CARDS["wan2.1-t2v-1.3b"], machine(12, ram_gb=16))
    assert (made.placement.precision, made.placement.text_precision) == ("full", "fp8")
    assert any("Your words are read with 8-bit storage (fp8)." in reason for reason in made.reasons)


def test_a_transformer_that_does_not_fit_leaves_the_text_encoder_as_it_is_where_there_is_room() -> None:
    made = planned(CARDS["hunyuanvideo-t2v-13b"], machine(24, ram_gb=32))
    assert (made.placement.precision, made.placement.text_precision) == ("nf4", "full")
    assert any("Your words are read in full precision." in reason for reason in made.reasons)


def test_an_experts_choice_is_kept() -> None:
    made = planned(CARDS["wan2.1-t2v-14b"], machine(24), precision="nf4", offload="model")
    assert (made.placement.precision, made.placement.offload) == ("nf4", "model")


@pytest.mark.slow
def test_tiling_and_8_bit_storage_run_on_the_real_worker_code(tiny_home: Path) -> None:
    """What a CPU can show of the formats: fp8 storage and tiled decoding draw a clip that is close to the plain one."""
    import numpy as np
    import torch

    from engine.schema import Placement
    from engine.worker import families
    from engine.worker.families.family import Shot
    from engine.worker.loading import pipeline_loader
    from engine.worker.sampling import denoise

    card = Catalog(tiny_home / "presets" / "models").card("tiny-wan")
    made = plan(Request(prompt="a red ball", seed=1, model="tiny-wan", num_frames=9), card, machine(8))
    made = made.model_copy(update={"placement": Placement(device="cpu", dtype="float32")})
    clips = {}
    for name, changes in {"plain": {}, "fp8": {"precision": "fp8"}, "tiled": {"vae_tiling": True}}.items():
        model = pipeline_loader.load(
            tiny_home / "models" / "tiny-wan", made.placement.model_copy(update=changes), "WanPipeline"
        )
        shot = Shot(made, made.take, torch.Generator("cpu").manual_seed(1))
        with torch.no_grad():
            family = families.of("wan")
            latents = denoise.draw(model, family, shot, denoise.StepReporter(lambda event: None, lambda: False))
            clips[name] = family.decode(model.pipe, latents, shot).frames.astype(float)
    assert 0 < np.abs(clips["fp8"] - clips["plain"]).mean() < 8
    assert np.abs(clips["tiled"] - clips["plain"]).mean() < 8


HUNYUAN, WAN_13 = CARDS["hunyuanvideo-t2v-13b"], CARDS["wan2.1-t2v-1.3b"]
TURING = ADA.model_copy(
    update={"name": "an older card", "compute_capability": "7.5", "vram_gb": 48, "vram_free_gb": 46}
)
RADEON = Device(id="cuda:0", kind="rocm", name="AMD Radeon RX 7900 XTX", vram_gb=25.8, vram_free_gb=24)


@pytest.mark.parametrize(
    ("card", "device", "dtype"),
    [(WAN_13, ADA, "bfloat16"), (WAN_13, RADEON, "bfloat16"), (WAN_13, TURING, "float16"),
     (HUNYUAN, TURING, "float32"), (HUNYUAN, RADEON, "bfloat16"), (CARDS["cogvideox-5b"], TURING, "float32")],
    ids=lambda value: getattr(value, "name", value),
)  # fmt: skip
def test_a_card_without_bfloat16_computes_in_what_the_model_bears(card: ModelCard, device: Device, dtype: str) -> None:
    made = planned(card, machine(8, 512).model_copy(update={"devices": (device,)}))
    assert made.placement.dtype == dtype
    assert any("turn black" in reason for reason in made.reasons) == (dtype == "float32")


def test_a_model_stays_as_it_is_loaded_where_that_fits() -> None:
    wan = CARDS["wan2.1-t2v-14b"]
    roomy = machine(80, 512)
    streamed = planned(wan, machine(16, 512))
    held = Held(pid=1, device="cuda:0", loads=streamed.loads, vram_gb=3.0)
    again = planned(wan, roomy.model_copy(update={"workers": (held,)}))
    assert planned(wan, roomy).placement.offload == "resident" and again.placement.lasting == streamed.placement.lasting
    assert again.loads == streamed.loads and any("stays as it is loaded" in reason for reason in again.reasons)
    another = planned(WAN_13, roomy.model_copy(update={"workers": (held,)}))
    assert another.placement == planned(WAN_13, roomy).placement


def test_what_is_loaded_never_lowers_the_number_format() -> None:
    wan = CARDS["wan2.1-t2v-14b"]
    small = planned(wan, machine(16, 512), precision="nf4")
    held = Held(pid=1, device="cuda:0", loads=small.loads, vram_gb=9.0)
    again = planned(wan, machine(80, 512).model_copy(update={"workers": (held,)}))
    assert again.placement.precision == "full"


def test_weights_of_4_bits_that_have_no_room_while_they_are_made_are_made_layer_by_layer() -> None:
    hunyuan = planned(HUNYUAN, machine(7, 256), precision="nf4").placement
    assert hunyuan.layer_by_layer and hunyuan.offload != "resident"
    assert not planned(HUNYUAN, machine(16, 256), precision="nf4").placement.layer_by_layer


SWAPPED = plan(  # 26 GB of weights on 24 GB, for a clip whose blocks compute for a shorter time than they travel
    Request(prompt="a red ball", seed=1, model="ltx-video-13b-0.9.8-distilled",
            render=Overrides(width=512, height=512)), CARDS["ltx-video-13b-0.9.8-distilled"], machine(24, 96),
)  # fmt: skip


def test_blocks_stay_on_the_card_as_far_as_they_fit_where_they_would_travel_longer_than_they_compute() -> None:
    card, kept = CARDS["ltx-video-13b-0.9.8-distilled"], SWAPPED.placement.resident_gb
    assert SWAPPED.placement.offload == "group" and 0 < kept < 26
    more = SWAPPED.placement.model_copy(update={"resident_gb": kept + 0.2})
    needs = [max(memory(card, run, way)[0] for run in (SWAPPED.take, SWAPPED.render))
             for way in (SWAPPED.placement, more)]  # fmt: skip
    assert needs[0] <= 0.92 * 24 * 0.95 < needs[1]
    assert any(f"{kept:.1f} of 26.1 GB stay there" in reason for reason in SWAPPED.reasons)
    streamed = planned(card, machine(24, 96), render=Overrides(width=512, height=512), offload="group")
    assert streamed.placement.resident_gb == 0
    assert SWAPPED.forecast.take_seconds[1] < streamed.forecast.take_seconds[1]


def test_a_model_keeps_the_blocks_that_lie_on_the_card_where_more_would_fit() -> None:
    card = CARDS["ltx-video-13b-0.9.8-distilled"]
    small: dict[str, Any] = {"render": Overrides(width=512, height=512), "num_frames": 25}
    cold = planned(card, machine(24, 96), **small)
    held = Held(pid=1, device="cuda:0", loads=SWAPPED.loads, vram_gb=20.0)
    warm = machine(24, 96).model_copy(update={"workers": (held,)})
    assert planned(card, warm, **small).loads == SWAPPED.loads != cold.loads
    of_another = held.model_copy(update={"loads": SWAPPED.loads.replace(card.id, "another")})
    assert planned(card, warm.model_copy(update={"workers": (of_another,)}), **small).loads == cold.loads


def test_a_plan_takes_no_more_of_the_card_than_it_may() -> None:
    card = CARDS["ltx-video-13b-0.9.8-distilled"]
    for vram_gb in (8.0, 12.0, 16.0, 20.0):
        assert planned(card, machine(24, 96), vram_gb=vram_gb).forecast.vram_gb <= vram_gb


@pytest.mark.parametrize(("vram_gb", "there"), [(0.1, machine(24)), (-1, machine(24)), (8, CPU_ONLY)], ids=str)
def test_a_budget_that_means_nothing_is_refused(vram_gb: float, there: HardwareProfile) -> None:
    with pytest.raises(BadSetting):
        planned(WAN_13, there, vram_gb=vram_gb)
