"""Tiny decoders in the layout of the published files: their frames and sides, and their arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad, relu

from engine.schema import Placement, ShotPlan
from engine.worker import families
from engine.worker.families.family import Shot
from engine.worker.loading import pipeline_loader as loading
from engine.worker.sampling import preview
from engine.worker.sampling.tiny_decoder import TinyDecoder
from tests.tiny import decoder


@pytest.mark.parametrize(
    ("channels", "strides", "patch", "latent_frames", "frames", "side"),
    [
        (16, (1, 2, 2), 1, 3, 9, 8),  # Wan 2.1, HunyuanVideo, CogVideoX
        (48, (1, 2, 2), 2, 3, 9, 16),  # Wan 2.2 5B
        (128, (2, 2, 2), 4, 3, 17, 32),  # LTX-2
        (12, (1, 2, 3), 1, 3, 13, 8),  # Mochi
    ],
)
def test_the_video_has_the_models_frames_and_sides(
    channels: int, strides: tuple[int, int, int], patch: int, latent_frames: int, frames: int, side: int
) -> None:
    tiny = TinyDecoder(decoder.weights(channels, strides, patch))
    video = tiny(torch.randn(1, channels, latent_frames, 2, 4))
    assert video.shape == (1, 3, frames, 2 * side, 4 * side)


def test_a_doubling_left_out_halves_the_sides() -> None:
    tiny = TinyDecoder(decoder.weights(16))
    tiny.enlargements = 1
    assert tiny(torch.randn(1, 16, 3, 2, 4)).shape == (1, 3, 9, 4, 8)


def by_hand(weights: dict[str, Tensor], latents: Tensor) -> Tensor:
    """The same by another road: all frames of a layer at once, as the published code does it."""

    def conv(name: str, x: Tensor) -> Tensor:
        weight = weights[f"{name}.weight"]
        return conv2d(x, weight, weights.get(f"{name}.bias"), padding=weight.shape[-1] // 2)

    x = relu(conv("decoder.1", torch.tanh(latents[0].transpose(0, 1) / 3) * 3))
    for first in (3, 9, 15):
        for block in range(first, first + 3):
            before = pad(x, (0, 0, 0, 0, 0, 0, 1, 0))[:-1]
            inner = relu(conv(f"decoder.{block}.conv.0", torch.cat([x, before], 1)))
            inner = conv(f"decoder.{block}.conv.4", relu(conv(f"decoder.{block}.conv.2", inner)))
            x = relu(inner + x)
        x = interpolate(x, scale_factor=2)
        x = conv(f"decoder.{first + 4}.conv", x).reshape(-1, *x.shape[1:])
        x = conv(f"decoder.{first + 5}", x)
    return (conv("decoder.22", relu(x))[3:] * 2 - 1).transpose(0, 1)[None]


def test_frame_by_frame_is_the_same_as_all_at_once() -> None:
    weights, latents = decoder.weights(16), torch.randn(1, 16, 4, 3, 5)
    torch.testing.assert_close(TinyDecoder(weights)(latents), by_hand(weights, latents), atol=1e-5, rtol=1e-4)


@pytest.fixture
def model(tiny_home: Path, tmp_path: Path) -> loading.Model:
    """A tiny model, in a folder of its own that a test may write to."""
    placement = Placement(device="cpu", dtype="float32")
    made = loading.load(tiny_home / "models" / "tiny-wan", placement, "WanPipeline")
    made.folder = tmp_path
    return made


@torch.no_grad()
def test_a_model_with_a_tiny_decoder_beside_it_is_seen_through_it(model: loading.Model, tiny_plan: ShotPlan) -> None:
    shot = Shot(tiny_plan, tiny_plan.take, torch.Generator("cpu"))
    channels = model.pipe.transformer.config.in_channels
    decoder.build(model.folder, channels)
    look = preview.Look(model.pipe, families.of("wan"), model.folder)
    assert look.kind == "tiny"
    frames = look.frames(torch.randn(1, channels, 3, 12, 12), shot)
    assert frames.shape == (9, 96, 96, 3) and frames.dtype == np.uint8


@torch.no_grad()
def test_a_large_clip_is_seen_small(model: loading.Model, tiny_plan: ShotPlan) -> None:
    shot = Shot(tiny_plan, tiny_plan.take, torch.Generator("cpu"))
    channels = model.pipe.transformer.config.in_channels
    decoder.build(model.folder, channels)
    look = preview.Look(model.pipe, families.of("wan"), model.folder)
    assert look.frames(torch.zeros(1, channels, 1, 90, 160), shot).shape == (1, 180, 320, 3)


def test_a_tiny_decoder_that_cannot_be_read_costs_the_peeks_and_not_the_job(
    model: loading.Model, tiny_plan: ShotPlan, tmp_path: Path
) -> None:
    (tmp_path / "peek").mkdir()
    (tmp_path / "peek" / "tae.safetensors").write_bytes(b"not weights")
    shot = Shot(tiny_plan, tiny_plan.take, torch.Generator("cpu"))
    assert preview.peeker(model, families.of("wan"), shot, tmp_path, lambda event: None) is None
