"""Weights are found whatever precision their names carry, and one loaded model is kept warm."""

from __future__ import annotations

from pathlib import Path

import pytest
from diffusers import WanPipeline

from engine.schema import Placement, ShotPlan
from engine.schema.errors import ModelProblem
from engine.worker.loading import pipeline_loader

HERE = Placement(device="cpu", dtype="float32")


def test_weights_named_by_their_precision_load(tiny_home: Path, tmp_path: Path) -> None:
    WanPipeline.from_pretrained(tiny_home / "models" / "tiny-wan").save_pretrained(tmp_path / "model", variant="bf16")
    assert pipeline_loader.variant_of(tmp_path / "model") == "bf16"
    assert pipeline_loader.variant_of(tiny_home / "models" / "tiny-wan") is None
    pipeline_loader.load(tmp_path / "model", HERE, "WanPipeline")


def test_a_model_is_loaded_once_and_kept(tiny_home: Path, tiny_plan: ShotPlan, tmp_path: Path) -> None:
    shelf = pipeline_loader.PipelineCache([tiny_home / "models"])
    assert shelf.get(tiny_plan, tmp_path) is shelf.get(tiny_plan.model_copy(update={"seed": 2}), tmp_path)


def test_a_model_that_is_not_there_is_a_sentence(tmp_path: Path, tiny_plan: ShotPlan) -> None:
    with pytest.raises(ModelProblem, match="not installed"):
        pipeline_loader.PipelineCache([tmp_path]).get(tiny_plan, tmp_path)


def test_a_pipeline_that_diffusers_does_not_have_is_refused(tiny_home: Path) -> None:
    for name in ("NoSuchPipeline", "AutoencoderKLWan", "os"):
        with pytest.raises(ModelProblem, match="cannot run"):
            pipeline_loader.pipeline_class(name)
