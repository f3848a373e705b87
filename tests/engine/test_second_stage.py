"""LTX's own second stage: a render starts on what its upsampler makes of the take, at the levels it was made for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import LTX2LatentUpsamplePipeline, LTXLatentUpsamplePipeline

from engine import APP
from engine.planning.planner import plan
from engine.schema import HardwareProfile, LatentUpsampler, Overrides, Request
from engine.schema.card import ModelCard
from engine.schema.errors import BadSetting, ModelProblem
from engine.storage.catalog import Catalog
from engine.worker import families
from engine.worker.loading import pipeline_loader
from engine.worker.sampling import denoise
from tests.conftest import PROMPT
from tests.engine.test_families import Case, Loaded, distance, planned, shot
from tests.tiny import ltx, ltx2

CARDS = Catalog(APP / "presets" / "models").cards
TWO_STAGES = [card for card in CARDS.values() if card.latent_upsampler]
LEVELS = (0.9094, 0.725, 0.4219)
HOW = LatentUpsampler(adain_factor=1.0, tone_map_compression_ratio=0.6)
ONE_FORWARD: dict[str, Any] = {
    "audio_guidance_scale": 1.0, "stg_scale": 0.0, "audio_stg_scale": 0.0, "modality_scale": 1.0,
    "audio_modality_scale": 1.0, "spatio_temporal_guidance_blocks": -1,
}  # fmt: skip
CASES = {
    "ltx": Case(ltx.build_two_stages, "ltx", "LTXPipeline", 32, 9, flow_shift=1.0, guidance_scale=1.0),
    "ltx-conditions": Case(
        ltx.build_two_stages, "ltx", "LTXConditionPipeline", 32, 9, flow_shift=1.0, guidance_scale=1.0, gives=("image",)
    ),
    "ltx-2": Case(ltx2.build_two_stages, "ltx2", "LTX2Pipeline", 32, 9, ONE_FORWARD, 16, 1.0, 1.0),
    "ltx-2-conditions": Case(
        ltx2.build_two_stages, "ltx2", "LTX2ConditionPipeline", 32, 9, ONE_FORWARD, 16, 1.0, 1.0, gives=("image",)
    ),
}


# ---- the plan -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("card", TWO_STAGES, ids=lambda card: card.id)
def test_the_take_is_half_of_the_render(card: ModelCard, machine: HardwareProfile) -> None:
    for size in ({}, {"width": 1000, "height": 600}):
        made = plan(Request(prompt=PROMPT, seed=1, render=Overrides(**size)), card, machine)
        assert (made.render.width, made.render.height) == (2 * made.take.width, 2 * made.take.height)
        assert made.take.width % card.size.multiple == 0 and made.take.height % card.size.multiple == 0
    assert made.latent_upsampler == card.latent_upsampler


def test_a_take_of_another_size_moves_the_render_or_is_said(machine: HardwareProfile) -> None:
    card = CARDS["ltx-2-distilled"]
    asked = Overrides(width=640, height=384)
    made = plan(Request(prompt=PROMPT, seed=1, take=asked), card, machine)
    assert made.render.size == "1280x768"
    made = plan(Request(prompt=PROMPT, seed=1, take=asked, render=Overrides(width=1024, height=1024)), card, machine)
    assert made.take.size == "512x512" and any("640x384" in reason for reason in made.reasons)
    with pytest.raises(BadSetting):
        plan(Request(prompt=PROMPT, seed=1, render=Overrides(width=256, height=256)), card, machine)


@pytest.mark.parametrize("card", [card for card in TWO_STAGES if card.render.sigmas], ids=lambda card: card.id)
def test_a_distilled_model_is_planned_at_its_own_levels(card: ModelCard, machine: HardwareProfile) -> None:
    made = plan(Request(prompt=PROMPT, seed=1), card, machine)
    assert made.take.sigmas == card.take.sigmas and made.take.sigmas[0] == 1.0
    assert made.render.sigmas == card.render.sigmas and made.sigma == card.render.sigmas[0]
    other = plan(Request(prompt=PROMPT, seed=1, render=Overrides(num_inference_steps=5)), card, machine)
    assert not other.render.sigmas and any("trained for exactly" in reason for reason in other.reasons)


@pytest.mark.parametrize("sigmas", ["[0.5, 0.9]", "[0.9, 0.5, 0.1]", "[1.5, 0.5]", "[0.9, 0.0]"])
def test_a_card_with_levels_that_make_no_sense_is_refused(sigmas: str) -> None:
    text = '{"sizes": {}, "num_inference_steps": 2, "guidance_scale": 1, "sigmas": ' + sigmas + "}"
    with pytest.raises(ValueError, match="sigmas"):
        type(CARDS["starter"].take).model_validate_json(text)


# ---- the worker -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=CASES)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    case = CASES[request.param]
    folder = tmp_path_factory.mktemp(request.param) / request.param
    case.build(folder)
    made, family = planned(case), families.of(case.family)
    take = made.take.model_copy(update={"num_inference_steps": 4, "sigmas": (1.0, *LEVELS), "width": 96, "height": 64})
    render = take.model_copy(update={"num_inference_steps": 3, "sigmas": LEVELS, "width": 192, "height": 128})
    made = made.model_copy(update={"latent_upsampler": HOW, "take": take, "render": render, "sigma": LEVELS[0]})
    return Loaded(
        case,
        folder,
        pipeline_loader.load(folder, made.placement, case.pipeline, pipeline_loader.Loading(family)),
        family,
        made,
    )


@pytest.fixture
def watch() -> denoise.StepReporter:
    return denoise.StepReporter(lambda event: None, lambda: False)


@pytest.fixture
def seen_levels(loaded: Loaded) -> Iterator[list[float]]:
    """The timestep of every call of the transformer, as a level; where a picture is held it is 0."""
    found: list[float] = []
    hook = loaded.model.pipe.transformer.register_forward_pre_hook(
        lambda module, given, named: found.append(round(float(named["timestep"].max()) / 1000, 4)),
        with_kwargs=True,
    )
    yield found
    hook.remove()


@torch.no_grad()
@pytest.mark.slow
def test_a_render_starts_on_what_the_bare_upsampler_makes_of_the_take(
    loaded: Loaded, watch: denoise.StepReporter
) -> None:
    pipe, family, made = loaded.model.pipe, loaded.family, loaded.plan
    take = denoise.draw(loaded.model, family, shot(made, "take"), watch)
    ours = family.begin(pipe, take, shot(made, "render"))["latents"]
    packed = take["latents"].ndim == 3
    grid = pipe._unpack_latents(take["latents"], 2, 2, 3, 1, 1) if packed else take["latents"]
    kind = LTX2LatentUpsamplePipeline if loaded.case.family == "ltx2" else LTXLatentUpsamplePipeline
    bare = kind(vae=pipe.vae, latent_upsampler=pipe.second_stage.latent_upsampler)(
        latents=grid, height=128, width=192, output_type="latent", adain_factor=1.0, tone_map_compression_ratio=0.6
    ).frames
    assert bare.shape == (1, 8, 2, 4, 6)
    assert torch.equal(ours, pipe._pack_latents(bare, 1, 1) if packed else bare)


@torch.no_grad()
@pytest.mark.slow
def test_both_stages_run_at_exactly_the_models_levels(
    loaded: Loaded, watch: denoise.StepReporter, seen_levels: list[float]
) -> None:
    take = denoise.draw(loaded.model, loaded.family, shot(loaded.plan, "take"), watch)
    assert seen_levels == [1.0, *LEVELS]
    seen_levels.clear()
    render = shot(loaded.plan, "render")
    latents = denoise.refine(loaded.model, loaded.family, render, watch, take)
    assert seen_levels == [*LEVELS]
    assert loaded.family.decode(loaded.model.pipe, latents, render).frames.shape == (9, 128, 192, 3)


@torch.no_grad()
@pytest.mark.slow
def test_from_another_start_the_levels_keep_their_proportions(
    loaded: Loaded, watch: denoise.StepReporter, seen_levels: list[float]
) -> None:
    take = denoise.draw(loaded.model, loaded.family, shot(loaded.plan, "take"), watch)
    seen_levels.clear()
    closer = loaded.plan.model_copy(update={"sigma": LEVELS[0] / 2})
    denoise.refine(loaded.model, loaded.family, shot(closer, "render"), watch, take)
    assert seen_levels == pytest.approx([level / 2 for level in LEVELS], abs=1e-3)


@torch.no_grad()
@pytest.mark.slow
def test_the_sound_of_the_take_is_kept(tmp_path: Path, watch: denoise.StepReporter) -> None:
    case = CASES["ltx-2"]
    case.build(tmp_path)
    made, family = planned(case).model_copy(update={"latent_upsampler": HOW, "sigma": 0.02}), families.of("ltx2")
    model = pipeline_loader.load(tmp_path, made.placement, case.pipeline, pipeline_loader.Loading(family))
    take = denoise.draw(model, family, shot(made, "take"), watch)
    sound = denoise.refine(model, family, shot(made, "render"), watch, take)["audio_latents"]
    other = denoise.draw(model, family, shot(made.model_copy(update={"seed": 9}), "take"), watch)["audio_latents"]
    assert distance(sound, take["audio_latents"]) < 0.15 * distance(other, take["audio_latents"])


@torch.no_grad()
@pytest.mark.slow
def test_a_model_without_its_upsampler_is_a_sentence(tmp_path: Path, watch: denoise.StepReporter) -> None:
    ltx.build(tmp_path)
    made = planned(CASES["ltx"]).model_copy(update={"latent_upsampler": HOW})
    model, family = pipeline_loader.load(tmp_path, made.placement, "LTXPipeline"), families.of("ltx")
    take = denoise.draw(model, family, shot(made, "take"), watch)
    with pytest.raises(ModelProblem, match="enlarges takes"):
        denoise.refine(model, family, shot(made, "render"), watch, take)


@torch.no_grad()
@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"offload": "model"}, {"offload": "group"}, {"vae_on_cpu": True}], ids=str)
def test_it_runs_wherever_the_model_lies(loaded: Loaded, watch: denoise.StepReporter, changes: dict[str, Any]) -> None:
    take = denoise.draw(loaded.model, loaded.family, shot(loaded.plan, "take"), watch)
    resident = denoise.refine(loaded.model, loaded.family, shot(loaded.plan, "render"), watch, take)["latents"]
    made = loaded.plan.model_copy(update={"placement": loaded.plan.placement.model_copy(update=changes)})
    moved = pipeline_loader.load(
        loaded.folder, made.placement, loaded.case.pipeline, pipeline_loader.Loading(loaded.family)
    )
    latents = denoise.refine(moved, loaded.family, shot(made, "render"), watch, take)["latents"]
    assert torch.allclose(latents, resident, atol=1e-4)
    assert moved.pipe.second_stage.latent_upsampler.device.type == "cpu"
