"""The memory that a forecast promises is the memory that the real worker takes, on a CPU: within 15 %."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from diffusers import WanPipeline, WanTransformer3DModel

from engine import APP, Engine, Finished, Overrides, Request
from engine.schema import Job
from tests.conftest import PROMPT
from tests.tiny import wan

pytestmark = pytest.mark.slow
QUICK = Overrides(num_inference_steps=2)
ONE_STEP = Overrides(num_inference_steps=1)
SMALL = Overrides(width=128, height=128, num_inference_steps=1)
MID_LAYERS = 8


def peak_gb(studio: Engine, request: Request) -> tuple[float, float]:
    """What the worker took for a take and its render, and what was forecast for both."""
    (job,) = studio.make_takes(request)
    take = finished(studio, job)
    render = finished(studio, studio.render(take.result_id))
    return max(take.ram_gb, render.ram_gb), job.plan.forecast.ram_gb


def finished(studio: Engine, job: Job) -> Finished:
    final = list(studio.watch(job.id))[-1]
    assert isinstance(final, Finished), final
    return final


def test_the_starter_takes_the_memory_that_was_forecast(tmp_path: Path) -> None:
    with Engine(tmp_path) as studio:
        studio.start()
        took, said = peak_gb(studio, Request(prompt=PROMPT, seed=1, take=QUICK, render=QUICK))
    assert took == pytest.approx(said, rel=0.15)


def test_a_random_model_of_middling_size_takes_the_memory_that_was_forecast(tmp_path: Path) -> None:
    params_b = random_wan(tmp_path / "models" / "middling")
    part = f"transformer = {{ size_gb = {2 * params_b}, params_b = {params_b} }}"
    card = (APP / "presets" / "models" / "starter.toml").read_text().replace('id = "starter"', 'id = "middling"')
    (tmp_path / "presets" / "models").mkdir(parents=True)
    (tmp_path / "presets" / "models" / "middling.toml").write_text(re.sub(r"(?m)^transformer = .*$", part, card))
    with Engine(tmp_path) as studio:
        studio.start()
        request = Request(prompt=PROMPT, model="middling", seed=1, num_frames=5, take=ONE_STEP, render=SMALL)
        took, said = peak_gb(studio, request)
    assert said > 2 and took == pytest.approx(said, rel=0.15)


def random_wan(folder: Path) -> float:
    """A Wan with a transformer of a third of a billion parameters, in bfloat16 as models come from the hub."""
    shape = wan.size() | {"num_attention_heads": 12, "attention_head_dim": 128, "ffn_dim": 8960}
    with torch.device("meta"):
        transformer = WanTransformer3DModel(**{**shape, "num_layers": MID_LAYERS})
    transformer = transformer.to_empty(device="cpu").to(torch.bfloat16)
    for tensor in (*transformer.parameters(), *transformer.buffers()):
        tensor.data.fill_(0.02)
    params_b = sum(parameter.numel() for parameter in transformer.parameters()) / 1e9
    WanPipeline(transformer=transformer, **wan.parts()).save_pretrained(folder)
    return params_b
