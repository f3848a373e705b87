"""A tiny random Mochi 1: 8x in space, 6x in time, patches of 2, so sides are multiples of 16; frames 6k+1.

`build` is loaded by MochiPipeline, the only one.

Worked around: the pipeline unscales latents by view(1, 12, 1, 1, 1) (pipeline_mochi.py:704), so they have the real 12
channels; the norms of its VAE have 32 groups, so that has 32 channels, and is most of the file.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKLMochi, FlowMatchEulerDiscreteScheduler, MochiPipeline, MochiTransformer3DModel

from tests.tiny import encoders

CHANNELS = 12  # of the latents


def build(folder: Path) -> None:
    torch.manual_seed(0)
    tokenizer, text_encoder = encoders.t5()
    transformer = MochiTransformer3DModel(
        in_channels=CHANNELS,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=2,
        pooled_projection_dim=16,
        text_embed_dim=encoders.WIDTH,
        time_embed_dim=8,
        max_sequence_length=16,
    )
    vae = AutoencoderKLMochi(
        latent_channels=CHANNELS,
        encoder_block_out_channels=(32, 32, 32, 32),
        decoder_block_out_channels=(32, 32, 32, 32),
        layers_per_block=(1, 1, 1, 1, 1),
    )
    pipe = MochiPipeline(
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        transformer=transformer,
        vae=vae,
        scheduler=FlowMatchEulerDiscreteScheduler(invert_sigmas=True),
    )
    pipe.save_pretrained(folder)
