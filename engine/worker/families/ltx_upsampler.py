"""The second stage that LTX-Video and LTX-2 bring along: a network that doubles the sides of a take's latents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import LTX2LatentUpsamplePipeline, LTXLatentUpsamplePipeline
from diffusers.pipelines.ltx import LTXLatentUpsamplerModel
from diffusers.pipelines.ltx2 import LTX2LatentUpsamplerModel

from engine.schema import LatentUpsampler, Pass
from engine.schema.errors import ModelProblem
from engine.schema.message import Message

FOLDER = "latent_upsampler"
STAGES = {
    "LTXLatentUpsamplerModel": (LTXLatentUpsamplePipeline, LTXLatentUpsamplerModel),
    "LTX2LatentUpsamplerModel": (LTX2LatentUpsamplePipeline, LTX2LatentUpsamplerModel),
}


def attach(pipe: Any, folder: Path, dtype: torch.dtype) -> None:
    """Give the pipeline the second stage in its model's folder, when there is one. It waits in RAM until it is used."""
    pipe.second_stage = None
    if (folder / FOLDER).is_dir():
        name = json.loads((folder / FOLDER / "config.json").read_text(encoding="utf-8"))["_class_name"]
        pipeline, network = STAGES[name]
        upsampler = network.from_pretrained(
            str(folder / FOLDER), dtype=dtype, local_files_only=True, use_safetensors=True
        )
        pipe.second_stage = pipeline(vae=pipe.vae, latent_upsampler=upsampler)
        pipe.second_stage.set_progress_bar_config(disable=True)


def doubled(pipe: Any, latents: torch.Tensor, how: LatentUpsampler, run: Pass) -> torch.Tensor:
    """A take's latents (1, channels, frames, height, width) at the size of the render. Raises ModelProblem."""
    stage = pipe.second_stage
    if stage is None:
        raise ModelProblem(
            Message("The part of this model that enlarges takes is missing."), Message("Install the model again.")
        )
    device = stage._execution_device  # where its VAE is
    stage.latent_upsampler.to(device)
    try:
        large = stage(
            latents=latents.to(device), height=run.height, width=run.width, output_type="latent",
            **how.model_dump(),
        ).frames  # fmt: skip
    finally:
        stage.latent_upsampler.to("cpu")
    return large.float()
