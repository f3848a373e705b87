"""Two stretches become one video: every picture once, colours held, sounds in step."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from engine.media.colours import EXACT
from engine.media.resize import Given
from engine.schema import Beginning, Recipe, ShotPlan
from engine.worker import families
from engine.worker.families.family import Footage, Shot
from engine.worker.loading import pipeline_loader
from engine.worker.output import concat, mp4
from engine.worker.sampling import denoise
from tests.engine.test_families import CASES, planned
from tests.engine.test_worker import frames_of

FPS = 8


def grey(*levels: float, size: tuple[int, int] = (32, 32)) -> np.ndarray:
    """Frames with a pattern around each level, so that every picture is told from the next by its mean."""
    width, height = size
    pattern = np.linspace(-20, 20, width)[None, :, None] + np.zeros((height, 1, 3))
    return np.stack([np.clip(pattern + level, 0, 255) for level in levels]).round().astype(np.uint8)


def recipe(run_frames: int, plan: ShotPlan | None = None) -> Recipe:
    made = plan or planned(CASES["wan-2.1"])
    size = {"width": 32, "height": 32, "num_frames": run_frames, "fps": FPS}
    made = made.model_copy(update={"render": made.render.model_copy(update=size)})
    return Recipe(kind="render", id="next", plan=made, seconds=1, versions={}, created="")


def written(folder: Path, name: str, footage: Footage, fps: int = FPS) -> Path:
    mp4.write(footage, fps, folder / name, recipe(len(footage.frames)).model_copy(update={"id": name}))
    return folder / f"{name}.mp4"


def joined(folder: Path, start: Path, footage: Footage) -> tuple[np.ndarray, Recipe]:
    before, rest, told = concat.join(start, footage, recipe(len(footage.frames)))
    mp4.write(rest, FPS, folder / "whole", told, before)
    return frames_of(str(folder / "whole.mp4")), told


def levels(frames: np.ndarray) -> list[float]:
    return [float(frame.mean()) for frame in frames]


def test_every_picture_is_shown_once(tmp_path: Path) -> None:
    start = written(tmp_path, "start", Footage(grey(40, 50, 60, 70)))
    whole, told = joined(tmp_path, start, Footage(grey(70, 80, 90, 100, 110)))
    assert levels(whole) == pytest.approx([40, 50, 60, 70, 80, 90, 100, 110], abs=1.5)
    assert [(part.id, part.frames) for part in told.stretches] == [("start", 4), ("next", 4)]


def test_pictures_that_both_share_are_shown_once(tmp_path: Path) -> None:
    start = written(tmp_path, "start", Footage(grey(40, 50, 60, 70)))
    told = recipe(5)
    asked = told.plan.request.model_copy(update={"extends": Beginning(kind="clip", id="start", overlap=3)})
    told = told.model_copy(update={"plan": told.plan.model_copy(update={"request": asked})})
    before, rest, _ = concat.join(start, Footage(grey(50, 60, 70, 80, 90)), told)
    assert levels(rest.frames) == pytest.approx([80, 90], abs=1.5) and len(list(before)) == 4


def test_a_stretch_in_other_colours_is_brought_back(tmp_path: Path) -> None:
    start = written(tmp_path, "start", Footage(grey(40, 50, 60, 70)))
    cast = grey(70, 80, 90, 100) * np.array([1.1, 1.0, 0.9]) + np.array([12, 0, -8])
    whole, told = joined(tmp_path, start, Footage(cast.clip(0, 255).round().astype(np.uint8)))
    assert whole[4:].mean(axis=(1, 2)) == pytest.approx(grey(80, 90, 100).mean(axis=(1, 2)), abs=3)
    red, green, blue = told.stretches[-1].colours_moved
    assert (red, green, blue) == pytest.approx((19, 0, -15), abs=1.5)


def test_colours_hold_over_four_stretches_where_they_would_have_drifted(tmp_path: Path) -> None:
    """A model that makes everything 3% brighter and 2 levels redder, four times over."""
    first = grey(60, 60, 60, 60)
    kept, free = first, first
    for _ in range(4):

        def bent(last: np.ndarray) -> np.ndarray:
            return np.clip(np.stack([last] * 4) * 1.03 + np.array([2, 0, 0]), 0, 255).round().astype(np.uint8)

        kept = concat.held(bent(kept[-1]), kept[-1])
        free = bent(free[-1])
    drift, undone = (np.abs(end[-1].mean(axis=(0, 1)) - first[0].mean(axis=(0, 1))).max() for end in (free, kept))
    assert drift > 10 and undone < 1


def test_writing_and_reading_move_no_colour_over_four_stretches(tmp_path: Path) -> None:
    """Reading a video the quick way makes colours a level darker each time."""
    colour = np.array([200, 90, 40]) + np.linspace(-30, 30, 32)[None, :, None]
    picture = np.broadcast_to(colour, (32, 32, 3)).round().astype(np.uint8)
    start = written(tmp_path, "start", Footage(np.stack([picture] * 3)))
    for number in range(4):
        with av.open(str(start)) as container:
            last = [frame.to_image(interpolation=EXACT) for frame in container.decode(video=0)][-1]
        before, rest, told = concat.join(start, Footage(np.stack([np.asarray(last)] * 3)), recipe(3))
        mp4.write(rest, FPS, tmp_path / f"whole{number}", told, before)
        start = tmp_path / f"whole{number}.mp4"
    with av.open(str(start)) as container:
        frames = [frame.to_ndarray(format="rgb24", interpolation=EXACT) for frame in container.decode(video=0)]
    assert len(frames) == 3 + 4 * 2
    assert np.abs(frames[-1].mean(axis=(0, 1)) - picture.mean(axis=(0, 1))).max() < 1


def test_another_frame_rate_is_converted_without_a_gap(tmp_path: Path) -> None:
    start = written(tmp_path, "start", Footage(grey(*range(40, 72, 2))), fps=2 * FPS)
    whole, _ = joined(tmp_path, start, Footage(grey(68, 72, 76)))
    assert levels(whole) == pytest.approx([*range(40, 72, 4), 72, 76], abs=1.5)


def test_another_size_is_fitted(tmp_path: Path) -> None:
    start = written(tmp_path, "start", Footage(grey(40, 60, size=(64, 48))))
    whole, _ = joined(tmp_path, start, Footage(grey(60, 80)))
    assert whole.shape == (3, 32, 32, 3)


def tone(frames: int, hertz: int, rate: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(frames * rate / FPS)) / rate).astype(np.float32)[None]


def test_sounds_follow_their_pictures_at_one_rate(tmp_path: Path) -> None:
    start = written(tmp_path, "start", Footage(grey(*range(40, 56)), tone(16, 440, 24_000), 24_000))
    _before, rest, _ = concat.join(start, Footage(grey(*range(55, 64)), tone(9, 880, 48_000), 48_000), recipe(9))
    assert rest.sound is not None and rest.sample_rate == 48_000
    assert rest.sound.shape[1] == round((16 + 8) * 48_000 / FPS)
    for part, hertz in ((rest.sound[0, 4800:86_400], 440), (rest.sound[0, 100_800:139_200], 880)):
        spectrum = np.abs(np.fft.rfft(part))
        assert np.fft.rfftfreq(len(part), 1 / 48_000)[spectrum.argmax()] == pytest.approx(hertz, abs=3)


def test_a_stretch_without_sound_is_silent_after_one_with_it(tmp_path: Path) -> None:
    start = written(tmp_path, "start", Footage(grey(40, 50, 60, 70), tone(4, 440, 24_000), 24_000))
    _, rest, _ = concat.join(start, Footage(grey(70, 80, 90)), recipe(3))
    assert rest.sound is not None and rest.sound.shape[1] == 6 * 24_000 // FPS
    assert np.abs(rest.sound[0, -5000:]).max() == 0 < np.abs(rest.sound[0, 3000:9000]).max()


def drawn(last: np.ndarray, model: pipeline_loader.Model, plan: ShotPlan) -> np.ndarray:
    """A stretch that starts on the picture `last`."""
    family, given = families.of(plan.family), Given({"image": Image.fromarray(last)})
    stretch = Shot(plan, plan.take, torch.Generator("cpu").manual_seed(plan.seed), given)
    latents = denoise.draw(model, family, stretch, denoise.StepReporter(lambda event: None, lambda: False))
    return family.decode(model.pipe, latents, stretch).frames


@pytest.mark.slow
@torch.no_grad()
def test_a_real_model_drifts_less_with_its_colours_held(tmp_path: Path) -> None:
    case = CASES["wan-2.2-5b-image"]
    case.build(tmp_path / "model")
    plan = planned(case)
    model = pipeline_loader.load(tmp_path / "model", plan.placement, case.pipeline)
    first = np.asarray(grey(90, size=(plan.take.width, plan.take.height))[0])
    drifts = []
    for hold in (False, True):
        last = first
        for seed in range(4):
            frames = drawn(last, model, plan.model_copy(update={"seed": seed}))
            last = (concat.held(frames, last) if hold else frames)[-1]
        drifts.append(np.abs(last.mean(axis=(0, 1)) - first.mean(axis=(0, 1))).max())
    assert drifts[1] < drifts[0]
