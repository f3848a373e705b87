"""A tiny random CogVideoX: 8x in space, 4x in time, patches of 2, so sides are multiples of 16.

`build` (the 2B layout: positions added, no rotary) is loaded by CogVideoXPipeline and CogVideoXVideoToVideoPipeline,
`build_i2v` (the 5B-I2V layout: rotary and learned positions, twice the channels in) by CogVideoXImageToVideoPipeline,
`build_15` (the 1.5 layout: patches of 2 in time, no learned positions) by CogVideoXPipeline, `build_15_i2v` (which also
reads an offset, ofs) by CogVideoXImageToVideoPipeline. 1.5 pads an odd number of latent frames by one in front.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLCogVideoX,
    CogVideoXDDIMScheduler,
    CogVideoXDPMScheduler,
    CogVideoXImageToVideoPipeline,
    CogVideoXPipeline,
    CogVideoXTransformer3DModel,
)

from tests.tiny import encoders

CHANNELS = 4  # of the latents


def build(folder: Path) -> None:
    parts = _parts()
    CogVideoXPipeline(transformer=_transformer(CHANNELS), scheduler=_scheduler(), **parts).save_pretrained(folder)


def build_i2v(folder: Path) -> None:
    parts = _parts()
    transformer = _transformer(
        2 * CHANNELS, use_rotary_positional_embeddings=True, use_learned_positional_embeddings=True
    )
    scheduler = CogVideoXDPMScheduler.from_config(_scheduler().config)
    CogVideoXImageToVideoPipeline(transformer=transformer, scheduler=scheduler, **parts).save_pretrained(folder)


def build_15(folder: Path) -> None:
    parts = _parts()
    transformer = _transformer(CHANNELS, patch_size_t=2, patch_bias=False, use_rotary_positional_embeddings=True)
    scheduler = CogVideoXDPMScheduler.from_config(_scheduler().config)
    CogVideoXPipeline(transformer=transformer, scheduler=scheduler, **parts).save_pretrained(folder)


def build_15_i2v(folder: Path) -> None:
    parts = _parts()
    layout = {"patch_size_t": 2, "patch_bias": False, "ofs_embed_dim": 8, "use_rotary_positional_embeddings": True}
    transformer = _transformer(2 * CHANNELS, **layout)
    scheduler = CogVideoXDPMScheduler.from_config(_scheduler().config)
    CogVideoXImageToVideoPipeline(transformer=transformer, scheduler=scheduler, **parts).save_pretrained(folder)


def _parts() -> dict[str, Any]:
    torch.manual_seed(0)
    tokenizer, text_encoder = encoders.t5()
    vae = AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=CHANNELS,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
        scaling_factor=1.15258426,
    )
    return {"tokenizer": tokenizer, "text_encoder": text_encoder, "vae": vae}


def _transformer(in_channels: int, **layout: Any) -> CogVideoXTransformer3DModel:
    return CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=in_channels,
        out_channels=CHANNELS,
        time_embed_dim=8,
        text_embed_dim=encoders.WIDTH,
        num_layers=2,
        sample_width=8,  # of the latents of a 64x64 clip of 9 frames
        sample_height=8,
        sample_frames=9,
        max_text_seq_length=16,
        **layout,
    )


def _scheduler() -> CogVideoXDDIMScheduler:
    """v-prediction with zero terminal SNR, as the hub's."""
    return CogVideoXDDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        snr_shift_scale=3.0,
        timestep_spacing="trailing",
        set_alpha_to_one=True,
        clip_sample=False,
    )
