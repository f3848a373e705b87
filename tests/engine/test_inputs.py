"""What a request may bring, what is said about it, and what becomes of it: seen before it runs, pruned when unused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine import APP, BadFile, BadSetting, Engine, HardwareProfile, Request
from engine.media.images import FORGOTTEN_AFTER_SECONDS, picture_path, video_path
from engine.media.resize import Given, fitted, held, strip
from engine.planning.planner import plan
from engine.storage.catalog import Catalog
from tests.engine.test_videos import film

CARDS = Catalog(APP / "presets" / "models").cards
ID = "0" * 32
VACE, ANIMATE, LTX, COG = "wan2.1-vace-1.3b", "wan2.2-animate-14b", "ltx-video-2b-0.9.5", "cogvideox-2b"


def request(model: str, **fields: Any) -> Request:
    return Request(**{"prompt": "a red ball", "seed": 1, "model": model} | fields)


@pytest.mark.parametrize(
    ("model", "fields", "said"),
    [
        ("starter", {"videos": {"video": ID}}, "takes no video"),
        ("starter", {"references": (ID,)}, "takes no reference pictures"),
        ("starter", {"keyframes": {3: ID}}, "takes no pictures at chosen frames"),
        (ANIMATE, {"pictures": {"image": ID}}, "needs a control video"),
        (VACE, {"videos": {"video": ID}}, "belong together"),
        (VACE, {"pictures": {"mask": ID}}, "belong together"),
        (VACE, {"pictures": {"mask": ID}, "videos": {"video": ID, "mask": ID}}, "two masks"),
        (VACE, {"references": (ID,) * 9}, "more pictures"),
        (VACE, {"keyframes": {81: ID}, "num_frames": 81}, "no frame 81"),
        (VACE, {"keyframes": {-1: ID}}, "no frame -1"),
        (VACE, {"keyframes": {0: ID}, "pictures": {"image": ID}}, "same frame"),
        (VACE, {"keyframes": {80: ID}, "pictures": {"last_image": ID}}, "same frame"),
        (LTX, {"videos": {"video": ID}, "strength": 1.5}, "out of range"),
        (LTX, {"strength": 0.5}, "no video to stay close to"),
        (COG, {"videos": {"video": ID}, "strength": 0.01}, "out of range"),
    ],
)
def test_what_a_model_cannot_use_is_refused_in_a_sentence(
    model: str, fields: dict[str, Any], said: str, machine: HardwareProfile
) -> None:
    with pytest.raises(BadSetting, match=said) as refusal:
        plan(request(model, **fields), CARDS[model], machine)
    assert refusal.value.remedy


@pytest.mark.parametrize(
    ("model", "fields", "pipeline"),
    [
        (LTX, {}, "LTXPipeline"),
        (LTX, {"pictures": {"image": ID}}, "LTXImageToVideoPipeline"),
        (LTX, {"pictures": {"image": ID, "last_image": ID}}, "LTXConditionPipeline"),
        (LTX, {"keyframes": {8: ID}}, "LTXConditionPipeline"),
        (COG, {"videos": {"video": ID}}, "CogVideoXVideoToVideoPipeline"),
        (VACE, {"references": (ID,)}, "WanVACEPipeline"),
    ],
)
def test_what_is_given_picks_the_pipeline(
    model: str, fields: dict[str, Any], pipeline: str, machine: HardwareProfile
) -> None:
    assert plan(request(model, **fields), CARDS[model], machine).pipeline == pipeline


def test_every_model_says_what_it_takes_and_none_is_left_out() -> None:
    assert not [card.id for card in CARDS.values() if card.not_yet]
    takes = {role for card in CARDS.values() for role in card.inputs}
    assert takes >= {"image", "last_image", "keyframes", "references", "video", "control_video", "face_video", "mask"}


@pytest.fixture
def studio(tmp_path: Path) -> Engine:
    return Engine(tmp_path / "home")


def test_a_clip_is_as_long_as_the_video_it_follows_and_says_how_it_is_read(studio: Engine, tmp_path: Path) -> None:
    video = studio.media.keep_video(film(tmp_path / "a.mp4", [n / 10 for n in range(21)], (64, 32)))
    made = studio.plan(request(VACE, videos={"control_video": video}))
    assert made.render.num_frames == 33  # 2.1 s at 16 a second, in steps of 4 plus 1
    assert any(
        "control video (64x32, 2.1 s) is read at 16 frames a second and cropped" in said for said in made.reasons
    )
    longer = studio.plan(request(VACE, videos={"control_video": video}, num_frames=81))
    assert any("held until the end" in said for said in longer.reasons)
    shorter = studio.plan(request(VACE, videos={"control_video": video}, num_frames=5))
    assert any("Only its first 0.3 s" in said for said in shorter.reasons)
    going_on = studio.plan(request(LTX, videos={"video": video}))
    assert going_on.render.num_frames == CARDS[LTX].frames.default
    assert any("goes on from its end" in said for said in going_on.reasons)


def test_a_model_of_one_size_says_so(machine: HardwareProfile) -> None:
    made = plan(request("cogvideox-5b-i2v", pictures={"image": ID}), CARDS["cogvideox-5b-i2v"], machine)
    assert made.take.size == made.render.size == "720x480"
    assert any("one size only" in said for said in made.reasons)


def test_the_preview_is_what_the_render_will_see(studio: Engine, tmp_path: Path) -> None:
    wide = Image.new("RGB", (128, 32), (200, 20, 20))
    wide.paste((20, 20, 200), (48, 0, 80, 32))
    wide.save(tmp_path / "a.png")
    picture = studio.media.keep_picture(tmp_path / "a.png")
    crop = studio.fitted_preview(request(LTX, pictures={"image": picture}), "image")
    assert crop.size == (640, 640) and crop.getpixel((320, 320)) == (20, 20, 200)  # the blue middle fills it
    pad = studio.fitted_preview(request(LTX, pictures={"image": picture}, fit="pad"), "image")
    assert pad.getpixel((320, 10)) == (0, 0, 0) and pad.getpixel((20, 320)) == (200, 20, 20)
    video = studio.media.keep_video(film(tmp_path / "a.mp4", [n / 10 for n in range(21)], (64, 32)))
    shown = studio.fitted_preview(request(VACE, videos={"control_video": video}), "control_video")
    assert shown.size == (3 * 640, 640)  # the first, the middle and the last
    with pytest.raises(BadFile):
        studio.fitted_preview(request(VACE), "image")


def test_what_is_gone_is_said_in_a_sentence(studio: Engine) -> None:
    with pytest.raises(BadFile, match="no longer there"):
        studio.fitted_preview(request(LTX, pictures={"image": ID}), "image")
    with pytest.raises(BadFile, match="no longer there"):
        studio.fitted_preview(request(VACE, videos={"control_video": ID}), "control_video")


def test_what_nothing_refers_to_is_pruned_at_the_next_start(tiny_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Engine(home) as studio:
        (studio.places.media).mkdir()
        kept = {name: studio.places.media / f"{name * 32}.png" for name in "abc"}
        for path in kept.values():
            path.write_bytes(b"x")
        for name in "ab":
            old = path.stat().st_mtime - 2 * FORGOTTEN_AFTER_SECONDS
            os.utime(kept[name], (old, old))
        job_of_a = request(LTX, pictures={"image": "a" * 32})
        studio.make_takes(job_of_a)
    with Engine(home) as studio:
        studio.start()
        assert kept["a"].exists() and not kept["b"].exists() and kept["c"].exists()  # c came just now


def test_fitting_never_changes_the_shape_asked_for() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (37, 91, 3), np.uint8))
    assert {fitted(image, (64, 48), fit).size for fit in ("crop", "pad")} == {(64, 48)}
    assert strip([image] * 5).size == (3 * 91, 37)
    assert len(held([image], 7)) == 7 and len(held([image] * 9, 4)) == 4
    assert Given(pictures={"image": image, "last_image": image}, keyframes={3: image}).pinned(9).keys() == {0, 3, 8}


def test_names_of_kept_files_cannot_leave_their_folder(tmp_path: Path) -> None:
    for name in ("../../etc/passwd", "A" * 32, ""):
        with pytest.raises(ValueError):
            Request(prompt="a", videos={"video": name})
        with pytest.raises(ValueError):
            Request(prompt="a", keyframes={1: name})
        with pytest.raises(ValueError):
            Request(prompt="a", references=(name,))
    assert video_path(tmp_path, ID).parent == picture_path(tmp_path, ID).parent == tmp_path
