"""A tiny random Kandinsky 5: HunyuanVideo's VAE (8x in space, 4x in time), Qwen 2.5 VL and CLIP as readers.

`build` is loaded by Kandinsky5T2VPipeline, `build_i2v` by Kandinsky5I2VPipeline, whose last touch
(normalize_first_frame) makes NaN of clips with fewer than five latent frames. Patches of 2, so sides are multiples of
16; frames 4k+1.

Worked around: the tokenizer of the hub's checkpoints is a Qwen2VLProcessor, which cannot be made without torchvision
(transformers/models/qwen2_vl/video_processing_qwen2_vl.py); this one is that processor's tokenizer alone, which the
pipeline calls the same way (pipeline_kandinsky.py:341). The pipeline cuts 128 tokens of template off (:201), so the
tokenizer is made for that. A fresh transformer's modulations are zero (transformer_kandinsky.py, Kandinsky5Modulation),
so that it would not hear its prompt; these are not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLHunyuanVideo,
    FlowMatchEulerDiscreteScheduler,
    Kandinsky5I2VPipeline,
    Kandinsky5T2VPipeline,
    Kandinsky5Transformer3DModel,
)
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from tests.tiny import encoders, tokenizers

CHANNELS = 4  # of the latents


def build(folder: Path) -> None:
    _build(folder, Kandinsky5T2VPipeline)


def build_i2v(folder: Path) -> None:
    _build(folder, Kandinsky5I2VPipeline)


def _build(folder: Path, pipeline: Any) -> None:
    torch.manual_seed(0)
    tokenizer_2, text_encoder_2 = encoders.clip_text()
    pipe = pipeline(
        tokenizer=None,
        text_encoder=None,
        tokenizer_2=tokenizer_2,
        text_encoder_2=text_encoder_2,
        transformer=_transformer(),
        vae=AutoencoderKLHunyuanVideo(
            latent_channels=CHANNELS, block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=4
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=5.0),
    )
    tokenizer = tokenizers.qwen(pipe.prompt_template.split("{}")[0], pipe.prompt_template_encode_start_idx)
    pipe.register_modules(tokenizer=tokenizer, text_encoder=_qwen(tokenizer))
    pipe.save_pretrained(folder)


def _transformer() -> Kandinsky5Transformer3DModel:
    transformer = Kandinsky5Transformer3DModel(
        in_visual_dim=CHANNELS,
        out_visual_dim=CHANNELS,
        in_text_dim=encoders.WIDTH,
        in_text_dim2=encoders.WIDTH,
        time_dim=16,
        model_dim=24,
        ff_dim=32,
        num_text_blocks=1,
        num_visual_blocks=2,
        axes_dims=(4, 4, 4),
        visual_cond=True,
    )
    for name, parameter in transformer.named_parameters():
        if "modulation" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    return transformer


def _qwen(tokenizer: Any) -> Qwen2_5_VLForConditionalGeneration:
    eye = {
        "depth": 1,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_heads": 2,
        "out_hidden_size": encoders.WIDTH,
        "fullatt_block_indexes": [0],
    }
    config = Qwen2_5_VLConfig(text_config=encoders.qwen_config(tokenizer).to_dict(), vision_config=eye)
    return Qwen2_5_VLForConditionalGeneration(config)
