"""What is set right on a loaded model before it draws, where diffusers would waste memory or miscount."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.schema import ShotPlan
from engine.worker import families
from engine.worker.loading import pipeline_loader
from engine.worker.output import decode
from engine.worker.sampling import denoise
from tests.engine.test_families import CASES, planned, shot

pytestmark = pytest.mark.slow
WATCH = denoise.StepReporter(lambda event: None, lambda: False)


def load(name: str, folder: Path) -> pipeline_loader.Model:
    case = CASES[name]
    return pipeline_loader.load(
        folder, planned(case).placement, case.pipeline, pipeline_loader.Loading(families.of(case.family))
    )


@torch.no_grad()
@pytest.mark.parametrize("name", ["hunyuan-video-1.5", "hunyuan-video-1.5-image"])
def test_hunyuan_video_1_5_never_masks_every_token_against_every_token(name: str, tmp_path: Path) -> None:
    CASES[name].build(tmp_path / "model")
    model, seen = load(name, tmp_path / "model"), set()

    def look(attention: Any, args: Any, named: dict[str, Any]) -> None:
        tokens = named["hidden_states"].shape[1] + named["encoder_hidden_states"].shape[1]
        mask = named["attention_mask"]
        seen.add((tokens if mask is None else mask.numel(), tokens))

    for block in model.pipe.transformer.transformer_blocks:
        block.attn.register_forward_pre_hook(look, with_kwargs=True)
    denoise.draw(model, families.of("hunyuan_video15"), shot(planned(CASES[name]), "take"), WATCH)
    assert seen and all(entries == tokens for entries, tokens in seen)  # one row, or none


@torch.no_grad()
def test_ltx_2_counts_its_halvings_where_its_config_is_silent(tmp_path: Path) -> None:
    CASES["ltx-2"].build(tmp_path / "told")
    CASES["ltx-2"].build(tmp_path / "silent")
    config = tmp_path / "silent" / "vae" / "config.json"
    said = json.loads(config.read_text())
    assert (said.pop("spatial_compression_ratio"), said.pop("temporal_compression_ratio")) == (32, 8)
    config.write_text(json.dumps(said))
    family, made = families.of("ltx2"), wide(planned(CASES["ltx-2"]), 544)
    pictures = []
    for folder in ("told", "silent"):
        model = load("ltx-2", tmp_path / folder)
        latents = denoise.draw(model, family, shot(made, "take"), WATCH)
        model.pipe.vae.enable_tiling()
        pictures.append(family.decode(model.pipe, latents, shot(made, "take")).frames)
    run = made.take
    assert pictures[1].shape == (run.num_frames, run.height, run.width, 3)
    assert np.array_equal(*pictures)


@torch.no_grad()
@pytest.mark.parametrize("width", [928, 480])  # 29 and 15 latent columns: 14 tiles apart, one is left over
def test_ltx_2_leaves_no_tile_that_is_too_small_for_its_decoder(width: int, tmp_path: Path) -> None:
    CASES["ltx-2"].build(tmp_path / "model")
    family, made = families.of("ltx2"), wide(planned(CASES["ltx-2"]), width, height=576 if width == 480 else 64)
    model = load("ltx-2", tmp_path / "model")
    decode.arrange(model.pipe.vae, made.placement.model_copy(update={"vae_tiling": True}))
    latents = denoise.draw(model, family, shot(made, "take"), WATCH)
    assert family.decode(model.pipe, latents, shot(made, "take")).frames.shape[2] == width


def wide(plan: ShotPlan, width: int, height: int = 64) -> ShotPlan:
    return plan.model_copy(update={"take": plan.take.model_copy(update={"width": width, "height": height})})
