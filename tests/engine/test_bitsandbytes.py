"""4-bit and 8-bit weights of bitsandbytes, on the CPU, which the library can and diffusers does not let it; where it is
installed. A card with other kernels does the same work."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.schema import Offload, Placement, Precision
from engine.worker.loading import lora_adapters
from tests.engine.test_families import CASES
from tests.engine.test_kept_weights import assert_same, copies, loaded
from tests.engine.test_loras import ONE, OTHER, Model, frames
from tests.tiny import loras, single_files

pytestmark = pytest.mark.slow


def on_the_cpu(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that bitsandbytes makes smaller on the CPU, which it can and diffusers does not let it; where it is
    installed."""
    modules = pytest.importorskip("bitsandbytes.nn.modules")
    # With AVX512-BF16 4-bit weights are packed anew at each change, which rounds their scales; on a card they are not.
    monkeypatch.setattr(modules, "has_avx512bf16", lambda: False)
    from diffusers import WanPipeline, WanTransformer3DModel
    from diffusers.quantizers.bitsandbytes import bnb_quantizer
    from transformers import UMT5Config

    from tests.tiny import wan

    for kind in (bnb_quantizer.BnB4BitDiffusersQuantizer, bnb_quantizer.BnB8BitDiffusersQuantizer):
        monkeypatch.setattr(kind, "validate_environment", lambda self, *given, **named: None)
        monkeypatch.setattr(kind, "update_device_map", lambda self, device_map: {"": "cpu"})
    wide = {"d_model": 64, "d_kv": 16, "d_ff": 128, "num_layers": 2, "num_heads": 4}  # blocks of 64 must fit
    monkeypatch.setattr(wan, "_text", lambda words: UMT5Config(vocab_size=words, **wide))
    widths = {"attention_head_dim": 32, "ffn_dim": 256, "text_dim": 64, "freq_dim": 64}
    torch.manual_seed(0)
    transformer = WanTransformer3DModel(**wan.size() | widths)
    WanPipeline(transformer=transformer, **wan.parts()).save_pretrained(folder)


@pytest.mark.parametrize("precision", ["nf4", "int8"])
def test_bitsandbytes_makes_of_another_programs_files_what_it_makes_of_the_models_own(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_the_cpu(tmp_path / "model", monkeypatch)
    lent = tmp_path / "lent"
    shutil.copytree(tmp_path / "model", lent)
    comfy = tmp_path / "comfy"
    single_files.lend(
        lent,
        transformer=single_files.transformer(lent, comfy / "wan.safetensors", "wan"),
        text_encoder=single_files.reader(lent, comfy / "umt5.safetensors"),
    )
    placement = Placement(device="cpu", dtype="bfloat16", precision=precision)
    own = loaded(CASES["wan-2.1"], tmp_path / "model", tmp_path / "caches", placement)
    assert {torch.uint8, torch.int8} & {tensor.dtype for tensor in own[1].values()}
    assert_same(loaded(CASES["wan-2.1"], lent, tmp_path / "caches", placement), own)
    assert len(copies(tmp_path / "caches")) == 4


@pytest.mark.parametrize("precision", ["nf4", "int8"])
def test_bitsandbytes_weights_come_back_as_they_were(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_the_cpu(tmp_path / "model", monkeypatch)
    placement = Placement(device="cpu", dtype="bfloat16", precision=precision)
    first = loaded(CASES["wan-2.1"], tmp_path / "model", tmp_path / "caches", placement)
    assert len(copies(tmp_path / "caches")) == 2
    assert_same(loaded(CASES["wan-2.1"], tmp_path / "model", tmp_path / "caches", placement), first)


def dressed(root: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """The model with two LoRAs for it."""
    on_the_cpu(root / "wan-2.1", monkeypatch)
    found = Model("wan-2.1", root / "wan-2.1", root / "artifacts")
    found.artifacts.mkdir()
    for seed, file in enumerate((ONE, OTHER)):
        loras.make(found.folder, found.artifacts / f"{file}.safetensors", seed)
    return found


@pytest.mark.parametrize(("precision", "offload"), [("nf4", "resident"), ("nf4", "group"), ("int8", "resident")])
def test_a_lora_is_worn_and_taken_off_without_a_trace(
    precision: Precision, offload: Offload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = dressed(tmp_path, monkeypatch)
    placement = Placement(device="cpu", dtype="bfloat16", precision=precision, offload=offload)
    made = model.load(placement)

    def worn(*chosen: tuple[str, float]) -> np.ndarray:
        plan = model.plan(*chosen, placement=placement)
        lora_adapters.wear(made.pipe, plan, model.artifacts)
        return frames(made, plan)

    none, one = worn(), worn((ONE, 1.0))
    assert not np.array_equal(one, none)
    assert np.array_equal(worn((ONE, 0.0)), none)
    worn((OTHER, 1.0))
    assert np.array_equal(worn(), none)


@pytest.mark.parametrize("precision", ["nf4", "int8"])
def test_merged_a_lora_shows_as_if_it_were_worn(
    precision: Precision, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = dressed(tmp_path, monkeypatch)
    placement = Placement(device="cpu", dtype="bfloat16", precision=precision)
    plan = model.plan((ONE, 1.0), (OTHER, -0.5), placement=placement)
    merged = frames(model.load(placement, lambda pipe: lora_adapters.merge(pipe, plan, model.artifacts)), plan).astype(
        int
    )
    made = model.load(placement)
    none = frames(made, model.plan()).astype(int)
    lora_adapters.wear(made.pipe, plan, model.artifacts)
    worn = frames(made, plan).astype(int)
    assert np.abs(merged - worn).mean() < 0.5 * np.abs(none - worn).mean()  # what is merged is rounded again
