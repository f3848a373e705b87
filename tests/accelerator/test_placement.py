"""Where weights lie on the card, and how much of it they take, while they are loaded and while they compute."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import WanPipeline, WanTransformer3DModel

from engine import APP
from engine.schema import Placement, StepCache
from engine.storage.catalog import Catalog
from engine.worker import families
from engine.worker.families.family import LatentVideo
from engine.worker.loading import pipeline_loader, streaming
from engine.worker.loading.streaming import BLOCKS_IN_FLIGHT, blocks
from tests.accelerator.pretend import Card
from tests.accelerator.walk import Walk, placement
from tests.tiny import wan

WIDE: dict[str, Any] = {"attention_head_dim": 64, "num_attention_heads": 4, "ffn_dim": 1024, "num_layers": 8,
                        "text_dim": 64, "freq_dim": 64}  # fmt: skip


def transformer() -> WanTransformer3DModel:
    """Eight blocks of 6 MB each."""
    return WanTransformer3DModel(**wan.size() | WIDE).eval()


def run(model: WanTransformer3DModel, device: str) -> torch.Tensor:
    torch.manual_seed(0)
    shape = (1, model.config.in_channels, 3, 8, 8)
    words = torch.randn(1, 8, WIDE["text_dim"])
    with torch.compiler.set_stance("force_eager"):  # bitsandbytes compiles for devices unknown to it, for minutes
        return model(hidden_states=torch.randn(shape).to(device, model.dtype), timestep=torch.tensor([500]).to(device),
                     encoder_hidden_states=words.to(device, model.dtype), return_dict=False)[0]  # fmt: skip


@pytest.mark.parametrize("pinned", [True, False])
def test_streaming_holds_no_more_blocks_than_it_says(card: Card, pinned: bool) -> None:
    model = transformer()
    block = sum(weight.nbytes for weight in model.blocks[0].parameters())
    expected = run(model, "cpu")
    streaming.stream(model, Placement(device=card.device, dtype="float32", offload="group", pin_memory=pinned))
    run(model, card.device)  # the first call learns the order
    torch.accelerator.synchronize()
    before = card.live
    card.reset()
    found = run(model, card.device)
    assert torch.allclose(found.cpu(), expected, atol=1e-5) and not card.races
    assert card.peak - before < (BLOCKS_IN_FLIGHT + 1.5) * block < len(model.blocks) * block


def test_blocks_that_stay_on_the_card_are_not_streamed(card: Card) -> None:
    model = transformer()
    block = sum(weight.nbytes for weight in model.blocks[0].parameters())
    expected = run(model, "cpu")
    there = Placement(device=card.device, dtype="float32", offload="group", pin_memory=True)
    streaming.stream(model, there, resident_gb=3.5 * block / 1e9)
    where = [next(part.parameters()).device.type for part in model.blocks]
    assert where == ["cpu"] * 5 + [torch.device(card.device).type] * 3 and card.live >= 3 * block
    for _ in range(2):
        found = run(model, card.device)
        assert torch.allclose(found.cpu(), expected, atol=1e-5) and not card.races
    assert [next(part.parameters()).device.type for part in model.blocks] == where


@pytest.mark.parametrize("way", ["resident", "model", "group, pinned"])
def test_steps_are_foretold_from_the_first_clip_on(way: str, card: Card, tmp_path: Path) -> None:
    walk = Walk("wan-2.1", placement(way, card.device), tmp_path)
    plan = walk.plan(step_cache=StepCache(interval=2, whole_steps=2))
    plan = plan.model_copy(update={"take": plan.take.model_copy(update={"num_inference_steps": 6})})
    calls: list[int] = []
    block = walk.model(plan).pipe.transformer.blocks[0]
    block.register_forward_hook(lambda *_: calls.append(1))
    cold, counted = walk.take(plan)["latents"].cpu(), len(calls)
    warm = walk.take(plan)["latents"].cpu()
    assert torch.equal(cold, warm) and len(calls) == 2 * counted == 2 * 4 * plan.take.forwards


def test_without_the_bound_the_whole_model_would_be_in_flight(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "bound", lambda *given: None)
    model = transformer()
    streaming.stream(model, Placement(device=card.device, dtype="float32", offload="group", pin_memory=True))
    run(model, card.device)
    torch.accelerator.synchronize()
    before = card.live
    card.reset()
    run(model, card.device)
    assert card.peak - before > 0.8 * sum(weight.nbytes for weight in model.blocks.parameters())


def test_the_blocks_of_a_part_are_found_once() -> None:
    model = transformer()
    assert blocks(model) == list(model.blocks)


def test_another_pipeline_over_the_same_weights_keeps_their_format_and_place(card: Card, tmp_path: Path) -> None:
    for offload in ("resident", "model", "group"):
        there = Placement(device=card.device, dtype="bfloat16", offload=offload)
        walk = Walk("wan-2.2-5b", there, tmp_path)
        pipe = walk.model(walk.plan()).pipe
        assert {weight.dtype for weight in pipe.transformer.parameters()} >= {torch.bfloat16}
        before = {name: (weight.dtype, weight.device) for name, weight in pipe.transformer.named_parameters()}
        other = walk.model(walk.plan("wan-2.2-5b-image")).pipe
        assert type(other) is not type(pipe) and other.transformer is pipe.transformer
        assert {name: (w.dtype, w.device) for name, w in other.transformer.named_parameters()} == before


def test_encoded_words_wait_in_ram_and_few_enough_of_them(card: Card, tmp_path: Path) -> None:
    walk = Walk("ltx-2", Placement(device=card.device, dtype="float32"), tmp_path)
    plan = walk.plan()
    walk.take(plan)
    kept = walk.model(plan).prompts._kept
    assert kept and all(
        part.device.type == "cpu" for words in kept.values() for part in words.values() if part is not None
    )


def test_a_prompt_to_avoid_is_read_only_where_something_looks_at_it(tmp_path: Path) -> None:
    walk = Walk("ltx-2", Placement(device="cpu", dtype="float32"), tmp_path)
    plan = walk.plan()
    distilled = Catalog(APP / "presets" / "models").card("ltx-2-distilled").take
    plain = plan.take.model_copy(
        update={"guidance_scale": 1.0, "forwards": distilled.forwards or 1, "arguments": distilled.arguments}
    )
    walk.take(plan.model_copy(update={"take": plain, "render": plain}))
    (words,) = walk.model(plan).prompts._kept.values()
    assert words["negative_prompt_embeds"] is None and words["prompt_embeds"] is not None


def smaller(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that bitsandbytes can make smaller, whose refusals of a device that it does not know are lifted."""
    modules = pytest.importorskip("bitsandbytes.nn.modules")
    monkeypatch.setattr(modules, "has_avx512bf16", lambda: False)
    from diffusers.quantizers.bitsandbytes import bnb_quantizer
    from transformers.quantizers import quantizer_bnb_4bit

    kinds = (bnb_quantizer.BnB4BitDiffusersQuantizer, quantizer_bnb_4bit.Bnb4BitHfQuantizer)
    for kind in kinds:
        monkeypatch.setattr(kind, "validate_environment", lambda self, *given, **named: None)
    torch.manual_seed(0)
    made = wan.parts()
    WanPipeline(transformer=WanTransformer3DModel(**wan.size() | WIDE), **made).save_pretrained(folder)


def loaded(folder: Path, placement: Placement) -> Any:
    how = pipeline_loader.Loading(families.of("wan"))
    return pipeline_loader.load(folder, placement, "WanPipeline", how).pipe.transformer


def test_weights_that_are_made_smaller_leave_the_card_and_layer_by_layer_never_fill_it(
    card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smaller(tmp_path / "m", monkeypatch)
    there = Placement(device=card.device, dtype="bfloat16", precision="nf4", offload="group")
    whole = loaded(tmp_path / "m", there)
    size = sum(weight.nbytes for weight in whole.parameters())
    peak_whole, left = card.peak, card.live
    card.reset()
    slowly = loaded(tmp_path / "m", there.model_copy(update={"layer_by_layer": True}))
    assert left < size / 4  # the VAE alone
    assert card.peak - left < peak_whole - left
    pairs = zip(whole.state_dict().items(), slowly.state_dict().items(), strict=True)
    assert all(name == other and torch.equal(one.cpu(), two.cpu()) for (name, one), (other, two) in pairs)


@pytest.mark.parametrize("layer_by_layer", [False, True])
def test_weights_of_4_bits_draw_the_same_streamed_as_whole(
    layer_by_layer: bool, card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smaller(tmp_path / "m", monkeypatch)
    there = Placement(device=card.device, dtype="bfloat16", precision="nf4")
    whole = run(loaded(tmp_path / "m", there), card.device).cpu()
    update = {"offload": "group", "pin_memory": True, "layer_by_layer": layer_by_layer}
    streamed = loaded(tmp_path / "m", there.model_copy(update=update))
    for _ in range(2):  # the first call learns the order
        assert torch.equal(run(streamed, card.device).cpu(), whole)


def test_whole_weights_go_from_the_disk_to_the_card_without_ram(card: Card, tmp_path: Path) -> None:
    seen: list[Any] = []

    class Watched(LatentVideo):
        def prepare(self, pipe: Any) -> None:  # before anything is moved
            seen.append(next(pipe.transformer.parameters()).device)

    wan.build_21(tmp_path / "m")
    pipeline_loader.load(
        tmp_path / "m",
        Placement(device=card.device, dtype="bfloat16"),
        "WanPipeline",
        pipeline_loader.Loading(Watched()),
    )
    assert seen == [torch.device(card.device)]
    shutil.rmtree(tmp_path / "m")


def test_metal_is_never_asked_for_64_bit_numbers(tmp_path: Path) -> None:
    from engine.worker.loading import device_placement

    walk = Walk("ltx-2", Placement(device="cpu", dtype="float32"), tmp_path)
    pipe = walk.model(walk.plan()).pipe
    doubles = [layer for part in (pipe.transformer, pipe.connectors) for layer in part.modules()
               if getattr(layer, "double_precision", False)]  # fmt: skip
    device_placement.without_float64(pipe)
    assert doubles and not any(layer.double_precision for layer in doubles)
