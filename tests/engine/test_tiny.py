"""Every tiny checkpoint loads as a person's own model would, draws the clip it was asked for, and hears the prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from PIL import Image
from transformers import AutoTokenizer

from tests.tiny import (
    cogvideox,
    hunyuan_video,
    hunyuan_video15,
    kandinsky5,
    ltx,
    ltx2,
    mochi,
    skyreels_v2,
    tokenizers,
    wan,
)

Build = Callable[[Path], None]
Size = tuple[int, int, int]  # frames, height, width

PROMPTS = ("a red ball rolls to the left on a blue background", "a yellow star spins over the sea at sunset")
SEEN = {"image": Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))}
POSES = {"pose_video": [SEEN["image"]] * 5, "face_video": [SEEN["image"]] * 5, "segment_frame_length": 5}

# name: how it is built, its smallest clip, what its call needs beyond the ordinary; None takes an argument away
CLIPS: dict[str, tuple[Build, Size, dict[str, Any]]] = {
    "wan": (wan.build, (5, 16, 32), {}),
    "wan_21": (wan.build_21, (5, 16, 32), {}),
    "wan_22_moe": (wan.build_22_moe, (5, 16, 32), {}),
    "wan_22_5b": (wan.build_22_5b, (5, 32, 64), {}),
    "wan_i2v": (wan.build_i2v, (5, 16, 32), SEEN),
    "wan_22_i2v": (wan.build_22_i2v, (5, 16, 32), SEEN),
    "wan_flf": (wan.build_flf, (5, 16, 32), SEEN | {"last_image": SEEN["image"]}),
    "wan_vace": (wan.build_vace, (5, 16, 32), {}),
    "wan_animate": (wan.build_animate, (5, 16, 32), SEEN | POSES | {"num_frames": None}),
    "ltx": (ltx.build, (9, 32, 64), {}),
    "cogvideox": (cogvideox.build, (9, 16, 32), {}),
    "cogvideox_i2v": (cogvideox.build_i2v, (9, 64, 64), SEEN),
    "cogvideox_15": (cogvideox.build_15, (9, 16, 32), {}),
    "cogvideox_15_i2v": (cogvideox.build_15_i2v, (9, 64, 64), SEEN),
    "hunyuan_video": (hunyuan_video.build, (5, 16, 32), {}),
    "hunyuan_video_i2v": (hunyuan_video.build_i2v, (5, 16, 32), SEEN | {"num_frames": 9}),  # drops the image's four
    "hunyuan_video_i2v_replace": (hunyuan_video.build_i2v_replace, (5, 16, 32), SEEN),
    "framepack": (hunyuan_video.build_framepack, (13, 64, 32), SEEN | {"num_frames": 9, "latent_window_size": 3}),
    "mochi": (mochi.build, (7, 16, 32), {}),
    "hunyuan_video15": (hunyuan_video15.build, (5, 16, 32), {"max_sequence_length": None}),
    "hunyuan_video15_i2v": (
        hunyuan_video15.build_i2v,
        (5, 32, 32),
        SEEN | {"max_sequence_length": None, "height": None, "width": None},
    ),
    "ltx2": (ltx2.build, (9, 64, 96), {"spatio_temporal_guidance_blocks": [1]}),
    "kandinsky5": (kandinsky5.build, (5, 16, 32), {}),
    "kandinsky5_i2v": (kandinsky5.build_i2v, (17, 16, 32), SEEN),
    "skyreels_v2": (skyreels_v2.build, (5, 16, 32), {}),
    "skyreels_v2_df": (skyreels_v2.build_df, (5, 16, 32), {}),
}
# name: how it is built, the latents it enlarges, the clip that it makes of them
UPSAMPLERS: dict[str, tuple[Build, tuple[int, ...], Size]] = {
    "ltx_upsampler": (ltx.build_upsampler, (1, ltx.CHANNELS, 2, 1, 2), (9, 64, 128)),
    "ltx2_upsampler": (ltx2.build_upsampler, (1, ltx2.CHANNELS, 2, 2, 3), (9, 128, 192)),
}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Models this small are faster so, twice as fast on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Build], Any]:
    root = tmp_path_factory.mktemp("tiny")

    @cache
    def load(build: Build) -> Any:
        folder = root / f"{build.__module__}.{build.__name__}"
        build(folder)
        pipe = DiffusionPipeline.from_pretrained(folder, local_files_only=True)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    return load


def _draw(pipe: Any, prompt: str, size: Size, special: dict[str, Any]) -> np.ndarray:
    frames, height, width = size
    ordinary = {"num_frames": frames, "height": height, "width": width, "max_sequence_length": 16}
    arguments = {name: value for name, value in (ordinary | special).items() if value is not None}
    generator = torch.Generator().manual_seed(0)
    return pipe(prompt=prompt, num_inference_steps=2, generator=generator, output_type="np", **arguments).frames


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_is_whole_and_hears_its_prompt(name: str, load: Any) -> None:
    build, size, special = CLIPS[name]
    clips = [_draw(load(build), prompt, size, special) for prompt in PROMPTS]
    assert clips[0].shape == (1, *size, 3)
    assert np.isfinite(clips[0]).all()
    assert np.std(clips[0]) > 0.01
    assert not np.array_equal(*clips)


@pytest.mark.slow
@pytest.mark.parametrize("name", UPSAMPLERS)
def test_an_upsampler_doubles_both_sides(name: str, load: Any) -> None:
    build, shape, size = UPSAMPLERS[name]
    height, width = size[1] // 2, size[2] // 2
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    clip = load(build)(latents=latents, height=height, width=width, output_type="np").frames
    assert clip.shape == (1, *size, 3)
    assert np.isfinite(clip).all()


@pytest.mark.parametrize(
    "make", [tokenizers.t5, tokenizers.clip, tokenizers.gemma, lambda: tokenizers.llama("a red ball", 7),
             lambda: tokenizers.qwen("a red ball", 8)]
)  # fmt: skip
def test_a_tokenizer_is_itself_again_when_loaded(make: Callable[[], Any], tmp_path: Path) -> None:
    made = make()
    made.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    for text in (*PROMPTS, "Ünï çødé, 9 × 9!\n", ""):
        assert loaded(text).input_ids == made(text).input_ids


@pytest.mark.slow
def test_the_same_weights_every_time(tmp_path: Path) -> None:
    for folder in ("once", "again"):
        ltx.build(tmp_path / folder)
    for first in (tmp_path / "once").rglob("*.safetensors"):
        second = tmp_path / "again" / first.relative_to(tmp_path / "once")
        assert first.read_bytes() == second.read_bytes(), first
