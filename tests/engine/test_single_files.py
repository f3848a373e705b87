"""Single weights files of other programs: recognised by their header, read where they lie, or refused with a reason."""

from __future__ import annotations

import json
import math
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from diffusers.loaders import single_file_utils

from benchmarks.architectures import ARCHITECTURES
from benchmarks.tracing import build
from engine import APP
from engine.schema import Dtype, Placement
from engine.schema.card import ModelCard
from engine.schema.errors import BadFile, ModelProblem
from engine.storage.catalog import Catalog
from engine.weights.external import look
from engine.worker import families
from engine.worker.loading import device_placement, pipeline_loader
from engine.worker.sampling import denoise
from tests.engine.test_families import CASES, planned, shot
from tests.tiny import single_files, wan
from tests.tiny.single_files import lend

CARDS = Catalog(APP / "presets" / "models").cards
READ = {name: card for name, card in CARDS.items() if "transformer" in card.single_files}
FULL = Placement(device="cpu", dtype="float32")
CONVERTERS: dict[str, Callable[..., dict[str, Any]]] = {
    "wan": single_file_utils.convert_wan_transformer_to_diffusers,
    "wan_vace": single_file_utils.convert_wan_transformer_to_diffusers,
    "wan_animate": single_file_utils.convert_wan_transformer_to_diffusers,
    "ltx": single_file_utils.convert_ltx_transformer_checkpoint_to_diffusers,
    "ltx2": single_file_utils.convert_ltx2_transformer_to_diffusers,
    "hunyuan_video": single_file_utils.convert_hunyuan_video_transformer_to_diffusers,
}


def looks(card: ModelCard) -> tuple[str, str]:
    """Models that differ in nothing that their weights could show are alike in this."""
    rule = card.single_files["transformer"]
    return card.family, f"{sorted(rule.holds.items())}"


def built(card: ModelCard) -> Any:
    """The transformer of a card, as large as it is, of nothing."""
    alike = (name for name in ARCHITECTURES if name in READ and looks(READ[name]) == looks(card))
    same = card.id if card.id in ARCHITECTURES else next(alike, "")
    with torch.device("meta"):
        if not same:  # its class is of the released size
            return diffusers.WanAnimateTransformer3DModel()
        return build(getattr(diffusers, ARCHITECTURES[same].transformer), ARCHITECTURES[same].settings)


@pytest.mark.parametrize("name", [name for name, card in READ.items() if card.family in CONVERTERS])
def test_what_a_card_says_of_its_file_is_what_the_model_is_made_of(name: str) -> None:
    card = READ[name]
    theirs = {key: torch.empty(shape, device="meta") for key, shape in card.single_files["transformer"].holds.items()}
    ours = CONVERTERS[card.family](dict(theirs))
    model = {key: tensor.shape for key, tensor in built(card).state_dict().items()}
    assert ours
    assert {key: tensor.shape for key, tensor in ours.items()} == {key: model.get(key) for key in ours}


# ---- read where they lie --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Wan 2.1 whose VAE has the blocks of the real one, which diffusers' converter counts on."""
    folder = tmp_path_factory.mktemp("models") / "wan"
    wan.build_21(folder)
    torch.manual_seed(0)
    vae = AutoencoderKLWan(base_dim=4, z_dim=16, dim_mult=[1, 2, 4, 4], num_res_blocks=2,
                           temperal_downsample=[False, True, True])  # fmt: skip
    vae.save_pretrained(folder / "vae")
    return folder


@torch.no_grad()
def frames(name: str, folder: Path) -> np.ndarray:
    """What a model draws, its weights laid afresh: where a file's header puts them in memory tips the last bit."""
    case, family = CASES[name], families.of(CASES[name].family)
    model = pipeline_loader.load(folder, FULL, case.pipeline, pipeline_loader.Loading(family))
    for part in (model.pipe.transformer, model.pipe.vae):
        for tensor in part.parameters():
            tensor.data = tensor.data.clone()
    take = shot(planned(case), "take")
    latents = denoise.draw(model, family, take, denoise.StepReporter(lambda event: None, lambda: False))
    return family.decode(model.pipe, latents, take).frames.astype(float)


def with_lent(folder: Path, target: Path, family: str, dtype: torch.dtype | None = None, **vae: Path) -> Path:
    """A copy of a model whose transformer lies in another program's folder, in that one's layout."""
    shutil.copytree(folder, target)
    comfy = target.parent / "ComfyUI" / f"{family}.safetensors"
    prefix = "model.diffusion_model." if family == "ltx" else ""
    lend(target, transformer=single_files.transformer(folder, comfy, family, prefix, dtype), **vae)
    assert not list((target / "transformer").glob("*.safetensors"))
    return target


def test_a_transformer_and_a_vae_of_another_program_draw_what_the_models_own_draw(small: Path, tmp_path: Path) -> None:
    vae = single_files.wan_vae(small, tmp_path / "ComfyUI" / "wan_2.1_vae.safetensors")
    lent = with_lent(small, tmp_path / "lent", "wan", vae=vae)
    assert not list((lent / "vae").glob("*.safetensors"))
    assert np.array_equal(frames("wan-2.1", lent), frames("wan-2.1", small))


@pytest.mark.slow
def test_so_does_the_one_in_an_ltx_checkpoint(tmp_path: Path) -> None:
    CASES["ltx"].build(tmp_path / "plain")
    lent = with_lent(tmp_path / "plain", tmp_path / "lent", "ltx")
    assert np.array_equal(frames("ltx", lent), frames("ltx", tmp_path / "plain"))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_what_is_kept_in_full_precision_is_kept_so_from_a_single_file(
    small: Path, tmp_path: Path, dtype: Dtype
) -> None:
    stored = device_placement.DTYPES[dtype]
    plain = shutil.copytree(small, tmp_path / "plain")
    WanTransformer3DModel.from_pretrained(plain / "transformer", dtype=torch.float32).to(stored).save_pretrained(
        plain / "transformer"
    )
    lent = with_lent(small, tmp_path / "lent", "wan", stored)
    there, here = (
        pipeline_loader.load(folder, Placement(device="cpu", dtype=dtype), "WanPipeline").pipe.transformer.state_dict()
        for folder in (plain, lent)
    )
    assert {name: tensor.dtype for name, tensor in here.items()} == {name: there[name].dtype for name in there}
    assert all(torch.equal(tensor, there[name]) for name, tensor in here.items())


def test_weights_stored_in_8_bits_without_scales_are_read(small: Path, tmp_path: Path) -> None:
    lent = with_lent(small, tmp_path / "lent", "wan", torch.float8_e4m3fn)
    plain, rounded = (
        pipeline_loader.load(folder, FULL, "WanPipeline").pipe.transformer.state_dict() for folder in (small, lent)
    )
    assert {tensor.dtype for tensor in rounded.values()} == {torch.float32}
    assert all(torch.equal(rounded[name], plain[name].to(torch.float8_e4m3fn).float()) for name in plain)


@pytest.mark.slow
def test_what_is_stored_smaller_is_kept_and_read_again(small: Path, tmp_path: Path) -> None:
    lent = with_lent(small, tmp_path / "lent", "wan")
    fp8, how = FULL.model_copy(update={"precision": "fp8"}), pipeline_loader.Loading(caches=tmp_path / "caches")
    first = pipeline_loader.load(lent, fp8, "WanPipeline", how).pipe.transformer.state_dict()
    assert list((tmp_path / "caches").glob("lent/transformer-*/whole.json"))
    again = pipeline_loader.load(lent, fp8, "WanPipeline", how).pipe.transformer.state_dict()
    assert all(torch.equal(again[name].float(), first[name].float()) for name in first)


CHANGES: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "touched": lambda path: os.utime(path, ns=(0, 0)),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"0"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_lent_file_that_is_another_now_is_refused(change: str, small: Path, tmp_path: Path) -> None:
    lent = with_lent(small, tmp_path / "lent", "wan")
    CHANGES[change](tmp_path / "ComfyUI" / "wan.safetensors")
    with pytest.raises(ModelProblem, match=r"wan\.safetensors of another program, .* is gone or changed"):
        pipeline_loader.load(lent, FULL, "WanPipeline")


def test_weights_of_another_model_are_refused_while_they_are_read(small: Path, tmp_path: Path) -> None:
    lent = with_lent(small, tmp_path / "lent", "wan")
    wan.build_22_5b(tmp_path / "other")
    single_files.transformer(tmp_path / "other", tmp_path / "ComfyUI" / "wan.safetensors", "wan")
    lend(lent, transformer=tmp_path / "ComfyUI" / "wan.safetensors")
    with pytest.raises(ModelProblem, match="not those of this model"):
        pipeline_loader.load(lent, FULL, "WanPipeline")


# ---- recognised -----------------------------------------------------------------------------------------------------

WIDTHS = {"BF16": 2, "F16": 2, "F8_E4M3": 1, "I8": 1}


def a_file(path: Path, shapes: dict[str, tuple[int, ...]], stored: str = "BF16") -> Path:
    """A weights file of real size that takes no room: a header, and nothing after it."""
    header, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + WIDTHS[stored] * math.prod(shape)
        header[name] = {"dtype": stored, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
    return path


def holds(card: str, prefix: str = "") -> dict[str, tuple[int, ...]]:
    return {prefix + name: shape for name, shape in CARDS[card].single_files["transformer"].holds.items()}


SERVES = [
    ("wan2.1_t2v_1.3B_bf16", "wan2.1-t2v-1.3b", ["wan2.1-t2v-1.3b"]),
    ("wan2.1_t2v_14B_fp16", "wan2.1-t2v-14b", ["wan2.1-t2v-14b"]),
    ("wan2.1_i2v_480p_14B_fp16", "wan2.1-i2v-14b-480p", ["wan2.1-i2v-14b-480p"]),
    ("wan2.1_i2v_720p_14B_fp8_e4m3fn", "wan2.1-i2v-14b-480p", ["wan2.1-i2v-14b-720p"]),
    ("my favourite i2v", "wan2.1-i2v-14b-480p", ["wan2.1-i2v-14b-480p", "wan2.1-i2v-14b-720p"]),
    ("wan2.1_vace_1.3B_fp16", "wan2.1-vace-1.3b", ["wan2.1-vace-1.3b"]),
    ("wan2.1_vace_14B_fp16", "wan2.1-vace-14b", ["wan2.1-vace-14b"]),
    ("wan2.2_t2v_high_noise_14B_fp16", "wan2.2-t2v-a14b", ["wan2.2-t2v-a14b"]),
    ("wan2.2_image2video_14B_low_mbf16", "wan2.2-i2v-a14b", ["wan2.2-i2v-a14b"]),
    ("wan2.2_ti2v_5B_fp16", "wan2.2-ti2v-5b", ["wan2.2-ti2v-5b"]),
    ("wan2.1_flf2v_720p_14B_fp16", "wan2.1-flf2v-14b-720p", ["wan2.1-flf2v-14b-720p"]),
    ("wan2.2_animate_14B_bf16", "wan2.2-animate-14b", ["wan2.2-animate-14b"]),
    ("ltx-video-2b-v0.9.5", "ltx-video-2b-0.9.5", ["ltx-video-2b-0.9.5"]),
    ("ltxv-13b-0.9.8-distilled", "ltx-video-13b-0.9.7-dev", ["ltx-video-13b-0.9.8-distilled"]),
    ("ltx-2-19b-dev", "ltx-2", ["ltx-2"]),
    ("ltx-2.3-22b-distilled", "ltx-2.3", ["ltx-2.3-distilled"]),
    ("hunyuan_video_t2v_720p_bf16", "hunyuanvideo-t2v-13b", ["hunyuanvideo-t2v-13b"]),
    ("mochi_preview_bf16", "mochi-1-preview", ["mochi-1-preview"]),
]


@pytest.mark.parametrize(("name", "content", "models"), SERVES)
def test_a_file_is_known_by_its_content_and_by_its_name_where_that_is_not_enough(
    name: str, content: str, models: list[str], tmp_path: Path
) -> None:
    prefix = "model.diffusion_model." if content.startswith("ltx") else ""
    file = a_file(tmp_path / f"{name}.safetensors", holds(content, prefix), "F8_E4M3" if "fp8" in name else "BF16")
    assert [offer.model for offer in look(file, list(CARDS.values())).offers] == models


def test_every_model_that_can_be_read_from_a_file_is_among_them() -> None:
    served = {looks(READ[model]) for _, _, models in SERVES for model in models}
    assert {looks(card) for card in READ.values()} == served


def test_both_halves_of_a_pair_and_the_vae_are_found_in_a_folder(tmp_path: Path) -> None:
    comfy, unet = tmp_path / "models", tmp_path / "models" / "diffusion_models"
    high = a_file(unet / "wan2.2_t2v_high_noise_14B_fp16.safetensors", holds("wan2.2-t2v-a14b"))
    low = a_file(unet / "wan2.2_t2v_low_noise_14B_fp8_e4m3fn.safetensors", holds("wan2.2-t2v-a14b"), "F8_E4M3")
    better = a_file(unet / "wan2.2_t2v_low_noise_14B_fp16.safetensors", holds("wan2.2-t2v-a14b"))
    vae = CARDS["wan2.2-t2v-a14b"].single_files["vae"].holds
    a_file(comfy / "vae" / "qwen_image_vae.safetensors", vae)  # looks the same and is another
    mine = a_file(comfy / "vae" / "wan_2.1_vae.safetensors", vae)
    (comfy / "loras").mkdir()
    (comfy / "loras" / "broken.safetensors").write_bytes(b"no")
    (offer,) = look(comfy, list(CARDS.values())).offers
    assert {one.part: one.path for one in offer.borrowed} == {
        "transformer": str(high), "transformer_2": str(better), "vae": str(mine),
    }  # fmt: skip
    (alone,) = look(low, list(CARDS.values())).offers
    assert [one.part for one in alone.borrowed] == ["transformer_2"]


FFN = "blocks.39.ffn.0"  # of 13824 rows
REFUSED = [
    ({**holds("wan2.1-t2v-14b"), f"{FFN}.scale_weight": (9, 9)}, "F8_E4M3", "", "made for .* 14B, but .* another kind"),
    ({**holds("wan2.1-t2v-14b"), f"{FFN}.weight_scale": (13823,)}, "F8_E4M3", "", "does not read yet: .* another kind"),
    ({**holds("wan2.1-t2v-14b"), f"{FFN}.weight_scale": ()}, "BF16", "", "does not read yet"),
    ({**holds("wan2.1-t2v-14b"), f"{FFN}.weight_scale_2": ()}, "F8_E4M3", "", "another kind"),
    ({**holds("wan2.1-t2v-14b"), f"{FFN}.weight_scale_inv": (9, 9)}, "F8_E4M3", "", "another kind"),
    ({**holds("wan2.1-t2v-14b"), f"{FFN}.scales": (13824,)}, "F8_E4M3", "", "another kind"),
    (holds("wan2.1-t2v-14b"), "I8", "", "stored as I8"),
    (
        {name.replace("weight", "weight._data"): shape for name, shape in holds("wan2.1-t2v-14b").items()},
        "I8",
        "",
        "I8",
    ),
    (holds("wan2.1-t2v-14b"), "BF16", "wan2.1-t2v-1.3b", r"made for Wan 2.1 T2V 14B\."),
    ({"blocks.0.ffn.0.lora_A.weight": (16, 5120)}, "BF16", "", "no part of a model"),
    ({"encoder.block.0.layer.0.SelfAttention.q.weight": (4096, 4096)}, "BF16", "", "no part of a model"),
]


@pytest.mark.parametrize(("shapes", "stored", "wanted", "why"), REFUSED)
def test_what_cannot_be_read_is_refused_with_what_it_is(
    shapes: dict[str, tuple[int, ...]], stored: str, wanted: str, why: str, tmp_path: Path
) -> None:
    file = a_file(tmp_path / "wan_t2v_14B.safetensors", shapes, stored)
    with pytest.raises(BadFile, match=why):
        look(file, list(CARDS.values()), wanted)


HOSTILE: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: path.write_bytes(b""),
    "a header of 4 exabytes": lambda path: path.write_bytes(struct.pack("<Q", 2**62) + b"{}"),
    "brackets without end": lambda path: path.write_bytes(struct.pack("<Q", 200_000) + b"[" * 200_000),
    "cut short": lambda path: (a_file(path, {"x": (9, 9)}), path.write_bytes(path.read_bytes()[:-4])),
    "a pipe": lambda path: os.mkfifo(path),
    "a folder": lambda path: path.mkdir(),
    "a pickle": lambda path: path.write_bytes(b"\x80\x04cos\nsystem\n"),
    "a lying GGUF": lambda path: path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60)),
}


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("kind", [".safetensors", ".gguf"])
def test_a_hostile_file_is_one_plain_refusal_and_spoils_no_folder(hostile: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"wan2.1_t2v_14B{kind}"
    HOSTILE[hostile](path)
    with pytest.raises(BadFile):
        look(path, list(CARDS.values()))
    a_file(tmp_path / "wan2.1_t2v_1.3B.safetensors", holds("wan2.1-t2v-1.3b"))
    assert [offer.model for offer in look(tmp_path, list(CARDS.values())).offers] == ["wan2.1-t2v-1.3b"]
