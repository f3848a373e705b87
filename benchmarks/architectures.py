"""The real architectures behind the cards: classes of diffusers and the settings of their released checkpoints.

Source of the settings: diffusers' own conversion scripts (scripts/convert_*_to_diffusers.py) and class defaults, the
models' papers where there is no script. Whether they are right is checked: the parameters that they build must be the
parameters that the card claims.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.calls import (
    Inputs,
    cog,
    cog_1_5,
    cog_1_5_i2v,
    cog_2b,
    framepack,
    hunyuan,
    hunyuan15,
    hunyuan15_meanflow,
    kandinsky,
    like,
    ltx,
    ltx2,
    ltx23,
    mochi,
    wan,
    wan_5b,
    wan_animate,
    wan_flf2v,
    wan_i2v,
    wan_vace,
)
from benchmarks.checkpoints import (
    COG_1_5,
    COG_5B,
    KANDINSKY_LITE,
    LTX_095_VAE,
    LTX_2_3,
    LTX_2_3_VAE,
    LTX_13B,
    WAN_1B,
    WAN_5B,
    WAN_14B,
    WAN_22_VAE,
    WAN_I2V,
    Settings,
)
from engine import APP
from engine.schema import Pass


@dataclass(frozen=True)
class Architecture:
    """A transformer and a VAE of diffusers. `inputs` gives the arguments of one call of the transformer for a latent
    shape (batch, channels, frames, height, width)."""

    transformer: str
    vae: str
    inputs: Inputs
    settings: Settings = field(default_factory=dict)
    vae_settings: Settings = field(default_factory=dict)
    batched: bool = False  # guidance runs both prompts in one call


def of_wan(settings: Settings, inputs: Inputs = wan, **changes: Any) -> Architecture:
    return Architecture("WanTransformer3DModel", "AutoencoderKLWan", inputs, settings | changes)


def of_vace(settings: Settings, layers: range) -> Architecture:
    settings = {**settings, "vace_layers": list(layers), "vace_in_channels": 96}
    return Architecture("WanVACETransformer3DModel", "AutoencoderKLWan", wan_vace(len(layers)), settings)


def of_hunyuan15(**settings: Any) -> Architecture:
    inputs = hunyuan15_meanflow if settings.get("use_meanflow") else hunyuan15
    return Architecture("HunyuanVideo15Transformer3DModel", "AutoencoderKLHunyuanVideo15", inputs, settings)


def of_ltx(settings: Settings) -> Architecture:
    return Architecture("LTXVideoTransformer3DModel", "AutoencoderKLLTXVideo", ltx, settings, LTX_095_VAE, batched=True)


LTX_2_RATIOS = {"spatial_compression_ratio": 32, "temporal_compression_ratio": 8}  # which the class miscounts


def of_ltx2(inputs: Inputs, settings: Settings, vae: Settings) -> Architecture:
    return Architecture("LTX2VideoTransformer3DModel", "AutoencoderKLLTX2Video", inputs, settings, vae, batched=True)


def of_cog(inputs: Inputs, settings: Settings) -> Architecture:
    return Architecture("CogVideoXTransformer3DModel", "AutoencoderKLCogVideoX", inputs, settings, batched=True)


def of_hunyuan(**settings: Any) -> Architecture:
    return Architecture("HunyuanVideoTransformer3DModel", "AutoencoderKLHunyuanVideo", hunyuan, settings)


LTX2 = of_ltx2(ltx2, {"rope_type": "split"}, {"decoder_causal": False} | LTX_2_RATIOS)
LTX23 = of_ltx2(ltx23, LTX_2_3, LTX_2_3_VAE | LTX_2_RATIOS)
KANDINSKY5 = Architecture("Kandinsky5Transformer3DModel", "AutoencoderKLHunyuanVideo", kandinsky, KANDINSKY_LITE)
HUNYUAN15_T2V, HUNYUAN15_I2V = of_hunyuan15(task_type="t2v"), of_hunyuan15(task_type="i2v")


def of_folder(folder: Path) -> Architecture:
    """The one that ships with the app says it itself."""
    transformer, vae = (json.loads((folder / part / "config.json").read_text()) for part in ("transformer", "vae"))
    width = transformer["text_dim"]

    def inputs(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
        return wan(shape, run) | {"encoder_hidden_states": like(1, 64, width)}

    plain = ({k: v for k, v in config.items() if not k.startswith("_")} for config in (transformer, vae))
    return Architecture("WanTransformer3DModel", "AutoencoderKLWan", inputs, *plain)


ARCHITECTURES = {
    "starter": of_folder(APP / "models" / "starter"),
    "wan2.1-t2v-1.3b": of_wan(WAN_1B),
    "wan2.1-t2v-14b": of_wan(WAN_14B),
    "wan2.2-t2v-a14b": of_wan(WAN_14B),
    "wan2.2-i2v-a14b": of_wan(WAN_14B, in_channels=36),
    "wan2.1-i2v-14b-480p": of_wan(WAN_I2V, wan_i2v),
    "wan2.1-i2v-14b-720p": of_wan(WAN_I2V, wan_i2v),
    "wan2.1-flf2v-14b-720p": of_wan(WAN_I2V, wan_flf2v, pos_embed_seq_len=514),
    "wan2.2-animate-14b": Architecture(
        "WanAnimateTransformer3DModel", "AutoencoderKLWan", wan_animate, {"added_kv_proj_dim": 5120}
    ),
    "wan2.1-vace-1.3b": of_vace(WAN_1B, range(0, 30, 2)),
    "wan2.1-vace-14b": of_vace(WAN_14B, range(0, 40, 5)),
    "wan2.2-ti2v-5b": Architecture("WanTransformer3DModel", "AutoencoderKLWan", wan_5b, WAN_5B, WAN_22_VAE),
    "hunyuanvideo-t2v-13b": of_hunyuan(),
    "hunyuanvideo-i2v-13b": of_hunyuan(image_condition_type="token_replace"),
    "framepack-i2v-13b": Architecture(
        "HunyuanVideoFramepackTransformer3DModel",
        "AutoencoderKLHunyuanVideo",
        framepack,
        {"has_image_proj": True, "has_clean_x_embedder": True},
    ),
    "hunyuanvideo1.5-t2v-480p": HUNYUAN15_T2V,
    "hunyuanvideo1.5-t2v-480p-distilled": HUNYUAN15_T2V,
    "hunyuanvideo1.5-t2v-720p": HUNYUAN15_T2V,
    "hunyuanvideo1.5-i2v-480p": HUNYUAN15_I2V,
    "hunyuanvideo1.5-i2v-480p-distilled": HUNYUAN15_I2V,
    "hunyuanvideo1.5-i2v-480p-step-distilled": of_hunyuan15(task_type="i2v", use_meanflow=True),
    "hunyuanvideo1.5-i2v-720p": HUNYUAN15_I2V,
    "hunyuanvideo1.5-i2v-720p-distilled": HUNYUAN15_I2V,
    "kandinsky5-lite-t2v-5s": KANDINSKY5,
    "kandinsky5-lite-t2v-5s-distilled": KANDINSKY5,
    "kandinsky5-lite-i2v-5s": KANDINSKY5,
    "mochi-1-preview": Architecture("MochiTransformer3DModel", "AutoencoderKLMochi", mochi, batched=True),
    "ltx-video-2b-0.9.5": of_ltx({}),
    "ltx-video-13b-0.9.7-dev": of_ltx(LTX_13B),
    "ltx-video-13b-0.9.8-distilled": of_ltx(LTX_13B),
    "ltx-2": LTX2,
    "ltx-2-distilled": LTX2,
    "ltx-2.3": LTX23,
    "ltx-2.3-distilled": LTX23,
    "cogvideox-2b": of_cog(cog_2b, {}),
    "cogvideox-5b": of_cog(cog, COG_5B),
    "cogvideox-5b-i2v": of_cog(cog, {**COG_5B, "in_channels": 32, "use_learned_positional_embeddings": True}),
    "cogvideox1.5-5b": of_cog(cog_1_5, COG_1_5),
    "cogvideox1.5-5b-i2v": of_cog(cog_1_5_i2v, {**COG_1_5, "in_channels": 32, "ofs_embed_dim": 512}),
}
