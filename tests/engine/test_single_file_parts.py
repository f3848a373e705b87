"""Text encoders, VAEs and scaled weights of other programs: what is read is what the model's own files hold."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from diffusers import AutoencoderKLLTXVideo
from safetensors.torch import load_file, save_file

from engine.schema import Placement
from engine.schema.errors import ModelProblem
from engine.worker.loading import device_placement, single_file_loader
from engine.worker.loading.text_encoding import identity
from tests.tiny import hunyuan_video, ltx, ltx2, single_files, wan

Weights = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    wan.build_i2v(folder / "wan")
    wan.build_22_5b(folder / "wan22")
    wan.build_flf(folder / "two pictures")
    hunyuan_video.build(folder / "hunyuan")
    ltx.build(folder / "ltx")
    ltx2.build(folder / "ltx-2")
    shutil.copytree(folder / "ltx", folder / "ltx2048", ignore=shutil.ignore_patterns("transformer"))
    wide_vae().save_pretrained(folder / "ltx2048" / "vae")
    return folder


def wide_vae() -> AutoencoderKLLTXVideo:
    """Of 2048 channels at its end, by which diffusers' converter knows the generation of 0.9.5."""
    torch.manual_seed(0)
    changes = {"block_out_channels": (8, 8, 8, 8, 2048), "layers_per_block": (1, 1, 1, 1, 0)}
    return AutoencoderKLLTXVideo.from_config({**ltx._vae().config, **changes})


def own(folder: Path, part: str) -> Weights:
    """A part as its own library loads it."""
    kind = device_placement.classes(folder, {part})[part]
    weights: Weights = kind.from_pretrained(folder / part, dtype=torch.float32).state_dict()
    return weights


def lent(folder: Path, target: Path, dtype: torch.dtype = torch.float32, prefix: str = "", **files: Path) -> Any:
    """A part as it is read from another program's file, its own weights being gone."""
    shutil.copytree(folder, target)
    single_files.lend(target, prefix, **files)
    (part,) = files
    return single_file_loader.load(target, device_placement.classes(target, files), dtype, {})[part]


def same(part: torch.nn.Module, weights: Weights) -> None:
    found = part.state_dict()
    assert found.keys() == weights.keys()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in found.items())


READERS = {
    "UMT5 of ComfyUI": ("wan", "text_encoder", {}),
    "UMT5 by Wan's own names": ("wan", "text_encoder", {"wans": True}),
    "T5 of ComfyUI": ("ltx", "text_encoder", {}),
    "Llama of ComfyUI": ("hunyuan", "text_encoder", {"before": "model."}),
    "CLIP-L of ComfyUI": ("hunyuan", "text_encoder_2", {"before": "text_model."}),
    "CLIP vision of ComfyUI": ("wan", "image_encoder", {"before": "vision_model."}),
}


@pytest.mark.parametrize("case", READERS)
def test_an_encoder_of_another_program_is_the_models_own(case: str, models: Path, tmp_path: Path) -> None:
    model, part, how = READERS[case]
    file = single_files.reader(models / model, tmp_path / "comfy" / "reader.safetensors", part, **how)
    same(lent(models / model, tmp_path / "lent", **{part: file}), own(models / model, part))


def test_the_place_of_two_pictures_is_read_too(models: Path, tmp_path: Path) -> None:
    folder = models / "two pictures"
    file = single_files.transformer(folder, tmp_path / "comfy" / "flf2v.safetensors", "wan")
    assert "img_emb.emb_pos" in load_file(file)
    same(lent(folder, tmp_path / "lent", transformer=file), own(folder, "transformer"))


def test_the_vae_of_wan_22_is_the_models_own(models: Path, tmp_path: Path) -> None:
    file = single_files.wan_22_vae(models / "wan22", tmp_path / "comfy" / "wan2.2_vae.safetensors")
    assert "decoder.upsamples.3.upsamples.1.residual.6.weight" in load_file(file)
    same(lent(models / "wan22", tmp_path / "lent", vae=file), own(models / "wan22", "vae"))


def test_the_vae_of_hunyuan_video_is_the_models_own(models: Path, tmp_path: Path) -> None:
    file = tmp_path / "hunyuan_video_vae_bf16.safetensors"  # its authors' names are those of diffusers
    shutil.copy(models / "hunyuan" / "vae" / "diffusion_pytorch_model.safetensors", file)
    same(lent(models / "hunyuan", tmp_path / "lent", vae=file), own(models / "hunyuan", "vae"))


@pytest.mark.parametrize("model", ["ltx2048", "ltx-2"])
def test_the_vae_in_an_ltx_checkpoint_is_the_models_own(model: str, models: Path, tmp_path: Path) -> None:
    file = tmp_path / "ltx.safetensors"
    drawing = {"model.diffusion_model.patchify_proj.weight": torch.ones(2, 2)}
    save_file(single_files.ltx_vae(models / model) | drawing, file)
    same(lent(models / model, tmp_path / "lent", prefix="vae.", vae=file), own(models / model, "vae"))


# ---- 8 bits with scales ---------------------------------------------------------------------------------------------


def dequantised(weights: Weights, file: Path, by_row: bool = False) -> Weights:
    """What a scaled file says each weight of its own library's is."""

    def brought_back(tensor: torch.Tensor) -> torch.Tensor:
        most = tensor.abs().amax(1, keepdim=True) if by_row else tensor.abs().max()
        scale = (most / single_files.EIGHT_BITS_END).clamp(min=1e-12)
        return (tensor / scale).to(torch.float8_e4m3fn).float() * scale

    return {
        name: brought_back(tensor) if name.endswith(".weight") and tensor.ndim == 2 else tensor
        for name, tensor in weights.items()
    }


MAKERS: dict[str, Callable[[Path, Path], Path]] = {
    "transformer": lambda folder, file: single_files.transformer(folder, file, "wan"),
    "text_encoder": lambda folder, file: single_files.reader(folder, file),
}


@pytest.mark.parametrize("part", MAKERS)
@pytest.mark.parametrize(("by_row", "named"), [(False, "scale_weight"), (True, "weight_scale")])
def test_weights_of_8_bits_are_what_their_scales_make_of_them(
    part: str, by_row: bool, named: str, models: Path, tmp_path: Path
) -> None:
    file = single_files.scaled(MAKERS[part](models / "wan", tmp_path / "comfy.safetensors"), by_row, named)
    whole = own(models / "wan", part)
    expected = dequantised(whole, file, by_row)
    assert any(not torch.equal(whole[name], expected[name]) for name in whole)
    same(lent(models / "wan", tmp_path / "lent", **{part: file}), expected)


def test_a_text_encoder_in_a_gguf_file_is_what_its_blocks_make_of_it(models: Path, tmp_path: Path) -> None:
    file = single_files.packed_reader(models / "wan", tmp_path / "comfy" / "encoder-Q8_0.gguf")
    kind = gguf.GGMLQuantizationType.Q8_0
    expected = {
        name: torch.from_numpy(gguf.dequantize(gguf.quants.quantize(tensor.numpy(), kind), kind))
        if tensor.ndim == 2 and tensor.shape[1] % 32 == 0
        else tensor
        for name, tensor in own(models / "wan", "text_encoder").items()
    }
    assert any(not torch.equal(tensor, expected[name]) for name, tensor in own(models / "wan", "text_encoder").items())
    same(lent(models / "wan", tmp_path / "lent", text_encoder=file), expected)


def test_they_come_in_the_number_format_of_the_plan(models: Path, tmp_path: Path) -> None:
    file = single_files.scaled(MAKERS["transformer"](models / "wan", tmp_path / "comfy.safetensors"))
    expected = dequantised(own(models / "wan", "transformer"), file)
    part = lent(models / "wan", tmp_path / "lent", torch.bfloat16, transformer=file)
    name = "blocks.0.attn1.to_q.weight"
    assert torch.equal(part.state_dict()[name], expected[name].bfloat16())


def test_what_a_model_computes_when_it_is_built_has_the_precision_it_has_from_its_own_files(
    models: Path, tmp_path: Path
) -> None:
    folder = models / "wan"
    kind = device_placement.classes(folder, {"transformer"})["transformer"]
    theirs = dict(kind.from_pretrained(folder / "transformer", dtype=torch.bfloat16).named_buffers())
    file = MAKERS["transformer"](folder, tmp_path / "comfy.safetensors")
    ours = dict(lent(folder, tmp_path / "lent", torch.bfloat16, transformer=file).named_buffers())
    assert any("rope" in name for name in theirs)
    assert all(tensor.dtype == theirs[name].dtype and tensor.equal(theirs[name]) for name, tensor in ours.items())


def test_what_is_kept_in_float32_is_not_rounded_on_the_way(models: Path, tmp_path: Path) -> None:
    file = MAKERS["transformer"](models / "wan", tmp_path / "comfy.safetensors")
    part = lent(models / "wan", tmp_path / "lent", torch.bfloat16, transformer=file)
    name = "condition_embedder.time_embedder.linear_1.weight"
    assert torch.equal(part.state_dict()[name], own(models / "wan", "transformer")[name])


def test_another_encoder_of_another_program_reads_the_words_anew(models: Path, tmp_path: Path) -> None:
    folder, placement = tmp_path / "lent", Placement(device="cpu", dtype="float32")
    shutil.copytree(models / "wan", folder)
    seen = []
    for name in ("one", "other"):
        file = single_files.reader(models / "wan", tmp_path / f"{name}.safetensors")
        if name == "other":
            save_file({key: tensor + 1 for key, tensor in load_file(file).items()}, file)
        single_files.lend(folder, text_encoder=file)
        seen.append(identity(folder, placement))
    assert len({identity(models / "wan", placement), *seen}) == 3


# ---- refused --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["shared.weight", "encoder.block.1.layer.0.SelfAttention.q.weight"])
def test_an_encoder_that_lacks_weights_is_refused_and_not_made_up(lost: str, models: Path, tmp_path: Path) -> None:
    file = single_files.reader(models / "wan", tmp_path / "comfy" / "umt5.safetensors")
    weights = load_file(file)
    del weights[lost]
    save_file(weights, file)
    with pytest.raises(ModelProblem, match=r"umt5\.safetensors are not those of this model"):
        lent(models / "wan", tmp_path / "lent", text_encoder=file)


def test_an_encoder_of_another_size_is_refused(models: Path, tmp_path: Path) -> None:
    file = single_files.reader(models / "ltx", tmp_path / "comfy" / "t5.safetensors")
    weights = load_file(file)
    weights["encoder.block.0.layer.0.SelfAttention.q.weight"] = torch.zeros(3, 3)
    save_file(weights, file)
    with pytest.raises(ModelProblem, match="not those of this model"):
        lent(models / "ltx", tmp_path / "lent", text_encoder=file)
