"""A tiny random LTX-Video of the 0.9.5 to 0.9.8 kind: 32x in space, 8x in time, a decoder that takes a timestep.

`build` is loaded by LTXPipeline, LTXImageToVideoPipeline and LTXConditionPipeline, `build_upsampler` by
LTXLatentUpsamplePipeline. Sides are multiples of 32, frames 8k+1.

Worked around: LTXConditionPipeline hands its scheduler no `mu` (pipeline_ltx_condition.py:1122), which a scheduler
with dynamic shifting refuses (scheduling_flow_match_euler_discrete.py:309), so this one shifts nothing, as the hub's
0.9.5 and later do. LTXLatentUpsamplerModel has 32 norm groups (modeling_latent_upsampler.py:117), hence 32 channels.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLLTXVideo,
    FlowMatchEulerDiscreteScheduler,
    LTXLatentUpsamplePipeline,
    LTXPipeline,
    LTXVideoTransformer3DModel,
)
from diffusers.pipelines.ltx.modeling_latent_upsampler import LTXLatentUpsamplerModel

from tests.tiny import encoders

CHANNELS = 8  # of the latents


def build(folder: Path) -> None:
    torch.manual_seed(0)
    tokenizer, text_encoder = encoders.t5()
    transformer = LTXVideoTransformer3DModel(
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        num_attention_heads=2,
        attention_head_dim=16,
        cross_attention_dim=32,
        num_layers=2,
        caption_channels=encoders.WIDTH,
    )
    pipe = LTXPipeline(
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        transformer=transformer,
        vae=_vae(),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=False),
    )
    pipe.save_pretrained(folder)


def build_upsampler(folder: Path) -> None:
    torch.manual_seed(0)
    LTXLatentUpsamplePipeline(vae=_vae(), latent_upsampler=_upsampler()).save_pretrained(folder)


def build_two_stages(folder: Path) -> None:
    """With the upsampler in a folder beside the other parts, as an install leaves it."""
    build(folder)
    torch.manual_seed(0)
    _upsampler().save_pretrained(folder / "latent_upsampler")


def _upsampler() -> LTXLatentUpsamplerModel:
    return LTXLatentUpsamplerModel(in_channels=CHANNELS, mid_channels=32, num_blocks_per_stage=1)


def _vae() -> AutoencoderKLLTXVideo:
    vae = AutoencoderKLLTXVideo(
        latent_channels=CHANNELS,
        block_out_channels=(8, 8, 8, 8, 8),
        down_block_types=("LTXVideo095DownBlock3D",) * 4,
        downsample_type=("spatial", "temporal", "spatiotemporal", "spatiotemporal"),
        spatio_temporal_scaling=(True, True, True, True),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_block_out_channels=(8, 16, 32),
        decoder_spatio_temporal_scaling=(True, True, True),
        decoder_layers_per_block=(1, 1, 1, 1),
        decoder_inject_noise=(False, False, False, False),
        upsample_residual=(True, True, True),
        upsample_factor=(2, 2, 2),
        timestep_conditioning=True,
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
    )
    vae.latents_mean.normal_(0, 0.1)
    vae.latents_std.uniform_(0.8, 1.2)
    return vae
