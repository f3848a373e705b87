"""A tiny random HunyuanVideo: 8x in space, 4x in time, patches of 2, so sides are multiples of 16; frames 4k+1.

`build` is loaded by HunyuanVideoPipeline, `build_i2v` (33 channels in: latents, image, mask; four frames less come out)
and `build_i2v_replace` (16 channels in, the first latent frame is the image's) by HunyuanVideoImageToVideoPipeline,
`build_framepack` by HunyuanVideoFramepackPipeline.

Worked around: the pipelines cut the prompt template off by counting tokens, 95 (pipeline_hunyuan_video.py:82) or 103
(pipeline_hunyuan_video_image2video.py:95), and expect one image token at place 5 that becomes 576, so the tokenizer is
made for its template and the image encoder sees 24x24 patches.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLHunyuanVideo,
    FlowMatchEulerDiscreteScheduler,
    HunyuanVideoFramepackPipeline,
    HunyuanVideoFramepackTransformer3DModel,
    HunyuanVideoImageToVideoPipeline,
    HunyuanVideoPipeline,
    HunyuanVideoTransformer3DModel,
)
from diffusers.pipelines.hunyuan_video import pipeline_hunyuan_video, pipeline_hunyuan_video_image2video
from transformers import CLIPImageProcessor, CLIPVisionConfig, LlamaModel, LlavaConfig, LlavaForConditionalGeneration

from tests.tiny import encoders, tokenizers

CHANNELS = 4  # of the latents


def build(folder: Path) -> None:
    parts = _parts(pipeline_hunyuan_video)
    transformer = HunyuanVideoTransformer3DModel(in_channels=CHANNELS, guidance_embeds=True, **_size())
    reader = LlamaModel(encoders.llama_config(parts["tokenizer"]))
    HunyuanVideoPipeline(text_encoder=reader, transformer=transformer, **parts).save_pretrained(folder)


def build_i2v(folder: Path) -> None:
    _build_i2v(folder, in_channels=2 * CHANNELS + 1, guidance_embeds=False, image_condition_type="latent_concat")


def build_i2v_replace(folder: Path) -> None:
    _build_i2v(folder, in_channels=CHANNELS, guidance_embeds=True, image_condition_type="token_replace")


def _build_i2v(folder: Path, **layout: Any) -> None:
    parts = _parts(pipeline_hunyuan_video_image2video)
    transformer = HunyuanVideoTransformer3DModel(**layout, **_size())
    pipe = HunyuanVideoImageToVideoPipeline(
        text_encoder=_llava(parts["tokenizer"]),
        image_processor=CLIPImageProcessor(size={"shortest_edge": 48}, crop_size=48),
        transformer=transformer,
        **parts,
    )
    pipe.save_pretrained(folder)


def build_framepack(folder: Path) -> None:
    parts = _parts(pipeline_hunyuan_video)
    parts["scheduler"] = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    processor, eye = encoders.siglip()
    transformer = HunyuanVideoFramepackTransformer3DModel(
        in_channels=CHANNELS,
        guidance_embeds=True,
        has_image_proj=True,
        image_proj_dim=encoders.WIDTH,
        has_clean_x_embedder=True,
        **_size(),
    )
    pipe = HunyuanVideoFramepackPipeline(
        text_encoder=LlamaModel(encoders.llama_config(parts["tokenizer"])),
        transformer=transformer,
        image_encoder=eye,
        feature_extractor=processor,
        **parts,
    )
    pipe.save_pretrained(folder)


def _parts(pipeline: Any) -> dict[str, Any]:
    """What all three share, the tokenizer made for the prompt template of `pipeline`, a module."""
    torch.manual_seed(0)
    template = pipeline.DEFAULT_PROMPT_TEMPLATE
    tokenizer_2, text_encoder_2 = encoders.clip_text()
    vae = AutoencoderKLHunyuanVideo(
        latent_channels=CHANNELS, block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=4
    )
    return {
        "tokenizer": tokenizers.llama(template["template"].split("{}")[0], template["crop_start"]),
        "tokenizer_2": tokenizer_2,
        "text_encoder_2": text_encoder_2,
        "vae": vae,
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=7.0),
    }


def _size() -> dict[str, Any]:
    return {
        "out_channels": CHANNELS,
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "num_layers": 1,
        "num_single_layers": 1,
        "num_refiner_layers": 1,
        "text_embed_dim": encoders.WIDTH,
        "pooled_projection_dim": encoders.WIDTH,
        "rope_axes_dim": (4, 4, 4),
    }


def _llava(tokenizer: Any) -> LlavaForConditionalGeneration:
    """Llama with an eye of 24x24 patches."""
    eye = CLIPVisionConfig(
        hidden_size=8,
        intermediate_size=16,
        num_attention_heads=2,
        num_hidden_layers=2,
        projection_dim=8,
        image_size=48,
        patch_size=2,
    )
    config = LlavaConfig(
        vision_config=eye,
        text_config=encoders.llama_config(tokenizer),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlavaForConditionalGeneration(config)
