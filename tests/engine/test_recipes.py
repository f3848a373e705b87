"""A recipe from a stranger can ask for what a person could ask for, and for nothing else."""

from __future__ import annotations

import json
import shutil
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from engine import BadFile, BadInput, Beginning, Engine, Recipe, as_request, read_recipe
from engine.schema import ShotPlan
from engine.storage.library import content_of

Recipes = Callable[..., Path]


@pytest.fixture
def recipe(tiny_plan: ShotPlan, tmp_path: Path) -> Recipes:
    """Writes a recipe file, with changes by dotted name."""
    whole = Recipe(kind="render", id="a", plan=tiny_plan, seconds=1, versions={}, created="2026-01-01T00:00:00Z")

    def write(**changes: Any) -> Path:
        document = json.loads(whole.model_dump_json())
        for name, value in changes.items():
            place = document
            *way, last = name.split("__")
            for step in way:
                place = place[step]
            place[last] = value
        path = tmp_path / "recipe.json"
        path.write_text(json.dumps(document))
        return path

    return write


def test_a_recipe_comes_back_as_the_same_plan(recipe: Recipes, tiny_home: Path) -> None:
    found = read_recipe(recipe())
    with Engine(tiny_home) as studio:
        again = studio.plan(as_request(found))
    for field in ("seed", "take", "render", "sigma", "model", "placement", "negative_prompt", "max_tokens"):
        assert getattr(again, field) == getattr(found.plan, field)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("plan__request__prompt", "a ball\x00"),
        ("plan__request__prompt", ""),
        ("plan__request__prompt", "a" * 100_000),
        ("plan__seed", -1),
        ("plan__seed", 2**70),
        ("plan__request__model", "../../../etc"),
        ("plan__request__model", "nonesuch"),
        ("plan__take__width", 10**9),
        ("plan__render__height", -5),
        ("plan__take__num_frames", 10**6),
        ("plan__render__num_inference_steps", 10**8),
        ("plan__sigma", 50.0),
        ("plan__take__guidance_scale", float("nan")),
        ("plan__request__pictures", {"image": "../../secret"}),
        ("plan__request__pictures", {"/etc/passwd": "0" * 32}),
        ("plan__request__videos", {"video": "../../secret"}),
        ("plan__request__videos", {"video": "0" * 32}),
        ("plan__request__references", ["/etc/passwd"]),
        ("plan__request__references", ["0" * 32] * 9),
        ("plan__request__keyframes", {"-1": "0" * 32}),
        ("plan__request__keyframes", {"all": "0" * 32}),
        ("plan__request__fit", "stretch"),
        ("plan__request__strength", 1e9),
        ("plan__request__surprise", "x"),
        ("surprise", "x"),
        ("format", 99),
        ("plan", "text"),
        ("versions", [[[[]]]]),
    ],
)
def test_what_is_out_of_range_is_refused_and_nothing_is_queued(
    name: str, value: Any, recipe: Recipes, tiny_home: Path
) -> None:
    path = recipe(**{name: value})
    with Engine(tiny_home) as studio:
        before = len(studio.store.jobs())
        with pytest.raises(BadInput) as refusal:
            studio.make_takes(as_request(read_recipe(path)))
        assert len(studio.store.jobs()) == before
    assert len(refusal.value.cause) < 600 and refusal.value.remedy


def test_a_recipe_cannot_hand_arguments_to_the_pipeline(recipe: Recipes, tiny_home: Path) -> None:
    found = read_recipe(recipe(plan__take__arguments={"output_type": "pil", "attention_kwargs": "x"}))
    with Engine(tiny_home) as studio:
        assert studio.plan(as_request(found)).take.arguments == {}


def test_a_recipe_cannot_choose_its_licence_or_its_device(recipe: Recipes, tiny_home: Path) -> None:
    found = read_recipe(recipe(plan__licence="yours to sell", plan__placement__device="cuda:9"))
    with Engine(tiny_home) as studio:
        made = studio.plan(as_request(found))
    assert made.licence.startswith("Apache-2.0") and made.placement.device == "cpu"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "null", "[]", '"text"', "{", "1e999", " " * 300_000])
def test_a_bomb_is_no_recipe(text: str, tmp_path: Path) -> None:
    (tmp_path / "bomb.json").write_text(text)
    with pytest.raises(BadFile):
        read_recipe(tmp_path / "bomb.json")


def clip(path: Path, **notes: str) -> Path:
    """A short video with these notes in its metadata."""
    with av.open(str(path), "w", format={".mkv": "matroska", ".mov": "mov"}.get(path.suffix, "mp4")) as container:
        for name, text in notes.items():
            container.metadata[name] = text
        stream: Any = container.add_stream("libx264", rate=8)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.m4v", "a.MP4", "a.mov", "a.mkv", "a copy", "a.json", "a.txt"])
def test_a_recipe_is_found_by_what_the_file_holds(name: str, recipe: Recipes, tmp_path: Path) -> None:
    """A renamed copy, and a remux into another container."""
    text, path = recipe().read_text(), tmp_path / name
    if name in ("a.json", "a.txt"):
        path.write_text(text)
    else:
        clip(path, comment=text)
    assert read_recipe(path) == read_recipe(tmp_path / "recipe.json")


@pytest.mark.parametrize("notes", [{}, {"comment": "made with love"}, {"title": "{}"}])
def test_another_programs_video_is_said_to_be_that(notes: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"a\.mp4 was made by another program: it holds no recipe"):
        read_recipe(clip(tmp_path / "a.mp4", **notes))


def test_a_playlist_is_not_followed(tmp_path: Path) -> None:
    clip(tmp_path / "secret.mp4", comment="{}")
    (tmp_path / "a.mp4").write_text(f"#EXTM3U\n#EXTINF:1,\n{tmp_path / 'secret.mp4'}\n#EXT-X-ENDLIST\n")
    with pytest.raises(BadFile, match="neither a video nor a recipe"):
        read_recipe(tmp_path / "a.mp4")


def test_a_clip_with_100_mb_of_notes_costs_no_time_in_the_library(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4")
    box = struct.pack(">I4s", 100_000_008, b"udta") + bytes(100_000_000)
    path.write_bytes(path.read_bytes() + struct.pack(">I4s", 8 + len(box), b"moov") + box)
    moov = path.read_bytes().index(b"moov")
    content = bytearray(path.read_bytes())
    content[moov : moov + 4] = b"free"  # only the large one counts
    path.write_bytes(content)
    begun = time.monotonic()
    with pytest.raises(BadFile, match="carries far more than a recipe"):
        read_recipe(path)
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("name", ["last", "ball", "20260101"])
@pytest.mark.parametrize("kind", ["take", "clip"])
def test_a_recipe_names_what_it_goes_on_from_by_its_whole_name(
    kind: Any, name: str, tiny_home: Path, tmp_path: Path, recipe: Recipes
) -> None:
    with Engine(tmp_path / "home") as studio:
        one_take(studio, recipe)
        with pytest.raises(BadFile, match="no longer here"):
            studio.library.begun(Beginning(kind=kind, id=name))
        assert studio.library.take("last").id == TAKE


TAKE = "20260101-120000-a-red-ball-1a2b"


def one_take(studio: Engine, recipe: Recipes) -> Path:
    """A take in the library."""
    folder = studio.places.takes / TAKE
    folder.mkdir()
    for name in ("latents.safetensors", "poster.jpg"):
        (folder / name).write_bytes(b"x")
    shutil.copyfile(recipe(kind="take", id=TAKE), folder / "take.json")
    return clip(folder / "take.mp4")


def test_what_a_recipe_goes_on_from_is_checked_by_its_content(tmp_path: Path, recipe: Recipes) -> None:
    with Engine(tmp_path / "home") as studio:
        video = one_take(studio, recipe)
        mine = Beginning(kind="take", id=TAKE, content=content_of(video))
        assert studio.library.begun(mine) == video
        with pytest.raises(BadFile, match="is another video here than there"):
            studio.library.begun(mine.model_copy(update={"content": "0" * 32}))
