"""A card may name a GGUF file for its transformer: listed with the config of the model, read, and refused when bad."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from engine import APP, Engine
from engine.install.downloader.folder_listing import check_weights
from engine.schema import Overrides, Placement, Request
from engine.schema.card import Component
from engine.schema.errors import ModelProblem
from engine.schema.manifest import ManifestFile
from engine.storage.catalog import Catalog
from engine.worker import families
from engine.worker.loading import pipeline_loader, single_file_loader
from engine.worker.sampling import denoise
from tests.conftest import PROMPT
from tests.engine.test_every_card import finished, frames_of
from tests.engine.test_families import CASES, planned, shot
from tests.tiny import gguf_weights, wan

GGUF = Placement(device="cpu", dtype="float32", precision="gguf")
READABLE = {  # a case, and the names that files of its kind carry; the others by diffusers' own
    "wan-2.1": gguf_weights.WAN_NAMES,
    "ltx": None,
    "mochi": None,
    "hunyuan-video": None,
    "ltx-2": None,
}


@torch.no_grad()
def frames(name: str, folder: Path, placement: Placement) -> np.ndarray:
    case, family = CASES[name], families.of(CASES[name].family)
    made = planned(case)
    model = pipeline_loader.load(folder, placement, case.pipeline, pipeline_loader.Loading(family))
    take = shot(made, "take")
    latents = denoise.draw(model, family, take, denoise.StepReporter(lambda event: None, lambda: False))
    return family.decode(model.pipe, latents, take).frames.astype(float)


@pytest.mark.slow
@pytest.mark.parametrize("name", READABLE)
def test_the_file_draws_what_the_weights_in_it_draw(name: str, tmp_path: Path) -> None:
    CASES[name].build(tmp_path / "plain")
    file = gguf_weights.packed_copy(tmp_path / "plain", tmp_path / "packed", READABLE[name])
    assert not list(file.parent.glob("*.safetensors"))
    plain = frames(name, tmp_path / "plain", GGUF.model_copy(update={"precision": "full"}))
    packed = frames(name, tmp_path / "packed", GGUF)
    assert 0 < np.abs(packed - plain).mean() < 4  # Q8_0 rounds a little
    assert np.array_equal(frames(name, tmp_path / "packed", GGUF.model_copy(update={"offload": "group"})), packed)


def test_an_ending_in_capitals_is_read_by_diffusers_too(tmp_path: Path) -> None:
    """It takes what it does not know for a pickle."""
    wan.build_21(tmp_path / "plain")
    file = gguf_weights.packed_copy(tmp_path / "plain", tmp_path / "packed", gguf_weights.WAN_NAMES)
    capitals = file.rename(tmp_path / "THEIRS.GGUF")
    folder = tmp_path / "packed" / "transformer"
    part = single_file_loader._packed(folder, diffusers.WanTransformer3DModel, capitals, torch.float32)
    assert all(not parameter.is_meta for parameter in part.parameters()) and list(tmp_path.glob("*.GGUF")) == [capitals]


@pytest.mark.slow
def test_one_card_and_one_file_make_a_take_and_its_render(tmp_path: Path) -> None:
    wan.build_21(tmp_path / "models" / "mine")
    gguf_weights.pack(tmp_path / "models" / "mine", names=gguf_weights.WAN_NAMES)
    text = (APP / "presets" / "models" / "wan2.1-t2v-1.3b.toml").read_text()
    text = re.sub(r"^minimum = \d+", "minimum = 1", text, flags=re.M).replace('id = "wan2.1-t2v-1.3b"', 'id = "mine"')
    line = next(line for line in text.splitlines() if line.startswith("transformer = {"))
    named = 'transformer = { size_gb = 0.001, params_b = 1.4, repo = "someone/files", gguf = "tiny-Q8_0.gguf" }'
    (tmp_path / "presets" / "models").mkdir(parents=True)
    (tmp_path / "presets" / "models" / "mine.toml").write_text(text.replace(line, named))
    with Engine(tmp_path) as engine:
        assert not engine.models.problems
        engine.start()
        request = Request(
            prompt=PROMPT, model="mine", seed=3, num_frames=9,
            take=Overrides(width=32, height=16, num_inference_steps=2),
            render=Overrides(width=64, height=32, num_inference_steps=2),
        )  # fmt: skip
        (job,) = engine.make_takes(request)
        take = engine.library.take(finished(engine, job).result_id)
        assert take.recipe.plan.placement.precision == "gguf"
        assert any("GGUF" in reason for reason in take.recipe.plan.reasons)
        clip = engine.library.clip(finished(engine, engine.render(take.id)).result_id)
        assert frames_of(clip.video).shape == (9, 32, 64, 3)


# ---- which files ----------------------------------------------------------------------------------------------------


def test_the_file_is_listed_with_the_models_own_config_and_no_other_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.install.downloader import hub_listing

    card = Catalog(APP / "presets" / "models").card("wan2.1-t2v-1.3b")
    part = Component(size_gb=1, params_b=1.4, repo="someone/files", gguf="a-Q4_K_M.gguf")
    card = card.model_copy(update={"components": card.components | {"transformer": part}})
    own = [f"{key}/{file}" for key in ("transformer", "text_encoder", "vae")
           for file in ("config.json", "diffusion_pytorch_model.safetensors")]  # fmt: skip
    theirs = ["a-Q4_K_M.gguf", "a-Q8_0.gguf", "config.json", "README.md"]

    def ask(repo: str, revision: str | None) -> hub_listing.Repository:
        names = theirs if repo == "someone/files" else own
        files = {name: ManifestFile(name=name, path=name, bytes=1000, repo=repo, commit="c" * 40, sha256="0" * 64)
                 for name in names}  # fmt: skip
        return hub_listing.Repository(repo, "c" * 40, files, "", "")

    monkeypatch.setattr(hub_listing, "ask", ask)
    found = {file.name: file.repo for file in hub_listing.list_from_hub(card).files}
    transformer = {name: repo for name, repo in found.items() if name.startswith("transformer/")}
    assert transformer == {"transformer/config.json": card.repo, "transformer/a-Q4_K_M.gguf": "someone/files"}


@pytest.mark.parametrize("name", ["../a.gguf", "a/b.gguf", "a.bin", "/a.gguf", "a.gguf.exe", "*.gguf", "a\\b.gguf"])
def test_a_card_names_one_plain_file(name: str) -> None:
    with pytest.raises(ValueError, match="gguf"):
        Component(size_gb=1, gguf=name)


# ---- files that lie -------------------------------------------------------------------------------------------------

LIES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "cut in the header": lambda whole: whole[:40],
    "cut in the weights": lambda whole: whole[: len(whole) - 200],
    "another format": lambda whole: b"PK\x03\x04" + whole[4:],
    "an unknown version": lambda whole: whole[:4] + struct.pack("<I", 99) + whole[8:],
    "more tensors than there are": lambda whole: whole[:8] + struct.pack("<Q", 2**60) + whole[16:],
    "more settings than there are": lambda whole: whole[:16] + struct.pack("<Q", 2**60) + whole[24:],
    "an endless name": lambda whole: whole[:24] + struct.pack("<Q", 2**62) + whole[32:],
    "nothing but numbers": lambda whole: whole[:24] + b"\xff" * (len(whole) - 24),
}


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed") / "model"
    wan.build_21(folder)
    return gguf_weights.pack(folder, names=gguf_weights.WAN_NAMES)


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_lies_is_one_plain_refusal(lie: str, packed: Path) -> None:
    whole = packed.read_bytes()
    try:
        packed.write_bytes(LIES[lie](whole))
        with pytest.raises(ModelProblem, match="damaged or cut short"):
            pipeline_loader.load(packed.parents[1], GGUF, "WanPipeline")
        with pytest.raises(ModelProblem, match="damaged or cut short"):
            check_weights(packed)
    finally:
        packed.write_bytes(whole)
    check_weights(packed)


def test_the_file_of_another_model_is_refused(packed: Path, tmp_path: Path) -> None:
    wan.build_22_5b(tmp_path / "other")
    other: Any = gguf_weights.pack(tmp_path / "other", names=gguf_weights.WAN_NAMES)
    mine = packed.read_bytes()
    try:
        packed.write_bytes(other.read_bytes())
        with pytest.raises(ModelProblem, match="not those of this model"):
            pipeline_loader.load(packed.parents[1], GGUF, "WanPipeline")
    finally:
        packed.write_bytes(mine)
