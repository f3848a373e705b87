"""The real architectures behind the cards: classes of diffusers and the settings of their released checkpoints.

Source of the settings: diffusers' own conversion scripts (scripts/convert_*_to_diffusers.py) and class defaults, the
models' papers where there is no script. Whether they are right is checked: the parameters that they build must be the
parameters that the card claims.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

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
from engine.types import Pass

Inputs = Callable[[tuple[int, ...], Pass], dict[str, Any]]


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


def like(*shape: int) -> torch.Tensor:
    return torch.empty(shape)


def mask(*shape: int) -> torch.Tensor:
    return torch.ones(shape, dtype=torch.bool)


def wan(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    return {"hidden_states": like(*shape), "timestep": like(1), "encoder_hidden_states": like(1, 512, 4096)}


def wan_i2v(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    return wan(shape, run) | {"encoder_hidden_states_image": like(1, 257, 1280)}


def wan_flf2v(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    return wan(shape, run) | {"encoder_hidden_states_image": like(2, 257, 1280)}  # the first picture and the last


def wan_vace(layers: int) -> Inputs:
    def inputs(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
        control = {"control_hidden_states": like(1, 96, *shape[2:]), "control_hidden_states_scale": torch.ones(layers)}
        return wan(shape, run) | control

    return inputs


def wan_5b(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    tokens = shape[2] * (shape[3] // 2) * (shape[4] // 2)  # this one has a timestep for each token
    return wan(shape, run) | {"timestep": like(1, tokens)}


def hunyuan(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    reading = {"encoder_hidden_states": like(1, 256, 4096), "encoder_attention_mask": mask(1, 256)}
    return reading | {"hidden_states": like(*shape), "timestep": like(1), "pooled_projections": like(1, 768),
                      "guidance": like(1)}  # fmt: skip


def hunyuan15(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    return {"hidden_states": like(*shape), "timestep": like(1), "encoder_hidden_states": like(1, 1000, 3584),
            "encoder_attention_mask": mask(1, 1000), "encoder_hidden_states_2": like(1, 256, 1472),
            "encoder_attention_mask_2": mask(1, 256), "image_embeds": like(1, 729, 1152)}  # fmt: skip


def hunyuan15_meanflow(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    return hunyuan15(shape, run) | {"timestep_r": like(1)}


def mochi(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    batch = shape[0]
    return {"hidden_states": like(*shape), "encoder_hidden_states": like(batch, 256, 4096), "timestep": like(batch),
            "encoder_attention_mask": mask(batch, 256)}  # fmt: skip


def ltx(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    batch, channels, frames, height, width = shape
    return {"hidden_states": like(batch, frames * height * width, channels), "timestep": like(batch),
            "encoder_hidden_states": like(batch, 128, 4096), "encoder_attention_mask": mask(batch, 128),
            "num_frames": frames, "height": height, "width": width,
            "rope_interpolation_scale": (8 / 25, 32, 32)}  # fmt: skip


def ltx2(shape: tuple[int, ...], run: Pass, text: tuple[int, int] = (3840, 3840)) -> dict[str, Any]:
    batch, channels, frames, height, width = shape
    sound, reading = round(run.seconds * 25), mask(batch, 1024)
    return {
        "hidden_states": like(batch, frames * height * width, channels),
        "audio_hidden_states": like(batch, sound, 128),
        "encoder_hidden_states": like(batch, 1024, text[0]),
        "audio_encoder_hidden_states": like(batch, 1024, text[1]),
        "encoder_attention_mask": reading,
        "audio_encoder_attention_mask": reading,
        "timestep": like(batch),
        "sigma": like(batch),
        "num_frames": frames,
        "height": height,
        "width": width,
        "audio_num_frames": sound,
    }


def ltx23(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    return ltx2(shape, run, (4096, 2048))


def cog(shape: tuple[int, ...], run: Pass, text: int = 226, rotary: int = 1) -> dict[str, Any]:
    batch, channels, frames, height, width = shape
    frames += frames % 2 if rotary == 2 else 0  # 1.5 has patches of two frames
    tokens = frames // max(rotary, 1) * (height // 2) * (width // 2)
    angles = {"image_rotary_emb": (like(tokens, 64), like(tokens, 64))} if rotary else {}
    return {"hidden_states": like(batch, frames, channels, height, width), "timestep": like(batch),
            "encoder_hidden_states": like(batch, text, 4096)} | angles  # fmt: skip


def cog_2b(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    return cog(shape, run, rotary=0)


def cog_1_5(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    return cog(shape, run, text=224, rotary=2)


def cog_1_5_i2v(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    return cog_1_5(shape, run) | {"ofs": like(1)}


def kandinsky(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    _, channels, frames, height, width = shape
    rope = [torch.arange(frames), torch.arange(height // 2), torch.arange(width // 2)]
    return {"hidden_states": like(1, frames, height, width, channels), "encoder_hidden_states": like(1, 512, 3584),
            "timestep": like(1), "pooled_projections": like(1, 768), "visual_rope_pos": rope,
            "text_rope_pos": torch.arange(512), "scale_factor": (1.0, 2.0, 2.0)}  # fmt: skip


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


def of_ltx2(inputs: Inputs, settings: Settings, vae: Settings) -> Architecture:
    return Architecture("LTX2VideoTransformer3DModel", "AutoencoderKLLTX2Video", inputs, settings, vae, batched=True)


def of_cog(inputs: Inputs, settings: Settings) -> Architecture:
    return Architecture("CogVideoXTransformer3DModel", "AutoencoderKLCogVideoX", inputs, settings, batched=True)


def of_hunyuan(**settings: Any) -> Architecture:
    return Architecture("HunyuanVideoTransformer3DModel", "AutoencoderKLHunyuanVideo", hunyuan, settings)


LTX2 = of_ltx2(ltx2, {"rope_type": "split"}, {"decoder_causal": False})
LTX23 = of_ltx2(ltx23, LTX_2_3, LTX_2_3_VAE)
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
    "wan2.1-vace-1.3b": of_vace(WAN_1B, range(0, 30, 2)),
    "wan2.1-vace-14b": of_vace(WAN_14B, range(0, 40, 5)),
    "wan2.2-ti2v-5b": Architecture("WanTransformer3DModel", "AutoencoderKLWan", wan_5b, WAN_5B, WAN_22_VAE),
    "hunyuanvideo-t2v-13b": of_hunyuan(),
    "hunyuanvideo-i2v-13b": of_hunyuan(image_condition_type="token_replace"),
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
