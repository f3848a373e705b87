"""Every tiny checkpoint loads as a person's own model would, draws the clip it was asked for, and hears the prompt."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from PIL import Image

from tests.tiny import cogvideox, ltx, wan

PROMPTS = ("a red ball rolls to the left on a blue background", "a yellow star spins over the sea at sunset")
SHORT = {"max_sequence_length": 16}

# name: how it is built, (frames, height, width) at its smallest, what its call needs
CLIPS: dict[str, tuple[Callable[[Path], None], tuple[int, int, int], dict[str, Any]]] = {
    "wan": (wan.build, (5, 16, 32), SHORT),
    "ltx": (ltx.build, (9, 32, 64), SHORT),
    "cogvideox": (cogvideox.build, (9, 16, 32), SHORT),
    "cogvideox_i2v": (cogvideox.build_i2v, (9, 64, 64), SHORT | {"image": None}),
    "cogvideox_15": (cogvideox.build_15, (9, 16, 32), SHORT),
}
# name: how it is built, the latents it enlarges, (frames, height, width) of the clip that it makes of them
UPSAMPLERS: dict[str, tuple[Callable[[Path], None], tuple[int, ...], tuple[int, int, int]]] = {
    "ltx_upsampler": (ltx.build_upsampler, (1, ltx.CHANNELS, 2, 1, 2), (9, 64, 128)),
}


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[Path], None]], Any]:
    root = tmp_path_factory.mktemp("tiny")

    @cache
    def load(build: Callable[[Path], None]) -> Any:
        folder = root / f"{build.__module__}.{build.__name__}"
        build(folder)
        pipe = DiffusionPipeline.from_pretrained(folder, local_files_only=True)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    return load


def _image(height: int, width: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8))


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_is_whole_and_hears_its_prompt(name: str, load: Any) -> None:
    build, (frames, height, width), arguments = CLIPS[name]
    images = {key: _image(height, width) for key, value in arguments.items() if value is None}
    clips = [
        load(build)(
            prompt=prompt,
            num_frames=frames,
            height=height,
            width=width,
            num_inference_steps=2,
            generator=torch.Generator().manual_seed(0),
            output_type="np",
            **arguments | images,
        ).frames
        for prompt in PROMPTS
    ]
    assert clips[0].shape == (1, frames, height, width, 3)
    assert np.isfinite(clips[0]).all()
    assert np.std(clips[0]) > 0.01
    assert not np.array_equal(*clips)


@pytest.mark.slow
@pytest.mark.parametrize("name", UPSAMPLERS)
def test_an_upsampler_doubles_both_sides(name: str, load: Any) -> None:
    build, shape, (frames, height, width) = UPSAMPLERS[name]
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    clip = load(build)(latents=latents, height=height // 2, width=width // 2, output_type="np").frames
    assert clip.shape == (1, frames, height, width, 3)
    assert np.isfinite(clip).all()


@pytest.mark.slow
def test_the_same_weights_every_time(tmp_path: Path) -> None:
    for folder in ("once", "again"):
        ltx.build(tmp_path / folder)
    for first in (tmp_path / "once").rglob("*.safetensors"):
        second = tmp_path / "again" / first.relative_to(tmp_path / "once")
        assert first.read_bytes() == second.read_bytes(), first
