"""Peeks: small moving pictures on the way, paid from a fixed share of the run, and never worth a job."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan
from PIL import Image
from safetensors.torch import load_file
from torch.nn.functional import avg_pool2d

from engine import APP, Engine, Overrides, Request
from engine import Peek as PeekEvent
from engine.schema import Placement, ShotPlan
from engine.worker import families
from engine.worker.families.family import Shot
from engine.worker.loading import pipeline_loader
from engine.worker.sampling import denoise, preview
from starter import fit_latent_rgb
from starter.scenes import Window, draw
from starter.world import Spec
from tests.conftest import PROMPT
from tests.engine.test_families import CASES, Album, planned, shot

HOUR = 3600.0


@pytest.fixture(scope="module")
def model(tiny_home: Path) -> pipeline_loader.Model:
    return pipeline_loader.load(
        tiny_home / "models" / "tiny-wan", Placement(device="cpu", dtype="float32"), "WanPipeline"
    )


@pytest.fixture
def peeker(model: pipeline_loader.Model, tiny_plan: ShotPlan, tmp_path: Path) -> preview.Peeker:
    shot = Shot(tiny_plan, tiny_plan.take, torch.Generator("cpu"))
    found = preview.peeker(model, families.of("wan"), shot, tmp_path, lambda event: None)
    assert found
    return found


def estimate() -> torch.Tensor:
    return torch.zeros(1, 4, 3, 6, 6)  # tiny-wan's latents of nine frames at 96 x 96


@torch.no_grad()
def test_a_peek_is_a_moving_picture_and_the_next_one_replaces_it(peeker: preview.Peeker, tmp_path: Path) -> None:
    peeker.after_step(1, 10, HOUR, estimate)
    (first,) = tmp_path.iterdir()
    with Image.open(first) as shown:
        assert shown.format == "WEBP" and getattr(shown, "is_animated", False)
    peeker.after_step(2, 10, HOUR, estimate)
    (second,) = tmp_path.iterdir()
    assert second != first
    peeker.close()
    assert not list(tmp_path.iterdir())


@torch.no_grad()
def test_a_run_too_short_to_pay_for_a_peek_has_none(peeker: preview.Peeker, tmp_path: Path) -> None:
    for step in range(1, 9):
        peeker.after_step(step, 8, 0.1 * step, estimate)
    assert not list(tmp_path.iterdir())


@torch.no_grad()
def test_peeks_stop_when_their_share_is_spent(peeker: preview.Peeker, tmp_path: Path) -> None:
    peeker.after_step(1, 2000, HOUR / 2000, estimate)
    (first,) = tmp_path.iterdir()
    peeker.spent_seconds = HOUR * preview.SHARE  # as if it had been expensive
    peeker.after_step(2, 2000, HOUR / 1000, estimate)
    assert list(tmp_path.iterdir()) == [first]


def test_a_look_that_fails_ends_the_peeks_and_not_the_job(peeker: preview.Peeker, tmp_path: Path) -> None:
    def impossible() -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    peeker.after_step(1, 10, HOUR, impossible)
    peeker.after_step(2, 10, HOUR, estimate)
    assert peeker.broken and not list(tmp_path.iterdir())


def test_no_peek_moves_a_model_that_is_offloaded_part_by_part(
    model: pipeline_loader.Model, tiny_plan: ShotPlan, tmp_path: Path
) -> None:
    placement = tiny_plan.placement.model_copy(update={"offload": "model"})
    shot = Shot(tiny_plan.model_copy(update={"placement": placement}), tiny_plan.take, torch.Generator("cpu"))
    assert preview.peeker(model, families.of("wan"), shot, tmp_path, lambda event: None) is None


@torch.no_grad()
def test_the_starters_linear_map_draws_what_its_vae_drew() -> None:
    clip, _ = draw(Spec("red", "ball", "left", "blue", "still"), Window(96, 96))
    pixels = torch.from_numpy(np.ascontiguousarray(clip)).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
    latents = AutoencoderKLWan.from_pretrained(APP / "models" / "starter" / "vae").encode(pixels).latent_dist.mode()
    linear = {name: part.float() for name, part in load_file(APP / "models" / "starter" / preview.MAP).items()}
    shown = preview.linear_pixels(linear, latents)
    wanted = avg_pool2d(pixels[0].transpose(0, 1), 4).transpose(0, 1)[None]
    assert shown.shape == wanted.shape == (1, 3, 25, 24, 24)
    assert float(-10 * torch.log10((shown - wanted).pow(2).mean() / 4)) > 20


@pytest.mark.parametrize("stride", [4, 6, 8])
def test_a_map_is_exact_where_pixels_are_linear_in_the_latents(stride: int) -> None:
    latents = torch.randn(1, 5, 4, 6, 8, generator=torch.Generator().manual_seed(1))
    pixels = latents[:, 1:4].repeat_interleave(stride, 2).repeat_interleave(2, 3).repeat_interleave(2, 4)
    moments = torch.linspace(0.05, 0.15, stride).repeat(4)[None, None, :, None, None]
    columns = torch.tensor([0.5, 1.5]).repeat(8)
    clip = (latents, (pixels * moments * columns)[:, :, stride - 1 :])  # the first latent stands for one frame
    linear = fit_latent_rgb.fit([clip], side=2)
    assert fit_latent_rgb.psnr([clip], linear) > 40


@pytest.mark.slow
@torch.no_grad()
@pytest.mark.parametrize("name", ["hunyuan-video", "mochi", "cogvideox", "ltx", "ltx-2"])
def test_a_map_is_fitted_to_any_model_and_draws_its_clip(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit_latent_rgb, "RENDER_SIZES", {"square": (64, 64), "wide": (64, 64), "tall": (64, 64)})
    case = CASES[name]
    case.build(tmp_path)
    plan, family = planned(case), families.of(case.family)
    model = pipeline_loader.load(tmp_path, plan.placement, case.pipeline, pipeline_loader.Loading(family))
    fit_latent_rgb.write(tmp_path, clips=1, side=4)
    look, take = preview.Look(model.pipe, family, tmp_path), shot(plan, "take")
    watch = denoise.StepReporter(lambda event: None, lambda: False)
    watch.peeker = album = Album()  # type: ignore[assignment]
    denoise.draw(model, family, take, watch)
    assert look.kind == "map"
    assert len(look.frames(album.estimates[-1], take)) == take.run.num_frames


@pytest.mark.slow
def test_a_long_job_tells_of_peeks_that_are_there(studio: Engine) -> None:
    steps = Overrides(width=384, height=384, num_inference_steps=200)  # would run for minutes
    (job,) = studio.make_takes(Request(prompt=PROMPT, model="tiny-wan", seed=1, num_frames=49, take=steps))
    for event in studio.watch(job.id):
        if isinstance(event, PeekEvent):
            found = studio.library.peek(job.id, event.file)
            assert found and found.read_bytes()[8:12] == b"WEBP"
            assert studio.library.peek(job.id, "../engine.lock") is None
            break
    else:
        raise AssertionError("a take of 200 steps had no peek")
    studio.stop(job.id)
