"""Tiny random Wans, the models of many faces: UMT5, a transformer with patches of 2, AutoencoderKLWan; frames 4k+1.

`build` has the geometry of the starter (16x in space, patches of 4 in the VAE and of 1 in the transformer) and is
loaded by WanPipeline. The others have the real channels, compression and patches:
`build_21` by WanPipeline and WanVideoToVideoPipeline (8x, so sides are multiples of 16),
`build_22_moe` by WanPipeline (two transformers, the second below boundary_ratio),
`build_22_5b` by WanPipeline and WanImageToVideoPipeline (16x, one timestep a token, so sides are multiples of 32),
`build_i2v` by WanImageToVideoPipeline (36 channels in: latents, mask, image; and what CLIP sees of the image),
`build_22_i2v` by the same (two transformers, no CLIP), `build_flf` by the same with `last_image`,
`build_vace` by WanVACEPipeline, `build_animate` by WanAnimatePipeline.

Worked around: the transformer's place for two images' CLIP tokens has a fixed length (transformer_wan.py:292), so the
image encoder has 2x2 patches. Animate's face encoder wants its channels told by side length
(transformer_wan_animate.py:1060).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLWan,
    UniPCMultistepScheduler,
    WanAnimatePipeline,
    WanAnimateTransformer3DModel,
    WanImageToVideoPipeline,
    WanPipeline,
    WanTransformer3DModel,
    WanVACEPipeline,
    WanVACETransformer3DModel,
)
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel, UMT5Config, UMT5EncoderModel

from tests.tiny import tokenizers

CHANNELS = 16  # of the latents; 48 in 2.2 5B
EYE = 8  # width of the image encoder
SEEN = 5  # its tokens of an image


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
    text = _text(len(tokenizer))
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    pipe = WanPipeline(
        tokenizer=tokenizer, text_encoder=UMT5EncoderModel(text), transformer=transformer, vae=vae, scheduler=scheduler
    )
    pipe.save_pretrained(folder)


def build_21(folder: Path) -> None:
    torch.manual_seed(0)
    WanPipeline(transformer=WanTransformer3DModel(**size()), **parts()).save_pretrained(folder)


def build_22_moe(folder: Path) -> None:
    torch.manual_seed(0)
    early, late = WanTransformer3DModel(**size()), WanTransformer3DModel(**size())
    pipe = WanPipeline(transformer=early, transformer_2=late, boundary_ratio=0.875, **parts())
    pipe.save_pretrained(folder)


def build_22_5b(folder: Path) -> None:
    torch.manual_seed(0)
    transformer = WanTransformer3DModel(**size() | {"in_channels": 48, "out_channels": 48})
    vae = AutoencoderKLWan(
        base_dim=4,
        decoder_base_dim=4,
        z_dim=48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        patch_size=2,
        in_channels=12,
        out_channels=12,
        is_residual=True,
        scale_factor_spatial=16,
        latents_mean=[0.1 * (channel % 5 - 2) for channel in range(48)],
        latents_std=[0.8 + 0.1 * (channel % 5) for channel in range(48)],
    )
    WanPipeline(transformer=transformer, expand_timesteps=True, **parts() | {"vae": vae}).save_pretrained(folder)


def build_i2v(folder: Path) -> None:
    torch.manual_seed(0)
    transformer = WanTransformer3DModel(**size() | _sees_an_image())
    WanImageToVideoPipeline(transformer=transformer, **_eye(), **parts()).save_pretrained(folder)


def build_22_i2v(folder: Path) -> None:
    """Two experts, and no eye: the pictures are seen as latents only, one or two of them."""
    torch.manual_seed(0)
    early, late = (WanTransformer3DModel(**size() | {"in_channels": 2 * CHANNELS + 4}) for _ in range(2))
    pipe = WanImageToVideoPipeline(transformer=early, transformer_2=late, boundary_ratio=0.9, **parts())
    pipe.save_pretrained(folder)


def build_flf(folder: Path) -> None:
    """First and last frame."""
    torch.manual_seed(0)
    transformer = WanTransformer3DModel(**size() | _sees_an_image(), pos_embed_seq_len=2 * SEEN)
    WanImageToVideoPipeline(transformer=transformer, **_eye(), **parts()).save_pretrained(folder)


def build_vace(folder: Path) -> None:
    torch.manual_seed(0)
    transformer = WanVACETransformer3DModel(vace_layers=[0, 1], vace_in_channels=2 * CHANNELS + 64, **size())
    WanVACEPipeline(transformer=transformer, **parts()).save_pretrained(folder)


def build_animate(folder: Path) -> None:
    torch.manual_seed(0)
    transformer = WanAnimateTransformer3DModel(
        **size() | {"in_channels": 2 * CHANNELS + 4},
        latent_channels=CHANNELS,
        image_dim=EYE,
        motion_encoder_channel_sizes={"4": 16, "8": 16, "16": 16},
        motion_encoder_size=16,
        motion_style_dim=8,
        motion_dim=4,
        motion_encoder_dim=16,
        face_encoder_hidden_dim=16,
        face_encoder_num_heads=2,
        inject_face_latents_blocks=2,
    )
    WanAnimatePipeline(transformer=transformer, **_eye(), **parts()).save_pretrained(folder)


def parts() -> dict[str, Any]:
    """What Wan 2.1 and its relatives share."""
    tokenizer = tokenizers.t5()
    vae = AutoencoderKLWan(
        base_dim=3, z_dim=CHANNELS, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    )
    return {
        "tokenizer": tokenizer,
        "text_encoder": UMT5EncoderModel(_text(len(tokenizer))),
        "vae": vae,
        "scheduler": UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=3.0
        ),
    }


def _text(words: int) -> UMT5Config:
    return UMT5Config(
        vocab_size=words, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4, relative_attention_num_buckets=8
    )


def size() -> dict[str, Any]:
    return {
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "in_channels": CHANNELS,
        "out_channels": CHANNELS,
        "text_dim": 32,
        "freq_dim": 16,
        "ffn_dim": 32,
        "num_layers": 2,
        "rope_max_seq_len": 32,
    }


def _sees_an_image() -> dict[str, Any]:
    return {"in_channels": 2 * CHANNELS + 4, "image_dim": EYE, "added_kv_proj_dim": 24}


def _eye() -> dict[str, Any]:
    config = CLIPVisionConfig(
        hidden_size=EYE,
        intermediate_size=16,
        projection_dim=EYE,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=8,
        patch_size=4,
    )
    return {
        "image_encoder": CLIPVisionModel(config),
        "image_processor": CLIPImageProcessor(size={"shortest_edge": 8}, crop_size=8),
    }
