"""A model of which another program has the weights: only the rest is downloaded, and it runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKLWan

from engine import APP, Engine
from engine.schema import Overrides, Request
from engine.schema.errors import BadFile
from tests.conftest import PROMPT
from tests.engine.downloads.shapes import until
from tests.engine.test_every_card import finished, frames_of
from tests.hub import Hub
from tests.tiny import gguf_weights, single_files, wan

REPO = "someone/Tiny-Diffusers"
RULES = """[single_files.transformer]
holds = { "patch_embedding.weight" = [24, 16, 1, 2, 2], "blocks.1.ffn.0.weight" = [32, 24] }
lacks = ["blocks.2."]

[single_files.vae]
holds = { "decoder.conv1.weight" = [16, 16, 3, 3, 3] }
named = "wan"

[single_files.text_encoder]
holds = { "encoder.block.1.layer.0.SelfAttention.q.weight" = [32, 32] }
lacks = ["encoder.block.2."]

[size]
"""
REQUEST = Request(
    prompt=PROMPT, model="mine", seed=3, num_frames=9,
    take=Overrides(width=32, height=16, num_inference_steps=2),
    render=Overrides(width=64, height=32, num_inference_steps=2),
)  # fmt: skip


@pytest.fixture
def original(tmp_path: Path, hub: Hub) -> Path:
    """The whole model in the diffusers layout, which the hub holds too."""
    folder = tmp_path / "original"
    wan.build_21(folder)
    torch.manual_seed(0)
    vae = AutoencoderKLWan(base_dim=4, z_dim=16, dim_mult=[1, 2, 4, 4], num_res_blocks=2,
                           temperal_downsample=[False, True, True])  # fmt: skip
    vae.save_pretrained(folder / "vae")
    hub.add(REPO, {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")})
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder that knows the model by a card of the person's own."""
    text = (APP / "presets" / "models" / "wan2.1-t2v-1.3b.toml").read_text().replace("wan2.1-t2v-1.3b", "mine")
    text = re.sub(r"^minimum = \d+", "minimum = 1", text, flags=re.M)
    text = re.sub(r"^repo = .*", f'repo = "{REPO}"', text, flags=re.M)
    text = re.sub(r"\[single_files.transformer\].*?\[size\]\n", RULES, text, flags=re.S)
    (tmp_path / "home" / "presets" / "models").mkdir(parents=True)
    (tmp_path / "home" / "presets" / "models" / "mine.toml").write_text(text)
    return tmp_path / "home"


@pytest.mark.slow
def test_only_what_the_other_program_lacks_is_downloaded_and_the_model_runs(
    original: Path, home: Path, hub: Hub, tmp_path: Path
) -> None:
    comfy = tmp_path / "ComfyUI" / "models"
    mine = single_files.transformer(original, comfy / "diffusion_models" / "tiny_mine.safetensors", "wan")
    vae = single_files.wan_vae(original, comfy / "vae" / "wan_2.1_vae.safetensors")
    words = single_files.reader(original, comfy / "text_encoders" / "umt5_fp8_scaled.safetensors", wans=True)
    single_files.scaled(words)
    before = {path: path.stat().st_mtime_ns for path in (mine, vae)}
    with Engine(home) as engine:
        engine.start()
        engine.downloads.start()
        card = engine.models.card("mine")
        (offer,) = engine.models.reusable(comfy, "mine").offers
        whole, quote = engine.downloads.quote(card), engine.downloads.quote(card, offer)
        weights = [original / part / "diffusion_pytorch_model.safetensors" for part in ("transformer", "vae")]
        weights.append(original / "text_encoder" / "model.safetensors")
        assert whole.bytes_to_download - quote.bytes_to_download == sum(path.stat().st_size for path in weights)
        engine.downloads.add(card, quote)
        until(engine.downloads, "mine", "finished")
        assert sum(hub.sent(path.relative_to(original).as_posix()) for path in weights) == 0
        (job,) = engine.make_takes(REQUEST)
        take = engine.library.take(finished(engine, job).result_id)
        said = " ".join(take.recipe.plan.reasons)
        assert (
            "is read from tiny_mine.safetensors" in said
            and "umt5_fp8_scaled.safetensors are stored in fewer bits" in said
        )
        assert frames_of(take.video).shape == (9, 16, 32, 3)

        single_files.transformer(original, mine, "wan", dtype=torch.bfloat16)  # another one now
        with pytest.raises(BadFile, match=r"tiny_mine\.safetensors of another program"):
            engine.render(take.id)
        engine.downloads.add(card)  # repaired: what is missing now comes from the hub
        until(engine.downloads, "mine", "finished")
        assert hub.sent("transformer/diffusion_pytorch_model.safetensors") == weights[0].stat().st_size
        clip = engine.library.clip(finished(engine, engine.render(take.id)).result_id)
        assert frames_of(clip.video).shape == (9, 32, 64, 3)
        engine.downloads.remove(card)
    assert mine.is_file() and vae.stat().st_mtime_ns == before[vae]


@pytest.mark.slow
def test_a_gguf_file_of_the_other_program_makes_it_a_gguf_model(original: Path, home: Path, tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    packed = gguf_weights.packed_copy(original, tmp_path / "packed", gguf_weights.WAN_NAMES)
    file = packed.rename(tmp_path / "unet" / "mine-Q8_0.gguf")
    with Engine(home) as engine:
        engine.start()
        engine.downloads.start()
        card = engine.models.card("mine")
        (offer,) = engine.models.reusable(file, "mine").offers
        engine.downloads.add(card, engine.downloads.quote(card, offer))
        until(engine.downloads, "mine", "finished")
        plan = engine.plan(REQUEST)
        assert plan.placement.precision == "gguf"
        assert any("Q8_0.gguf, where another program keeps it" in reason for reason in plan.reasons)
        (job,) = engine.make_takes(REQUEST)
        assert frames_of(engine.library.take(finished(engine, job).result_id).video).shape == (9, 16, 32, 3)


def test_a_folder_without_anything_of_use_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with Engine(home) as engine:
        for path in (tmp_path / "empty", tmp_path / "nowhere"):
            with pytest.raises(BadFile):
                engine.models.reusable(path)
