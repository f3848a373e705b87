"""LoRAs made by peft on tiny models of several families, worn in every way that a CPU can place a model."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.schema import Offload, Placement, PlannedLora, Precision, ShotPlan
from engine.schema.errors import BadFile
from engine.worker import families
from engine.worker.loading import lora_adapters, pipeline_loader
from engine.worker.sampling import denoise
from tests.engine.test_families import CASES, planned, shot
from tests.tiny import gguf_weights, loras

pytestmark = pytest.mark.slow
ONE, OTHER = "1" * 32, "2" * 32
FAMILIES = ("starter", "wan-2.1", "wan-2.2-moe", "wan-i2v", "hunyuan-video", "hunyuan-video-1.5", "ltx", "ltx-2",
            "cogvideox", "mochi", "kandinsky-5", "wan-vace-control", "framepack")  # fmt: skip


@dataclass(frozen=True)
class Model:
    """A tiny checkpoint with two LoRAs for it, as they lie in an artifact folder."""

    name: str
    folder: Path
    artifacts: Path

    def load(self, placement: Placement, first: Callable[[Any], None] = lambda _: None) -> pipeline_loader.Model:
        case = CASES[self.name]
        return pipeline_loader.load(
            self.folder, placement, case.pipeline, pipeline_loader.Loading(families.of(case.family), first)
        )

    def plan(self, *worn: tuple[str, float], placement: Placement | None = None) -> ShotPlan:
        made = planned(CASES[self.name])
        parts = [part for part in lora_adapters.PARTS if (self.folder / part).is_dir()]
        found = [PlannedLora(name=name, strength=strength, parts=dict.fromkeys(parts, name)) for name, strength in worn]
        changes: dict[str, Any] = {"loras": tuple(found), "placement": placement or made.placement}
        return made.model_copy(update=changes)


@torch.no_grad()
def frames(loaded: pipeline_loader.Model, plan: ShotPlan) -> np.ndarray:
    family = families.of(plan.family)
    take = shot(plan, "take")
    watch = denoise.StepReporter(lambda event: None, lambda: False)
    return family.decode(loaded.pipe, denoise.draw(loaded, family, take, watch), take).frames


@pytest.fixture(scope="module", params=FAMILIES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return built(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return built("wan-2.1", tmp_path_factory.mktemp("small"))


def built(name: str, root: Path) -> Model:
    found = Model(name, root / name, root / "artifacts")
    found.artifacts.mkdir()
    CASES[name].build(found.folder)
    for seed, file in enumerate((ONE, OTHER)):
        loras.make(found.folder, found.artifacts / f"{file}.safetensors", seed)
    return found


def test_a_lora_is_seen_mixes_fades_and_leaves_no_trace(model: Model) -> None:
    loaded = model.load(model.plan().placement)

    def worn(*chosen: tuple[str, float]) -> np.ndarray:
        plan = model.plan(*chosen)
        lora_adapters.wear(loaded.pipe, plan, model.artifacts)
        return frames(loaded, plan)

    none, one, half = worn(), worn((ONE, 1.0)), worn((ONE, 0.5))
    both, other = worn((ONE, 1.0), (OTHER, 1.0)), worn((OTHER, 1.0))
    different = [none, one, half, both, other]
    assert all(not np.array_equal(a, b) for i, a in enumerate(different) for b in different[:i])
    assert np.array_equal(worn((ONE, 0.0)), none)
    assert np.array_equal(worn((ONE, 1.0)), one)  # on again, the same picture
    assert np.array_equal(worn(), none)


@pytest.mark.parametrize(("precision", "offload"), [("fp8", "resident"), ("full", "group"), ("full", "model"),
                                                    ("fp8", "model")])  # fmt: skip
def test_every_placement_wears_and_takes_off(small: Model, precision: Precision, offload: Offload) -> None:
    placement = Placement(device="cpu", dtype="float32", precision=precision, offload=offload)
    loaded = small.load(placement)
    none = frames(loaded, small.plan())
    plan = small.plan((ONE, 1.0), placement=placement)
    lora_adapters.wear(loaded.pipe, plan, small.artifacts)
    on = frames(loaded, plan)
    lora_adapters.wear(loaded.pipe, small.plan(placement=placement), small.artifacts)
    assert not np.array_equal(on, none)
    assert np.array_equal(frames(loaded, small.plan()), none)


@pytest.mark.parametrize(("precision", "offload"), [("full", "resident"), ("fp8", "resident"), ("full", "group"),
                                                    ("full", "model")])  # fmt: skip
def test_a_lokr_is_worn_beside_a_lora_and_taken_off(
    small: Model, precision: Precision, offload: Offload, tmp_path: Path
) -> None:
    shutil.copy(small.artifacts / f"{ONE}.safetensors", tmp_path / f"{ONE}.safetensors")
    name = "blocks.0.attn1.to_q"
    placement = Placement(device="cpu", dtype="float32", precision=precision, offload=offload)
    loaded = small.load(placement)
    width = loaded.pipe.transformer.get_submodule(name).weight.shape[0]
    torch.manual_seed(0)
    factors = {"lokr_w1": torch.randn(4, 4), "lokr_w2": torch.randn(width // 4, width // 4)}
    save_file({f"{name}.{key}": value for key, value in factors.items()}, tmp_path / f"{OTHER}.safetensors")

    def worn(*chosen: tuple[str, float]) -> np.ndarray:
        plan = small.plan(*chosen, placement=placement)
        lora_adapters.wear(loaded.pipe, plan, tmp_path)
        return frames(loaded, plan)

    none, lora, half = worn(), worn((ONE, 1.0)), worn((OTHER, 0.5))
    both, lokr = worn((ONE, 1.0), (OTHER, 1.0)), worn((OTHER, 1.0))
    different = [none, lora, half, both, lokr]
    assert all(not np.array_equal(a, b) for i, a in enumerate(different) for b in different[:i])
    assert np.array_equal(worn(), none)


@pytest.mark.parametrize("offload", ["resident", "model", "group"])
def test_a_gguf_file_wears_and_takes_off(offload: Offload, small: Model, tmp_path: Path) -> None:
    packed = Model(small.name, tmp_path / "packed", small.artifacts)
    gguf_weights.packed_copy(small.folder, packed.folder, gguf_weights.WAN_NAMES)
    placement = Placement(device="cpu", dtype="float32", precision="gguf", offload=offload)
    loaded = packed.load(placement)
    none, plan = frames(loaded, packed.plan()), packed.plan((ONE, 1.0), placement=placement)
    lora_adapters.wear(loaded.pipe, plan, packed.artifacts)
    assert not np.array_equal(frames(loaded, plan), none)
    lora_adapters.wear(loaded.pipe, packed.plan(placement=placement), packed.artifacts)
    assert np.array_equal(frames(loaded, packed.plan()), none)


def test_fp8_storage_rounds_the_model_and_not_the_lora(small: Model) -> None:
    placement = Placement(device="cpu", dtype="float32", precision="fp8")
    pipe = small.load(placement).pipe
    lora_adapters.wear(pipe, small.plan((ONE, 1.0), placement=placement), small.artifacts)
    layer = pipe.transformer.blocks[0].attn1.to_q
    saved = load_file(small.artifacts / f"{ONE}.safetensors")["transformer.blocks.0.attn1.to_q.lora_A.weight"]
    assert layer.base_layer.weight.dtype == torch.float8_e4m3fn
    assert torch.equal(layer.lora_A[ONE].weight, saved)


@pytest.mark.parametrize("precision", ["full", "fp8"])
def test_merged_into_streamed_weights_it_looks_as_if_it_were_worn(small: Model, precision: Precision) -> None:
    streamed = Placement(device="cpu", dtype="float32", precision=precision, offload="group")
    plan = small.plan((ONE, 1.0), (OTHER, -0.5), placement=streamed)
    merged = small.load(streamed, lambda pipe: lora_adapters.merge(pipe, plan, small.artifacts))
    resident = small.load(Placement(device="cpu", dtype="float32"))
    none = frames(resident, small.plan())
    lora_adapters.wear(resident.pipe, plan, small.artifacts)
    worn, mixed = frames(resident, plan).astype(int), frames(merged, plan).astype(int)
    assert not hasattr(merged.pipe.transformer.blocks[0].attn1.to_q, "base_layer")
    error, effect = np.abs(mixed - worn).mean(), np.abs(none - worn).mean()
    assert error < (0.02 if precision == "full" else 0.5) * effect  # fp8 rounds what is merged


@pytest.mark.parametrize("halves", [("transformer",), ("transformer_2",)])
def test_half_of_a_pair_touches_its_own_transformer_only(
    halves: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    pair = built("wan-2.2-moe", tmp_path_factory.mktemp("pair"))
    loaded = pair.load(pair.plan().placement)
    lora = PlannedLora(name="half", strength=1.0, parts=dict.fromkeys(halves, ONE))
    lora_adapters.wear(loaded.pipe, pair.plan().model_copy(update={"loras": (lora,)}), pair.artifacts)
    for name in lora_adapters.PARTS:
        assert bool(getattr(getattr(loaded.pipe, name), "peft_config", None)) == (name in halves)


def test_a_joined_pair_puts_each_half_on_its_own_transformer(tmp_path_factory: pytest.TempPathFactory) -> None:
    pair = built("wan-2.2-moe", tmp_path_factory.mktemp("joined"))
    loaded = pair.load(pair.plan().placement)
    none = frames(loaded, pair.plan())
    lora = PlannedLora(name="rain", strength=0.7, parts={"transformer": ONE, "transformer_2": OTHER})
    worn = pair.plan().model_copy(update={"loras": (lora,)})
    lora_adapters.wear(loaded.pipe, worn, pair.artifacts)
    assert [list(getattr(loaded.pipe, name).peft_config) for name in lora_adapters.PARTS] == [[ONE], [OTHER]]
    assert not np.array_equal(frames(loaded, worn), none)
    lora_adapters.wear(loaded.pipe, pair.plan(), pair.artifacts)
    assert np.array_equal(frames(loaded, pair.plan()), none)


STRANGE = {
    "a layer that the model does not have": {"blocks.1.": "blocks.7."},
    "a matrix without its partner": {"blocks.0.attn1.to_q.lora_B": "blocks.0.attn1.to_k.lora_B"},
    "an alpha in the place of a matrix": {"blocks.0.attn1.to_q.lora_B.weight": "blocks.0.attn1.to_q.alpha"},
}


@pytest.mark.parametrize("strange", STRANGE)
def test_a_lora_that_fits_in_part_is_refused_and_nothing_is_worn(small: Model, strange: str, tmp_path: Path) -> None:
    loras.renamed(small.artifacts / f"{ONE}.safetensors", tmp_path / f"{ONE}.safetensors", STRANGE[strange])
    loaded = small.load(small.plan().placement)
    with pytest.raises(BadFile) as refusal:
        lora_adapters.wear(loaded.pipe, small.plan((ONE, 1.0)), tmp_path)
    assert "has no place in this model" in refusal.value.cause
    assert not getattr(loaded.pipe.transformer, "peft_config", None)


def test_a_lora_of_another_width_is_refused(small: Model, tmp_path: Path) -> None:
    found = load_file(small.artifacts / f"{ONE}.safetensors")
    wide = {name: torch.cat([tensor, tensor], dim=int("lora_A" in name)) for name, tensor in found.items()}
    save_file(wide, tmp_path / f"{ONE}.safetensors")
    with pytest.raises(BadFile):
        lora_adapters.wear(small.load(small.plan().placement).pipe, small.plan((ONE, 1.0)), tmp_path)


ORIGINAL = {"attn1.to_q": "self_attn.q", "attn1.to_v": "self_attn.v", "attn2.to_q": "cross_attn.q",
            "attn2.to_v": "cross_attn.v", "transformer.": "diffusion_model."}  # fmt: skip


def test_the_layout_of_the_original_repository_gives_the_same_frames(small: Model, tmp_path: Path) -> None:
    bare = small.artifacts / f"{ONE}.safetensors"
    plan = small.plan((ONE, 1.0))
    pictures = []
    for names in ({}, ORIGINAL):
        loras.renamed(bare, tmp_path / bare.name, names)
        loaded = small.load(plan.placement)
        lora_adapters.wear(loaded.pipe, plan, tmp_path)
        pictures.append(frames(loaded, plan))
    assert np.array_equal(*pictures)


def test_a_switch_keeps_the_model_and_a_merged_one_loads_it_again(small: Model) -> None:
    shelf = pipeline_loader.PipelineCache([small.folder.parent])
    plans = [small.plan(), small.plan((ONE, 1.0)), small.plan((OTHER, 0.5)), small.plan()]
    first, *later = (shelf.get(plan.model_copy(update={"model": small.name}), small.artifacts) for plan in plans)
    assert all(model is first for model in later)
    streamed = Placement(device="cpu", dtype="float32", offload="group")
    merged = [
        small.plan((ONE, strength), placement=streamed).model_copy(update={"model": small.name})
        for strength in (1.0, 0.5)
    ]
    one, other = (shelf.get(plan, small.artifacts) for plan in merged)
    assert one is not first and other is not one
