"""A tiny random LTX-2, sound included: 32x in space, 8x in time; sides are multiples of 32, frames 8k+1.

`build` is loaded by LTX2Pipeline, LTX2ImageToVideoPipeline and LTX2ConditionPipeline, `build_upsampler` by
LTX2LatentUpsamplePipeline. Sound: 16 kHz, 100 mel frames a second, 25 latent frames a second, out at 24 kHz, as real.

Worked around: the decoder pads by reflection (autoencoder_kl_ltx2.py:1098), which needs two latents a side, so the
smallest clip is 64x64. The audio VAE keeps one mean per base channel, so that has to be latent channels times latent
mel bins (autoencoder_kl_ltx2_audio.py:745). The call's default spatio_temporal_guidance_blocks=[28] needs 29 layers;
give [1] here, or None with stg_scale=0 and audio_stg_scale=0.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLLTX2Audio,
    AutoencoderKLLTX2Video,
    FlowMatchEulerDiscreteScheduler,
    LTX2LatentUpsamplePipeline,
    LTX2Pipeline,
    LTX2VideoTransformer3DModel,
)
from diffusers.pipelines.ltx2 import LTX2LatentUpsamplerModel, LTX2TextConnectors
from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder
from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3TextConfig, SiglipVisionConfig

from tests.tiny import encoders, tokenizers

CHANNELS = 8  # of the latents
MEL_BINS, SOUND_CHANNELS = 8, 2  # 4x fewer bins in the latents
SOUND_WIDTH = SOUND_CHANNELS * MEL_BINS // 4
LAYERS = 2  # of the text encoder


def build(folder: Path) -> None:
    torch.manual_seed(0)
    tokenizer = tokenizers.gemma()
    pipe = LTX2Pipeline(
        tokenizer=tokenizer,
        text_encoder=_gemma(len(tokenizer)),
        connectors=_connectors(),
        transformer=_transformer(),
        vae=_vae(),
        audio_vae=_audio_vae(),
        vocoder=_vocoder(),
        scheduler=FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True,
            base_shift=0.95,
            max_shift=2.05,
            base_image_seq_len=1024,
            max_image_seq_len=4096,
            shift_terminal=0.1,
        ),
    )
    pipe.save_pretrained(folder)


def build_upsampler(folder: Path) -> None:
    torch.manual_seed(0)
    LTX2LatentUpsamplePipeline(vae=_vae(), latent_upsampler=_upsampler()).save_pretrained(folder)


def build_two_stages(folder: Path) -> None:
    """With the upsampler in a folder beside the other parts, as an install leaves it."""
    build(folder)
    torch.manual_seed(0)
    _upsampler().save_pretrained(folder / "latent_upsampler")


def _upsampler() -> LTX2LatentUpsamplerModel:
    return LTX2LatentUpsamplerModel(
        in_channels=CHANNELS, mid_channels=32, num_blocks_per_stage=1, use_rational_resampler=False
    )


def _transformer() -> LTX2VideoTransformer3DModel:
    return LTX2VideoTransformer3DModel(
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        audio_in_channels=SOUND_WIDTH,
        audio_out_channels=SOUND_WIDTH,
        audio_num_attention_heads=2,
        audio_attention_head_dim=4,
        audio_cross_attention_dim=8,
        num_layers=2,
        caption_channels=encoders.WIDTH,
        rope_type="split",
    )


def _connectors() -> LTX2TextConnectors:
    return LTX2TextConnectors(
        caption_channels=encoders.WIDTH,
        text_proj_in_factor=LAYERS + 1,
        video_connector_num_attention_heads=4,
        video_connector_attention_head_dim=encoders.WIDTH // 4,
        video_connector_num_layers=1,
        video_connector_num_learnable_registers=None,
        audio_connector_num_attention_heads=4,
        audio_connector_attention_head_dim=encoders.WIDTH // 4,
        audio_connector_num_layers=1,
        audio_connector_num_learnable_registers=None,
        connector_rope_base_seq_len=32,
        rope_theta=10000.0,
        rope_double_precision=True,
        causal_temporal_positioning=False,
        rope_type="split",
    )


def _gemma(words: int) -> Gemma3ForConditionalGeneration:
    text = Gemma3TextConfig(
        vocab_size=words,
        hidden_size=encoders.WIDTH,
        intermediate_size=37,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
    )
    eye = SiglipVisionConfig(
        hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=24, patch_size=8
    )
    return Gemma3ForConditionalGeneration(Gemma3Config(text_config=text, vision_config=eye, mm_tokens_per_image=1))


def _vae() -> AutoencoderKLLTX2Video:
    vae = AutoencoderKLLTX2Video(
        latent_channels=CHANNELS,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 16, 32),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1),
        decoder_causal=False,
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
    )
    vae.latents_mean.normal_(0, 0.1)
    vae.latents_std.uniform_(0.8, 1.2)
    return vae


def _audio_vae() -> AutoencoderKLLTX2Audio:
    vae = AutoencoderKLLTX2Audio(
        base_channels=SOUND_WIDTH,
        ch_mult=(1, 1, 1),
        num_res_blocks=1,
        resolution=32,
        latent_channels=SOUND_CHANNELS,
        mel_bins=MEL_BINS,
    )
    vae.latents_mean.normal_(0, 0.1)
    vae.latents_std.uniform_(0.8, 1.2)
    return vae


def _vocoder() -> LTX2Vocoder:
    """240 samples for a mel frame, so 24 kHz."""
    return LTX2Vocoder(
        in_channels=2 * MEL_BINS,
        hidden_channels=32,
        upsample_kernel_sizes=[16, 15, 16],
        upsample_factors=[6, 5, 8],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
    )
