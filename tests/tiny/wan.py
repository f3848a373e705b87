"""A tiny random Wan: the geometry of the starter, a hundred times smaller."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
from transformers import UMT5Config, UMT5EncoderModel

from tests.tiny import tokenizers


def build(folder: Path) -> None:
    """Write the checkpoint to `folder`, the same weights every time."""
    torch.manual_seed(0)
    vae = AutoencoderKLWan(
        base_dim=4,
        decoder_base_dim=4,
        z_dim=4,
        dim_mult=[1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[True, True],
        patch_size=4,
        in_channels=48,
        out_channels=48,
        is_residual=True,
        scale_factor_spatial=16,
        latents_mean=[0.1, -0.1, 0.2, 0.0],
        latents_std=[1.0, 0.9, 1.1, 1.2],
    )
    transformer = WanTransformer3DModel(
        patch_size=(1, 1, 1),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=4,
        out_channels=4,
        text_dim=32,
        freq_dim=16,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=32,
    )
    tokenizer = tokenizers.t5()
    text = UMT5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=8,
        d_ff=37,
        num_layers=2,
        num_heads=4,
        relative_attention_num_buckets=8,
    )
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    pipe = WanPipeline(
        tokenizer=tokenizer, text_encoder=UMT5EncoderModel(text), transformer=transformer, vae=vae, scheduler=scheduler
    )
    pipe.save_pretrained(folder)
