"""A tiny random HunyuanVideo 1.5: 16x in space, 4x in time, patches of 1, so sides are multiples of 16; frames 4k+1.

`build` is loaded by HunyuanVideo15Pipeline, `build_i2v` by HunyuanVideo15ImageToVideoPipeline. The latter takes no
height and width: it picks the size near `target_size` that fits the image
(pipeline_hunyuan_video1_5_image2video.py:756), here 32 pixels.

Worked around: the pipelines cut 108 tokens of chat template off (pipeline_hunyuan_video1_5.py:234), so the tokenizer is
made for it. The transformer's second text projection is 2048 wide whatever else is asked
(transformer_hunyuan_video15.py:597), hence the size of the file.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLHunyuanVideo15,
    ClassifierFreeGuidance,
    FlowMatchEulerDiscreteScheduler,
    HunyuanVideo15ImageToVideoPipeline,
    HunyuanVideo15Pipeline,
    HunyuanVideo15Transformer3DModel,
)
from transformers import ByT5Tokenizer, Qwen2_5_VLTextModel, T5Config, T5EncoderModel

from tests.tiny import encoders, tokenizers

CHANNELS = 4  # of the latents
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def build(folder: Path) -> None:
    torch.manual_seed(0)
    HunyuanVideo15Pipeline(transformer=_transformer("t2v"), **_parts()).save_pretrained(folder)


def build_i2v(folder: Path) -> None:
    torch.manual_seed(0)
    processor, eye = encoders.siglip()
    pipe = HunyuanVideo15ImageToVideoPipeline(
        transformer=_transformer("i2v"), image_encoder=eye, feature_extractor=processor, **_parts()
    )
    pipe.save_pretrained(folder)


def _transformer(task: str) -> HunyuanVideo15Transformer3DModel:
    return HunyuanVideo15Transformer3DModel(
        in_channels=2 * CHANNELS + 1,
        out_channels=CHANNELS,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=2,
        num_refiner_layers=1,
        mlp_ratio=2.0,
        text_embed_dim=encoders.WIDTH,
        text_embed_2_dim=encoders.WIDTH,
        image_embed_dim=encoders.WIDTH,
        rope_axes_dim=(2, 2, 4),
        target_size=32,
        task_type=task,
    )


def _parts() -> dict[str, Any]:
    tokenizer = _tokenizer()
    glyphs = T5Config(
        vocab_size=384,
        d_model=encoders.WIDTH,
        d_kv=8,
        d_ff=37,
        num_layers=1,
        num_heads=2,
        feed_forward_proj="gated-gelu",
    )
    vae = AutoencoderKLHunyuanVideo15(latent_channels=CHANNELS, block_out_channels=(8, 8, 8, 8, 8), layers_per_block=1)
    return {
        "tokenizer": tokenizer,
        "text_encoder": Qwen2_5_VLTextModel(encoders.qwen_config(tokenizer)),
        "tokenizer_2": ByT5Tokenizer(),
        "text_encoder_2": T5EncoderModel(glyphs),
        "vae": vae,
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=5.0),
        "guider": ClassifierFreeGuidance(guidance_scale=6.0),
    }


def _tokenizer() -> Any:
    """Made for the pipeline's system message, so that the user's words begin where it cuts."""
    reader = inspect.signature(HunyuanVideo15Pipeline._get_mllm_prompt_embeds).parameters
    head = f"<|im_start|>system\n{reader['system_message'].default}<|im_end|>\n<|im_start|>user\n"
    return tokenizers.qwen(head, reader["crop_start"].default, CHAT)
