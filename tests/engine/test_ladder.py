"""The ladder as a table: for each shortage, each rung in its order, and whether it needs consent."""

from __future__ import annotations

from typing import Any

import pytest

from engine import APP
from engine.planning import memory_fallback
from engine.planning.planner import plan
from engine.schema import Placement, Request, Run, Shortage, ShotPlan, ShotStage, Work
from engine.schema.card import ModelCard
from engine.storage.catalog import Catalog
from tests.engine.test_placing import machine as machine_with

CARDS = Catalog(APP / "presets" / "models").cards
WAN, LTX = CARDS["wan2.1-t2v-1.3b"], CARDS["ltx-video-2b-0.9.5"]


def planned(card: ModelCard = WAN, **placement: Any) -> ShotPlan:
    made = plan(Request(prompt="a red ball", seed=1, model=card.id), card, machine_with(80))
    here = Placement(device="cuda:0", dtype="bfloat16").model_copy(update=placement)
    return made.model_copy(update={"placement": here})


def way_down(
    made: ShotPlan, stage: ShotStage, shortage: tuple[Shortage, Work], card: ModelCard = WAN
) -> list[memory_fallback.FallbackStep]:
    """Every rung to the foot of the ladder."""
    rungs: list[memory_fallback.FallbackStep] = []
    while rung := memory_fallback.next_step(made, stage, shortage, card):
        rungs.append(rung)
        made = rung.plan
    return rungs


def harmless(rungs: list[memory_fallback.FallbackStep]) -> list[str]:
    return [rung.change for rung in rungs if not rung.alters]


MODEL, GROUP, UNPINNED, SLICES, TILES, CPU, DROPPED, LAYERS, LESS, READER = (
    memory_fallback.CHANGES[name]
    for name in (
        "model",
        "group",
        "pin_memory",
        "vae_slicing",
        "vae_tiling",
        "vae_on_cpu",
        "text_encoder",
        "layer_by_layer",
        "resident_gb",
        "streamed",
    )
)
ROWS: list[tuple[dict[str, Any], tuple[Shortage, Work], list[str]]] = [
    ({}, ("vram", "loading"), [MODEL, GROUP]),
    ({"offload": "model", "precision": "nf4"}, ("vram", "loading"), [LAYERS, GROUP]),
    ({"offload": "model", "precision": "nf4"}, ("vram", "denoising"), [GROUP]),
    ({}, ("vram", "denoising"), [READER, MODEL, GROUP]),
    ({"text_encoder": "streamed"}, ("vram", "denoising"), [MODEL, GROUP]),
    ({"offload": "model"}, ("vram", "denoising"), [GROUP]),
    ({"offload": "group"}, ("vram", "denoising"), []),
    ({"offload": "group", "resident_gb": 3.0}, ("vram", "denoising"), [LESS, LESS]),
    ({"offload": "group", "resident_gb": 1.5}, ("vram", "decoding"), [TILES, LESS, CPU]),
    ({}, ("fragmented", "denoising"), [memory_fallback.FRESH, READER, MODEL, GROUP]),
    ({}, ("vram", "decoding"), [TILES, CPU]),
    ({}, ("fragmented", "decoding"), [memory_fallback.FRESH, TILES, CPU]),
    ({"vae_tiling": True}, ("vram", "decoding"), [CPU]),
    ({"offload": "group", "pin_memory": True}, ("pinned", "loading"), [UNPINNED]),
    ({"offload": "group", "pin_memory": True}, ("pinned", "decoding"), [UNPINNED, TILES]),
    ({}, ("ram", "loading"), [DROPPED]),
    ({"text_encoder": "dropped"}, ("ram", "loading"), []),
    ({}, ("ram", "decoding"), [TILES]),
    ({"device": "cpu", "kind": "cpu", "dtype": "float32"}, ("ram", "denoising"), [DROPPED]),
    ({"device": "cpu", "kind": "cpu", "dtype": "float32"}, ("page_file", "decoding"), [TILES]),
]


@pytest.mark.parametrize(("placement", "shortage", "expected"), ROWS, ids=str)
def test_what_leaves_the_picture_alone_comes_first_and_in_this_order(
    placement: dict[str, Any], shortage: tuple[Shortage, Work], expected: list[str]
) -> None:
    rungs = way_down(planned(**placement), "take", shortage)
    assert harmless(rungs) == expected
    assert [rung.alters for rung in rungs] == sorted(rung.alters for rung in rungs)


def test_a_vae_that_decodes_a_clip_at_once_is_sliced_before_it_is_tiled() -> None:
    assert harmless(way_down(planned(LTX), "take", ("vram", "decoding"), LTX)) == [SLICES, TILES, CPU]


def test_what_alters_the_picture_is_smaller_weights_then_frames_then_size_down_to_what_the_model_can() -> None:
    made = planned(offload="group")
    rungs = way_down(made, "take", ("vram", "denoising"))
    changes = [rung.change for rung in rungs]
    assert changes[:2] == [memory_fallback.CHANGES["fp8"], memory_fallback.CHANGES["nf4"]]
    assert [change.split()[1] for change in changes[2:]] == sorted(
        [change.split()[1] for change in changes[2:]], key=["clip", "picture"].index
    )
    frames = [rung.plan.take.num_frames for rung in rungs]
    assert frames[-1] < made.take.num_frames and min(frames) >= WAN.frames.minimum
    for rung in rungs:
        take, render = rung.plan.take, rung.plan.render
        assert take.num_frames == render.num_frames and (take.num_frames - WAN.frames.offset) % WAN.frames.step == 0
        assert take.width % WAN.size.multiple == 0 and take.height >= WAN.size.minimum


def test_a_render_keeps_the_length_that_was_approved() -> None:
    made = planned(offload="group")
    rungs = way_down(made, "render", ("vram", "denoising"))
    assert {rung.plan.render.num_frames for rung in rungs} == {made.render.num_frames}
    assert rungs[-1].plan.render.width < made.render.width and rungs[-1].plan.take == made.take


def test_what_a_device_cannot_do_is_no_rung() -> None:
    rungs = way_down(planned(device="mps", kind="mps", offload="resident"), "take", ("vram", "denoising"))
    assert {(rung.plan.placement.precision, rung.plan.placement.offload) for rung in rungs} == {("full", "resident")}
    streamed = way_down(planned(precision="int8", offload="model"), "take", ("vram", "denoising"))
    assert all((rung.plan.placement.precision, rung.plan.placement.offload) != ("int8", "group") for rung in streamed)


@pytest.mark.parametrize(
    ("precision", "words", "smaller"),
    [("full", "fp8", [("fp8", "fp8"), ("nf4", "nf4")]), ("full", "nf4", [("fp8", "nf4"), ("nf4", "nf4")]),
     ("nf4", "full", [("nf4", "nf4")])],
)  # fmt: skip
def test_each_smaller_format_leaves_no_part_larger_than_it_was(
    precision: str, words: str, smaller: list[tuple[str, str]]
) -> None:
    made = planned(offload="group", precision=precision)
    placement = made.placement.model_copy(update={"text_precision": words})
    rungs = way_down(made.model_copy(update={"placement": placement}), "take", ("vram", "denoising"))
    formats = [(one.precision, one.precision_of("text_encoder")) for one in (rung.plan.placement for rung in rungs)]
    assert list(dict.fromkeys(formats))[-len(smaller) :] == smaller


def test_a_model_in_gguf_has_no_smaller_weights() -> None:
    part = WAN.components["transformer"].model_copy(update={"gguf": "w.gguf"})
    card = WAN.model_copy(update={"components": WAN.components | {"transformer": part}})
    rungs = way_down(planned(precision="gguf"), "take", ("vram", "denoising"), card)
    assert rungs and {rung.plan.placement.precision for rung in rungs} == {"gguf"}


def test_a_smaller_pass_is_a_cheaper_one_and_its_request_asks_for_it() -> None:
    made = planned(offload="group", precision="nf4")
    rung = memory_fallback.next_step(made, "take", ("vram", "denoising"), WAN)
    assert rung and rung.plan.take.operations < made.take.operations
    again = plan(rung.plan.request, WAN, machine_with(80))
    assert again.take.num_frames == rung.plan.take.num_frames


def test_each_change_is_written_into_the_plan_that_the_recipe_keeps() -> None:
    rungs = way_down(planned(), "take", ("vram", "denoising"))
    assert rungs[-1].plan.adjusted == tuple(rung.change for rung in rungs)


def test_the_next_plan_starts_where_the_last_one_ended_and_says_why() -> None:
    gpu = machine_with(80)
    first = plan(Request(prompt="a red ball", seed=1, model=WAN.id), WAN, gpu)
    assert first.placement.offload == "resident"
    rungs = way_down(first, "render", ("vram", "denoising"))
    learned = run_of(rungs[2].plan)
    second = plan(Request(prompt="a red ball", seed=1, model=WAN.id), WAN, gpu, runs=[learned])
    assert second.placement.offload == "group" and any("ran out here before" in reason for reason in second.reasons)
    smaller = Request(prompt="a red ball", seed=1, model=WAN.id, num_frames=5)
    assert plan(smaller, WAN, gpu, runs=[learned]).placement.offload == "resident"
    chosen = Request(prompt="a red ball", seed=1, model=WAN.id, offload="resident")
    assert plan(chosen, WAN, gpu, runs=[learned]).placement.offload == "resident"
    format_chosen = Request(prompt="a red ball", seed=1, model=WAN.id, precision="full")
    assert plan(format_chosen, WAN, gpu, runs=[learned]).placement.offload == "group"
    unstreamable = Request(prompt="a red ball", seed=1, model=WAN.id, precision="int8")
    assert plan(unstreamable, WAN, gpu, runs=[learned]).placement.offload == "resident"
    elsewhere = run_of(rungs[2].plan, placement=Placement(device="cuda:1", dtype="float16", offload="group"))
    again = plan(Request(prompt="a red ball", seed=1, model=WAN.id), WAN, gpu, runs=[elsewhere])
    assert again.placement == first.placement


def run_of(made: ShotPlan, **fields: Any) -> Run:
    measured = {
        "model": WAN.id, "stage": "render", "device": "cuda:0", "operations": 1e12, "seconds": 1.0, "ram_gb": 1.0,
        "pixels": made.render.pixels, "placement": made.placement, "adjusted": bool(made.adjusted),
    }  # fmt: skip
    return Run(**measured | fields)


def test_what_was_learned_is_forgotten_when_a_clip_as_large_finishes_without_it() -> None:
    made = planned()
    rung = way_down(made, "render", ("vram", "denoising"))[1]
    learned, proof = run_of(rung.plan), run_of(made)
    assert memory_fallback.start_at(made.placement, made.render.pixels, [learned])[0].offload == "model"
    assert memory_fallback.start_at(made.placement, made.render.pixels, [learned, proof])[0].offload == "resident"
    smaller = proof.model_copy(update={"pixels": proof.pixels - 1})
    assert memory_fallback.start_at(made.placement, made.render.pixels, [learned, smaller])[0].offload == "model"


def test_what_was_learned_lowers_a_placement_and_never_raises_it() -> None:
    low = planned(offload="group", vae_tiling=True, precision="nf4")
    mild = run_of(planned(offload="model"), adjusted=True)
    assert memory_fallback.start_at(low.placement, low.render.pixels, [mild]) == (low.placement, "")
