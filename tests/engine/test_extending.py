"""A clip that goes on, the way a person asks for it: through the real worker, again and again, from clips and files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from pydantic import ValidationError

from engine import APP, BadFile, BadSetting, Clip, Engine, Overrides, Request, Take, as_request
from engine.schema import Beginning
from engine.storage.catalog import Catalog
from engine.worker.families.family import Footage
from tests.conftest import PROMPT
from tests.engine.test_every_card import build_of, shrunk_card
from tests.engine.test_joining import grey, levels, written
from tests.engine.test_videos import talking
from tests.engine.test_worker import ended, frames_of
from tests.ui.test_commands import command, document

SMALL = Overrides(width=64, height=64, num_inference_steps=2)


def request(**fields: object) -> Request:
    asked = {"prompt": PROMPT, "model": "wan2.2-ti2v-5b", "seed": 3, "num_frames": 9, "take": SMALL, "render": SMALL}
    return Request.model_validate(asked | fields)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    (home / "presets" / "models").mkdir(parents=True)
    for name in ("wan2.2-ti2v-5b", "ltx-2.3-distilled", "framepack-i2v-13b"):
        card = Catalog(APP / "presets" / "models").card(name)
        (home / "presets" / "models" / f"{name}.toml").write_text(shrunk_card(card))
        build_of(card)(home / "models" / name)
    return home


@pytest.fixture(scope="module")
def studio(home: Path) -> Iterator[Engine]:
    with Engine(home) as engine:
        engine.start()
        yield engine


@pytest.fixture(scope="module")
def first(studio: Engine) -> Clip:
    (job,) = studio.make_takes(request())
    return rendered(studio, studio.library.take(ended(studio, job).result_id))


def rendered(studio: Engine, take: Take) -> Clip:
    return studio.library.clip(ended(studio, studio.render(take.id)).result_id)


def extended(studio: Engine, source: str | Path, **fields: object) -> Clip:
    (job,) = studio.extend(source, request(**fields))
    return rendered(studio, studio.library.take(ended(studio, job).result_id))


def error(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.slow
def test_four_stretches_are_one_video_with_every_frame_once(studio: Engine, first: Clip) -> None:
    clip, opening = first, frames_of(first.video)
    for seed in range(3):
        clip = extended(studio, clip.id, seed=seed, render=Overrides(num_inference_steps=2))
    frames = frames_of(clip.video)
    assert len(frames) == 9 + 3 * 8 == sum(part.frames for part in clip.recipe.stretches)
    assert [part.seed for part in clip.recipe.stretches] == [3, 0, 1, 2]
    assert error(frames[:9], opening) < 4  # encoded three times more, and still the same pictures
    assert all(error(*frames[at : at + 2]) > 0.5 for at in (8, 16, 24))  # nothing is shown twice


@pytest.mark.slow
def test_a_stretch_starts_where_the_clip_ended_and_its_recipe_repeats_it(studio: Engine, first: Clip) -> None:
    clip = extended(studio, first.id)
    assert clip.recipe.plan.render.size == first.recipe.plan.render.size
    (job,) = studio.make_takes(as_request(clip.recipe))
    again = rendered(studio, studio.library.take(ended(studio, job).result_id))
    assert np.array_equal(frames_of(again.video), frames_of(clip.video))


@pytest.mark.slow
def test_a_file_at_another_rate_and_size_is_brought_along_and_that_is_said(studio: Engine, tmp_path: Path) -> None:
    fps = studio.models.card("wan2.2-ti2v-5b").frames.fps
    file = written(tmp_path, "mine", Footage(grey(*range(40, 80, 2), size=(96, 64))), fps=2 * fps)
    (job,) = studio.extend(file, request())
    assert any(f"{2 * fps} frames a second and is brought to {fps}" in reason for reason in job.plan.reasons)
    assert any("cropped from 96x64 to 64x64" in reason for reason in job.plan.reasons)
    clip = rendered(studio, studio.library.take(ended(studio, job).result_id))
    frames = frames_of(clip.video)
    assert frames.shape == (10 + 8, 64, 64, 3)
    assert levels(frames[:10]) == pytest.approx([*range(40, 80, 4)], abs=1.5)
    assert clip.recipe.stretches[0].id == ""


@pytest.mark.slow
def test_a_take_can_go_on_too(studio: Engine) -> None:
    (job,) = studio.make_takes(request(take=Overrides(width=32, height=32, num_inference_steps=2)))
    take = ended(studio, job).result_id
    assert frames_of(extended(studio, take).video).shape == (17, 64, 64, 3)


@pytest.mark.slow
def test_sound_goes_on_with_the_picture(studio: Engine) -> None:
    large = Overrides(width=128, height=128, num_inference_steps=2)
    (job,) = studio.make_takes(request(model="ltx-2.3-distilled", take=Overrides(), render=large))
    clip = rendered(studio, studio.library.take(ended(studio, job).result_id))
    longer = extended(studio, clip.id, model="ltx-2.3-distilled", num_frames=17, take=Overrides(), render=large)
    assert longer.recipe.plan.request.videos and not longer.recipe.plan.request.pictures  # from a moving picture
    with av.open(longer.video) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        lasts = [float(stream.duration * stream.time_base) for stream in (picture, sound)]
        assert picture.frames == 17 and lasts[0] == pytest.approx(lasts[1], abs=0.06)


@pytest.mark.slow
def test_framepack_goes_on_again_and_again_in_its_own_sections(studio: Engine, tmp_path: Path) -> None:
    tiny = Overrides(width=32, height=32, num_inference_steps=1)
    clip: str | Path = written(tmp_path, "mine", Footage(grey(*range(40, 50))), fps=30)
    for frames in (37, 37, 73):  # of one section, and of two
        long = extended(studio, clip, model="framepack-i2v-13b", num_frames=frames, take=tiny, render=tiny)
        clip = long.id
    stretches, shown = long.recipe.stretches, frames_of(long.video)
    assert [part.frames for part in stretches] == [10, 36, 36, 72] and len(shown) == 154
    assert any(stretches[1].colours_moved)  # a model of noise is far off: measured, and brought back
    for at in (10, 46, 82):
        before, after = shown[at - 1].mean(axis=(0, 1)), shown[at].mean(axis=(0, 1))
        assert np.abs(before - after).max() < 12


@pytest.mark.slow
def test_a_file_from_elsewhere_keeps_its_sound_and_says_how_much_of_it_is_kept(studio: Engine, tmp_path: Path) -> None:
    (short,) = studio.extend(talking(tmp_path / "short.mp4", 1, 0.5), request())
    assert not any("from elsewhere" in reason for reason in short.plan.reasons)
    clip = rendered(studio, studio.library.take(ended(studio, short).result_id))
    with av.open(clip.video) as container:
        heard = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    assert np.abs(heard[0]).argmax() / 24_000 == pytest.approx(0.5, abs=0.05)
    (long,) = studio.extend(talking(tmp_path / "long.mp4", 40, 1.0), request())
    studio.stop(long.id)
    assert any("from elsewhere its last 29" in reason for reason in long.plan.reasons)


@pytest.mark.slow
def test_extend_is_a_command(home: Path, first: Clip) -> None:
    made = document(command(home, "extend", first.id, "it stops", "--frames", "9", "--steps", "2", "--json"))
    assert len(frames_of(made["file"])) == 17 and made["clip"]["prompt"] == "it stops"


def test_a_model_that_draws_from_words_is_refused_with_ones_that_can(home: Path, tmp_path: Path) -> None:
    file = written(tmp_path, "mine", Footage(grey(40, 50)))
    with Engine(home) as engine, pytest.raises(BadSetting, match="draws from words alone") as refusal:
        engine.extend(file, Request(prompt=PROMPT))
    assert "Choose a model that can, such as" in refusal.value.remedy


def test_a_stretch_that_would_bring_nothing_new_is_refused(home: Path, tmp_path: Path) -> None:
    fps = Catalog(APP / "presets" / "models").card("ltx-2.3-distilled").frames.fps
    file = written(tmp_path, "mine", Footage(grey(*range(40, 60))), fps)
    with Engine(home) as engine, pytest.raises(BadSetting, match="9 of them are shown already"):
        engine.extend(file, request(model="ltx-2.3-distilled", take=Overrides(), render=Overrides()))


def test_what_is_gone_cannot_go_on(home: Path) -> None:
    gone = request(extends=Beginning(kind="clip", id="never"), pictures={"image": "0" * 32})
    with Engine(home) as engine, pytest.raises(BadFile, match="no longer here"):
        engine.plan(gone)


@pytest.mark.parametrize("name", ["../../secret", "a/b", "..\\up", "C:file", "nul\0", "", "x" * 300])
def test_a_beginning_names_no_path(name: str) -> None:
    with pytest.raises(ValidationError):
        Beginning(kind="video", id=name)
