"""What a transformer of each family is called with, at a latent shape (batch, channels, frames, height, width).

The texts have the length that their pipelines pad them to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from engine.schema import Pass

Inputs = Callable[[tuple[int, ...], Pass], dict[str, Any]]


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


def wan_animate(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    batch, channels, frames, *sides = shape
    seen = {
        "pose_hidden_states": like(1, 16, frames, *sides),
        "face_pixel_values": like(1, 3, run.num_frames, 512, 512),
    }
    return wan_i2v((batch, channels, frames + 1, *sides), run) | seen  # the picture's own frame leads


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


def framepack(shape: tuple[int, ...], run: Pass) -> dict[str, Any]:
    """One section of nine latent frames, and what it looks back at: the picture, and 1, 2 and 16 frames of history."""
    batch, channels, _, *sides = shape
    kept = {"clean": 2, "history_2x": 2, "history_4x": 16}
    history = {f"latents_{name}": like(batch, channels, frames, *sides) for name, frames in kept.items()}
    places = {f"indices_latents_{name}": torch.arange(frames) for name, frames in kept.items()}
    section = {"hidden_states": like(batch, channels, 9, *sides), "indices_latents": torch.arange(9)}
    return hunyuan(shape, run) | history | places | section | {"image_embeds": like(1, 729, 1152)}


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
