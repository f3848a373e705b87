"""What a folder of ComfyUI or WanGP can serve, by the headers of its files: the parts beside the transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers.loaders import single_file_utils

from benchmarks.architectures import ARCHITECTURES
from benchmarks.tracing import build
from engine import APP
from engine.schema import Placement
from engine.schema.errors import BadFile
from engine.schema.manifest import Borrowed
from engine.storage.catalog import Catalog
from engine.weights.external import Offer, _served, look, told, with_borrowed
from engine.weights.single_file import WeightFile
from tests.engine.test_single_files import a_file

CARDS = Catalog(APP / "presets" / "models").cards
ALL = list(CARDS.values())
Shapes = dict[str, tuple[int, ...]]


def part(card: str, name: str) -> Shapes:
    """The tensors by which a part is known, as they are called in a file that has it."""
    rule = CARDS[card].single_files[name]
    return {rule.prefix + key: shape for key, shape in rule.holds.items()}


def files(offer: Offer) -> dict[str, str]:
    return {one.part: Path(one.path).name for one in offer.borrowed}


CONVERTERS: dict[str, Any] = {
    "ltx-video-2b-0.9.5": single_file_utils.convert_ltx_vae_checkpoint_to_diffusers,
    "ltx-2": single_file_utils.convert_ltx2_vae_to_diffusers,
    "wan2.2-ti2v-5b": lambda theirs: theirs,
    "hunyuanvideo-t2v-13b": lambda theirs: theirs,
}


@pytest.mark.parametrize("card", CONVERTERS)
def test_what_a_card_says_of_its_vae_is_what_the_vae_is_made_of(card: str) -> None:
    made = ARCHITECTURES[card]
    with torch.device("meta"):
        vae = build(getattr(diffusers, made.vae), made.vae_settings).state_dict()
    theirs = {name: torch.empty(shape, device="meta") for name, shape in part(card, "vae").items()}
    ours = CONVERTERS[card](dict(theirs))
    assert ours
    assert {name: tensor.shape for name, tensor in ours.items()} == {name: vae[name].shape for name in ours}


def test_a_folder_of_comfyui_serves_all_large_parts_of_a_model(tmp_path: Path) -> None:
    model = "wan2.1-i2v-14b-480p"
    named = {
        "transformer": "diffusion_models/wan2.1_i2v_480p_14B_fp16", "vae": "vae/wan_2.1_vae",
        "text_encoder": "text_encoders/umt5_xxl_fp16", "image_encoder": "clip_vision/clip_vision_h",
    }  # fmt: skip
    for name, file in named.items():
        a_file(tmp_path / f"{file}.safetensors", part(model, name))
    (offer,) = look(tmp_path, ALL).offers
    assert offer.model == model
    assert files(offer) == {name: f"{Path(file).name}.safetensors" for name, file in named.items()}


def test_one_checkpoint_of_ltx_is_two_parts_of_it(tmp_path: Path) -> None:
    model = "ltx-video-13b-0.9.8-distilled"
    drawing = {f"model.diffusion_model.{name}": shape for name, shape in part(model, "transformer").items()}
    a_file(tmp_path / "ltxv-13b-0.9.8-distilled.safetensors", drawing | part(model, "vae"))
    a_file(tmp_path / "t5xxl_fp16.safetensors", part(model, "text_encoder"))
    (offer,) = look(tmp_path, ALL).offers
    assert offer.model == model and list(files(offer)) == ["transformer", "vae", "text_encoder"]
    assert {one.part: one.prefix for one in offer.borrowed} == {
        "transformer": "model.diffusion_model.", "vae": "vae.", "text_encoder": "",
    }  # fmt: skip


def test_the_vae_of_another_version_is_not_taken(tmp_path: Path) -> None:
    a_file(tmp_path / "ltxv-13b-0.9.8-distilled.safetensors", part("ltx-video-13b-0.9.8-distilled", "transformer"))
    a_file(tmp_path / "some ltx vae.safetensors", part("ltx-video-13b-0.9.8-distilled", "vae"))
    (offer,) = look(tmp_path, ALL).offers
    assert list(files(offer)) == ["transformer"]


def test_of_two_files_the_one_that_was_rounded_less_is_taken(tmp_path: Path) -> None:
    words = part("wan2.1-t2v-14b", "text_encoder")
    a_file(tmp_path / "umt5_xxl_fp8_e4m3fn.safetensors", words, "F8_E4M3")
    a_file(tmp_path / "umt5_xxl_fp16.safetensors", words)
    (offer,) = look(tmp_path, ALL, "wan2.1-t2v-14b").offers
    assert files(offer) == {"text_encoder": "umt5_xxl_fp16.safetensors"}


def test_a_text_encoder_alone_serves_every_model_that_has_it(tmp_path: Path) -> None:
    file = a_file(tmp_path / "t5xxl_fp16.safetensors", part("cogvideox-5b", "text_encoder"))
    served = {offer.model for offer in look(file, ALL).offers}
    assert {"cogvideox-2b", "cogvideox1.5-5b-i2v", "mochi-1-preview", "ltx-video-2b-0.9.5"} <= served
    assert not {name for name in served if name.startswith("wan")}


@pytest.mark.parametrize(
    ("name", "card"), [("umt5-xxl-encoder-Q8_0", "wan2.1-t2v-14b"), ("t5-v1_1-xxl-encoder-Q5_K_M", "mochi-1-preview")]
)
def test_a_text_encoder_may_be_a_gguf_file_and_the_model_is_none(name: str, card: str) -> None:
    tensors = {key: (shape, "gguf") for key, shape in part(card, "text_encoder").items()}
    file = WeightFile(path=Path(f"{name}.gguf"), tensors=tensors)
    assert (card, "text_encoder") in [(served.id, name) for served, name in _served(file, ALL, "")]
    lent = Borrowed(part="text_encoder", path=f"/{name}.gguf", bytes=6_000_000_000, modified_ns=0, scaled=True)
    assert not with_borrowed(CARDS[card], [lent]).is_gguf


def test_a_vae_as_a_gguf_file_is_not_taken() -> None:
    tensors = {key: (shape, "gguf") for key, shape in part("wan2.2-ti2v-5b", "vae").items()}
    assert not _served(WeightFile(path=Path("wan.gguf"), tensors=tensors), ALL, "")


@pytest.mark.parametrize("name", ["flan_t5_xxl", "my own"])
def test_a_text_encoder_that_only_looks_the_same_is_not_taken(name: str, tmp_path: Path) -> None:
    file = a_file(tmp_path / f"{name}.safetensors", part("cogvideox-5b", "text_encoder"))
    with pytest.raises(BadFile, match="no part of a model"):
        look(file, ALL)


def test_scaled_weights_are_read_and_a_plan_says_so(tmp_path: Path) -> None:
    drawing = part("wan2.1-t2v-14b", "transformer") | {"blocks.39.ffn.0.scale_weight": (1,), "scaled_fp8": (2,)}
    file = a_file(tmp_path / "wan2.1_t2v_14B_fp8_scaled.safetensors", drawing, "F8_E4M3")
    (offer,) = look(file, ALL).offers
    assert offer.borrowed[0].scaled
    said = told(CARDS["wan2.1-t2v-14b"], offer.borrowed, Placement(device="cuda:0", dtype="bfloat16", precision="fp8"))
    assert any("brought back to more, which takes 28.6 GB of RAM" in sentence for sentence in said)


def test_a_model_is_as_large_as_the_files_that_it_is_read_from() -> None:
    words = Borrowed(part="text_encoder", path="/umt5.safetensors", bytes=6_700_000_000, modified_ns=0)
    inside = Borrowed(part="vae", path="/all.safetensors", bytes=28_000_000_000, modified_ns=0, prefix="vae.")
    card = CARDS["wan2.1-t2v-14b"]
    lent = with_borrowed(card, (words, inside))
    assert lent.components["text_encoder"].size_gb == 6.7 and not lent.is_gguf
    assert lent.components["vae"] == card.components["vae"]  # of a checkpoint of several parts it is unknown


def test_what_no_model_is_read_from_is_named(tmp_path: Path) -> None:
    a_file(tmp_path / "wan2.1_t2v_14B_fp16.safetensors", part("wan2.1-t2v-14b", "transformer"))
    for name in ("gemma_3_12B_it", "sd_xl_base"):
        a_file(tmp_path / f"{name}.safetensors", {"x.weight": (9, 9)})
    a_file(tmp_path / "a lora.safetensors", {"blocks.0.ffn.0.lora_A.weight": (16, 5120)})  # found with the LoRAs
    (tmp_path / "broken.safetensors").write_bytes(b"no")
    (said,) = look(tmp_path, ALL).refused
    assert said == "No model here is read from broken.safetensors, gemma_3_12B_it.safetensors, sd_xl_base.safetensors."
