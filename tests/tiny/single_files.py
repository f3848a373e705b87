"""Parts of tiny checkpoints as single files in their authors' own layout, as ComfyUI and WanGP keep them."""

from __future__ import annotations

import re
from pathlib import Path

import gguf
import torch
from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers
from safetensors.torch import load_file, save_file

from engine.schema.manifest import RECORD, Borrowed, Manifest
from tests.tiny.gguf_weights import WAN_NAMES

LTX_NAMES = {"proj_in": "patchify_proj", "time_embed": "adaln_single", "norm_q": "q_norm", "norm_k": "k_norm"}
NAMES = {"wan": WAN_NAMES, "ltx": LTX_NAMES}
UMT5_NAMES = {  # of Wan's own text encoder
    "encoder.final_layer_norm": "norm", "encoder.block": "blocks", ".layer.0.SelfAttention.relative_attention_bias":
    ".pos_embedding.embedding", ".layer.0.SelfAttention": ".attn", ".layer.0.layer_norm": ".norm1",
    ".layer.1.layer_norm": ".norm2", ".layer.1.DenseReluDense.wi_0": ".ffn.gate.0",
    ".layer.1.DenseReluDense.wi_1": ".ffn.fc1", ".layer.1.DenseReluDense.wo": ".ffn.fc2", "shared": "token_embedding",
}  # fmt: skip
WAN_22_VAE_NAMES = {
    "post_quant_conv": "conv2", "quant_conv": "conv1", ".mid_block.resnets.0": ".middle.0", ".mid_block.attentions.0":
    ".middle.1", ".mid_block.resnets.1": ".middle.2", ".norm_out": ".head.0", ".conv_out": ".head.2", ".conv_in":
    ".conv1#", "norm1": "residual.0", ".conv1.": ".residual.2.", "norm2": "residual.3", ".conv2.": ".residual.6.",
    "conv_shortcut": "shortcut", "#": "", "encoder.down_blocks": "encoder.downsamples", "decoder.up_blocks":
    "decoder.upsamples",
}  # fmt: skip
PACKED_NAMES = {  # of llama.cpp, for either T5
    "encoder.final_layer_norm": "enc.output_norm", "encoder.block": "enc.blk", "shared": "token_embd",
    ".layer.0.SelfAttention.relative_attention_bias": ".attn_rel_b", ".layer.0.layer_norm": ".attn_norm",
    ".layer.0.SelfAttention.": ".attn_", ".layer.1.layer_norm": ".ffn_norm",
    ".layer.1.DenseReluDense.wi_0": ".ffn_gate", ".layer.1.DenseReluDense.wi_1": ".ffn_up",
    ".layer.1.DenseReluDense.wo": ".ffn_down",
}  # fmt: skip
EIGHT_BITS_END = 448.0  # the largest number of float8_e4m3fn


def transformer(folder: Path, target: Path, family: str, prefix: str = "", dtype: torch.dtype | None = None) -> Path:
    """The transformer of a folder, written to `target` by its authors' names."""
    weights = {}
    for name, tensor in _weights(folder / "transformer").items():
        for ours, theirs in NAMES[family].items():
            name = name.replace(ours, theirs)
        if family == "wan":
            name = "head.modulation" if name == "scale_shift_table" else name.replace("scale_shift_table", "modulation")
        weights[prefix + name] = tensor.to(dtype or tensor.dtype).contiguous()
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, target)
    return target


def wan_vae(folder: Path, target: Path) -> Path:
    """The VAE of a Wan likewise; the names come from asking diffusers' own converter about every one there can be."""
    places = ["residual.0", "residual.2", "residual.3", "residual.6", "shortcut", "resample.1", "time_conv", "norm",
              "to_qkv", "proj"]  # fmt: skip
    blocks = [f"{half}.{place}.{n}.{what}" for half, place in
              (("encoder", "downsamples"), ("decoder", "upsamples"), ("encoder", "middle"), ("decoder", "middle"))
              for n in range(16) for what in places]  # fmt: skip
    ends = ["conv1", "conv2", *(f"{half}.{name}" for half in ("encoder", "decoder") for name in
            ("conv1", "head.0", "head.2"))]  # fmt: skip
    theirs = [f"{name}.{kind}" for name in (*blocks, *ends) for kind in ("weight", "bias", "gamma")]
    names = convert_wan_vae_to_diffusers({name: name for name in theirs})
    weights = {names[name]: tensor for name, tensor in _weights(folder / "vae").items()}
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, target)
    return target


def wan_22_vae(folder: Path, target: Path) -> Path:
    """The VAE of Wan 2.2 5B, with one block to a stage in the encoder and two in the decoder."""
    weights = {}
    for name, tensor in _weights(folder / "vae").items():
        for ours, theirs in WAN_22_VAE_NAMES.items():
            name = (
                name if name.startswith(("quant_conv", "post_")) and "quant" not in ours else name.replace(ours, theirs)
            )
        name = re.sub(r"(downsamples\.\d+)\.downsampler\.", r"\1.downsamples.1.", name)
        name = re.sub(r"(upsamples\.\d+)\.upsampler\.", r"\1.upsamples.2.", name)
        name = re.sub(r"(down|up)(samples\.\d+)\.resnets\.", r"\1\2.\1samples.", name)
        weights[name] = tensor
    return _save(weights, target)


def ltx_vae(folder: Path) -> dict[str, torch.Tensor]:
    """The VAE of an LTX-Video as it lies in a checkpoint."""
    changes = (
        (r"^encoder\.down_blocks\.(\d)\.downsamplers\.0", lambda at: f"encoder.down_blocks.{2 * int(at[1]) + 1}"),
        (r"^encoder\.down_blocks\.(\d)\.resnets", lambda at: f"encoder.down_blocks.{2 * int(at[1])}.res_blocks"),
        (r"^decoder\.up_blocks\.(\d)\.upsamplers\.0", lambda at: f"decoder.up_blocks.{2 * int(at[1]) + 1}"),
        (r"^decoder\.up_blocks\.(\d)\.(?=res|time)", lambda at: f"decoder.up_blocks.{2 * int(at[1]) + 2}."),
        (r"^encoder\.mid_block", "encoder.down_blocks.8"), (r"^decoder\.mid_block", "decoder.up_blocks.0"),
        (r"\.resnets\.", ".res_blocks."), (r"^decoder\.time_embedder", "decoder.last_time_embedder"),
        (r"^decoder\.scale_shift_table", "decoder.last_scale_shift_table"), (r"conv_shortcut\.conv", "conv_shortcut"),
        (r"norm3\.", "norm3.norm."), ("^latents_mean", "per_channel_statistics.mean-of-means"),
        ("^latents_std", "per_channel_statistics.std-of-means"),
    )  # fmt: skip
    weights = {}
    for name, tensor in _weights(folder / "vae").items():
        for ours, theirs in changes:
            name = re.sub(ours, theirs, name)
        weights[f"vae.{name}"] = tensor
    return weights


def reader(folder: Path, target: Path, part: str = "text_encoder", before: str = "", wans: bool = False) -> Path:
    """A text or image encoder as ComfyUI keeps it, with what else lies there; `wans`: by Wan's own names."""
    weights = {}
    for name, tensor in _weights(folder / part).items():
        for ours, theirs in UMT5_NAMES.items() if wans else ():
            name = name.replace(ours, theirs)
        weights[before + name] = tensor
    return _save({**weights, "spiece_model": torch.zeros(9, dtype=torch.uint8)}, target)


def packed_reader(folder: Path, target: Path) -> Path:
    """A text encoder as a GGUF file, in Q8_0 where its blocks of 32 fit."""
    target.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(str(target), "t5encoder")
    for name, tensor in _weights(folder / "text_encoder").items():
        for ours, theirs in PACKED_NAMES.items():
            name = name.replace(ours, theirs)
        if tensor.ndim == 2 and tensor.shape[1] % 32 == 0:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quants.quantize(tensor.numpy(), kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, tensor.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def scaled(path: Path, by_row: bool = False, named: str = "scale_weight") -> Path:
    """The same file with its matrices in 8 bits, each by a scale, as `..._fp8_scaled` files are."""
    weights: dict[str, torch.Tensor] = {"scaled_fp8": torch.zeros(2).to(torch.float8_e4m3fn)}
    for name, tensor in load_file(path).items():
        if tensor.ndim != 2 or not name.endswith(".weight"):
            weights[name] = tensor
            continue
        most = tensor.abs().amax(1, keepdim=True) if by_row else tensor.abs().max()
        scale = (most / EIGHT_BITS_END).clamp(min=1e-12)
        weights[name] = (tensor / scale).to(torch.float8_e4m3fn)
        weights[name.removesuffix("weight") + named] = scale
        weights[name.removesuffix("weight") + "scale_input"] = torch.ones(1)
    return _save(weights, path)


def _save(weights: dict[str, torch.Tensor], target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, target)
    return target


def lend(folder: Path, prefix: str = "", **files: Path) -> None:
    """Let parts of an installed model be read from these files; their own weights are taken away."""
    for part in files:
        for own in (folder / part).glob("*.safetensors"):
            own.unlink()
    borrowed = tuple(of(part, path, prefix) for part, path in files.items())
    (folder / RECORD).write_text(Manifest(model=folder.name, borrowed=borrowed).model_dump_json())


def of(part: str, path: Path, prefix: str = "") -> Borrowed:
    age = path.stat()
    return Borrowed(part=part, path=str(path), bytes=age.st_size, modified_ns=age.st_mtime_ns, prefix=prefix)


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor for path in folder.glob("*.safetensors") for name, tensor in load_file(path).items()}
