"""Files are what they say: frames, rate, sound in step, and the recipe in the picture's own file."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from engine.schema import Recipe, ShotPlan
from engine.storage.recipe_file import read_recipe
from engine.worker.families.family import Footage
from engine.worker.output import mp4

COLOURS = {
    "red": (210, 30, 30),
    "green": (30, 160, 60),
    "blue": (30, 70, 210),
    "white": (250, 250, 250),
    "black": (2, 2, 2),
}


@pytest.fixture
def recipe(tiny_plan: ShotPlan) -> Recipe:
    return Recipe(kind="render", id="x", plan=tiny_plan, seconds=1, versions={}, created="2026-01-01T00:00:00Z")


def flat(colour: tuple[int, int, int], frames: int = 12) -> np.ndarray:
    return np.full((frames, 64, 96, 3), colour, np.uint8)


@pytest.mark.parametrize("name", COLOURS)
def test_colours_come_back(name: str, recipe: Recipe, tmp_path: Path) -> None:
    mp4.write(Footage(flat(COLOURS[name])), 12, tmp_path / "clip", recipe)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        seen = next(container.decode(video=0)).to_ndarray(format="rgb24").reshape(-1, 3).mean(axis=0)
    assert np.abs(seen - COLOURS[name]).max() < 4


@pytest.mark.parametrize("channels", [1, 2])
def test_sound_lies_beside_the_picture_and_is_as_long(channels: int, recipe: Recipe, tmp_path: Path) -> None:
    rate, seconds = 24_000, 1.0
    t = np.arange(int(rate * seconds)) / rate
    sound = np.stack([0.5 * np.sin(2 * np.pi * 440 * t)] * channels)
    mp4.write(Footage(flat(COLOURS["blue"]), sound, rate), 12, tmp_path / "clip", recipe)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        heard = container.streams.audio[0]
        assert heard.codec_context.name == "aac" and heard.rate == rate
        assert (heard.start_time, heard.duration * heard.time_base) == (0, seconds)
        samples = np.concatenate([frame.to_ndarray() for frame in container.decode(heard)], axis=1)
    assert len(samples) == channels
    spectrum = np.abs(np.fft.rfft(samples[0][2000:20000]))
    assert abs(np.fft.rfftfreq(18000, 1 / rate)[spectrum.argmax()] - 440) < 5


def test_a_click_is_heard_when_it_was_made(recipe: Recipe, tmp_path: Path) -> None:
    rate, sound = 24_000, np.zeros((1, 24_000))
    sound[0, 12_000:12_200] = np.sin(np.arange(200) / 2)
    mp4.write(Footage(flat(COLOURS["blue"]), sound, rate), 12, tmp_path / "clip", recipe)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        samples = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    assert 11_990 < np.abs(samples[0]).argmax() < 12_210


def test_the_same_frames_give_the_same_file(recipe: Recipe, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (12, 8, 12, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    files = set()
    for number in range(12):
        mp4.write(Footage(noise), 12, tmp_path / f"clip{number}", recipe)
        files.add((tmp_path / f"clip{number}.mp4").read_bytes())
    assert len(files) == 1


def test_the_recipe_is_inside_and_beside(recipe: Recipe, tmp_path: Path) -> None:
    mp4.write(Footage(flat(COLOURS["red"])), 12, tmp_path / "clip", recipe)
    assert read_recipe(tmp_path / "clip.mp4") == read_recipe(tmp_path / "clip.json") == recipe
    assert not list(tmp_path.glob("*.part"))
