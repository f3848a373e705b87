"""Put the starter's parts together as a stock diffusers WanPipeline, and read a committed one back."""

import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
from torch import nn
from transformers import UMT5EncoderModel

from starter.text import TEXT_DIM, new_text_encoder
from starter.tokenizer import new_tokenizer, vocabulary
from starter.vae import LATENT_CHANNELS, new_vae

FLOW_SHIFT = 3.0


def new_transformer() -> WanTransformer3DModel:
    """Six blocks of width 192; the modulations start as gates of zero, so that every block starts as the identity."""
    transformer = WanTransformer3DModel(
        patch_size=(1, 1, 1),
        num_attention_heads=6,
        attention_head_dim=32,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        text_dim=TEXT_DIM,
        freq_dim=128,
        ffn_dim=768,
        num_layers=6,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=64,
    )
    with torch.no_grad():
        for block in transformer.blocks:
            block.scale_shift_table.zero_()
            block.attn2.to_out[0].weight.mul_(0.3)
        transformer.condition_embedder.time_proj.weight.zero_()
        transformer.condition_embedder.time_proj.bias.zero_()
        transformer.proj_out.weight.zero_()
        transformer.proj_out.bias.zero_()
    return transformer


def new_scheduler() -> UniPCMultistepScheduler:
    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=FLOW_SHIFT)


def assemble(vae: AutoencoderKLWan, encoder: UMT5EncoderModel, transformer: WanTransformer3DModel) -> WanPipeline:
    return WanPipeline(
        tokenizer=new_tokenizer(),
        text_encoder=encoder,
        transformer=transformer,
        vae=vae,
        scheduler=new_scheduler(),
        expand_timesteps=False,
    )


def untrained() -> WanPipeline:
    """The final architecture with random weights."""
    return assemble(new_vae(), new_text_encoder(len(new_tokenizer())), new_transformer())


def _half(module: nn.Module) -> None:
    """Round to fp16; done on a copy that is only saved."""
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.data = tensor.data.half() if tensor.is_floating_point() else tensor.data


def save(pipeline: WanPipeline, directory: Path) -> None:
    """Write fp16 weights and vocabulary beside `directory`, then swap; card, scores and colour map are kept."""
    beside = directory.with_name(directory.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    for module in (pipeline.vae, pipeline.text_encoder, pipeline.transformer):
        _half(module)
    pipeline.save_pretrained(beside)
    (beside / "vocabulary.txt").write_text("\n".join(vocabulary()) + "\n")
    for config in beside.glob("*/config.json"):  # where a part was loaded from is nobody's business
        config.write_text("".join(line for line in config.open() if '"_name_or_path"' not in line))
    for kept in ("README.md", "scores.json", "latent_rgb.safetensors"):
        if (directory / kept).exists():
            shutil.copy(directory / kept, beside / kept)
    for path in beside.rglob("*.safetensors"):
        path.chmod(0o644)
    old = directory.with_name(directory.name + ".old")
    if directory.exists():
        directory.rename(old)
    beside.rename(directory)
    shutil.rmtree(old, ignore_errors=True)


def size_mb(directory: Path) -> float:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) / 1e6


def write_latent_statistics(vae: AutoencoderKLWan, mean: list[float], std: list[float]) -> None:
    """Put the measured mean and standard deviation per latent channel into the VAE's configuration."""
    vae.register_to_config(latents_mean=mean, latents_std=std)
