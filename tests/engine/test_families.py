"""Every family, tiny: the engine's take is the bare pipeline's video to the last bit, and a render keeps its take."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine import APP
from engine.schema import (
    Argument,
    MediaRole,
    Pass,
    Placement,
    Request,
    ShotForecast,
    ShotPlan,
    ShotStage,
    StepCache,
    Variation,
)
from engine.schema.card import ModelCard
from engine.schema.errors import JobCancelled
from engine.schema.events import Progress
from engine.storage.catalog import Catalog
from engine.worker import families
from engine.worker.families import padding
from engine.worker.families.family import Latents, LatentVideo, Shot
from engine.worker.loading import pipeline_loader
from engine.worker.sampling import denoise, noise, preview
from tests.conftest import PROMPT
from tests.tiny import cogvideox, given, hunyuan_video, hunyuan_video15, kandinsky5, ltx, ltx2, mochi, wan

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Case:
    """A tiny checkpoint and what its card would say. `multiple` is also the smallest side's step."""

    build: Callable[[Path], None]
    family: str
    pipeline: str
    multiple: int
    num_frames: int
    arguments: dict[str, Argument] = field(default_factory=dict)
    max_tokens: int = 16
    flow_shift: float = 3.0
    guidance_scale: float = 3.0
    gives: tuple[MediaRole, ...] = ()
    size: int | None = None  # of a model that knows one only
    steps: int = 2


def roomy(build: Callable[[Path], None]) -> Callable[[Path], None]:
    """The 1.5 layout slices its positions out of the size in its config; it must hold the render too."""

    def built(folder: Path) -> None:
        build(folder)
        config = folder / "transformer" / "config.json"
        config.write_text(json.dumps(json.loads(config.read_text()) | {"sample_width": 32, "sample_height": 32}))

    return built


PICTURE_FIRST = ("LTXConditionPipeline", "LTX2ConditionPipeline", "HunyuanVideoFramepackPipeline")
CASES = {
    "starter": Case(wan.build, "wan", "WanPipeline", 16, 9),
    "wan-2.1": Case(wan.build_21, "wan", "WanPipeline", 16, 9),
    "wan-2.2-moe": Case(wan.build_22_moe, "wan", "WanPipeline", 16, 9, {"guidance_scale_2": 2.0}),
    "wan-2.2-5b": Case(wan.build_22_5b, "wan", "WanPipeline", 32, 9),
    "wan-2.2-5b-image": Case(wan.build_22_5b, "wan", "WanImageToVideoPipeline", 32, 9, gives=("image",)),
    "wan-i2v": Case(wan.build_i2v, "wan", "WanImageToVideoPipeline", 16, 9, gives=("image",)),
    "wan-2.2-i2v": Case(wan.build_22_i2v, "wan", "WanImageToVideoPipeline", 16, 9, gives=("image",)),
    "wan-2.2-i2v-last": Case(wan.build_22_i2v, "wan", "WanImageToVideoPipeline", 16, 9, gives=("image", "last_image")),
    "wan-flf": Case(wan.build_flf, "wan", "WanImageToVideoPipeline", 16, 9, gives=("image", "last_image")),
    "ltx": Case(ltx.build, "ltx", "LTXPipeline", 32, 9, flow_shift=1.0),
    "ltx-image": Case(ltx.build, "ltx", "LTXImageToVideoPipeline", 32, 9, flow_shift=1.0, gives=("image",)),
    "mochi": Case(mochi.build, "mochi", "MochiPipeline", 16, 7, flow_shift=1.0),
    "cogvideox": Case(cogvideox.build, "cogvideox", "CogVideoXPipeline", 16, 9),
    "cogvideox-1.5": Case(roomy(cogvideox.build_15), "cogvideox", "CogVideoXPipeline", 16, 9),
    "cogvideox-1.5-image": Case(
        roomy(cogvideox.build_15_i2v), "cogvideox", "CogVideoXImageToVideoPipeline", 16, 9, gives=("image",)
    ),
    "hunyuan-video": Case(hunyuan_video.build, "hunyuan_video", "HunyuanVideoPipeline", 16, 9, flow_shift=7.0),
    "hunyuan-video-1.5": Case(hunyuan_video15.build, "hunyuan_video15", "HunyuanVideo15Pipeline", 16, 9),
    "hunyuan-video-1.5-image": Case(
        hunyuan_video15.build_i2v, "hunyuan_video15", "HunyuanVideo15ImageToVideoPipeline", 16, 9, gives=("image",)
    ),
    "hunyuan-video-image": Case(
        hunyuan_video.build_i2v_replace,
        "hunyuan_video",
        "HunyuanVideoImageToVideoPipeline",
        16,
        9,
        flow_shift=7.0,
        gives=("image",),
    ),
    "wan-vace": Case(wan.build_vace, "wan_vace", "WanVACEPipeline", 16, 9),
    "wan-vace-control": Case(wan.build_vace, "wan_vace", "WanVACEPipeline", 16, 9, gives=("control_video",)),
    "wan-vace-references": Case(wan.build_vace, "wan_vace", "WanVACEPipeline", 16, 9, gives=("references",)),
    "wan-vace-repaint": Case(
        wan.build_vace, "wan_vace", "WanVACEPipeline", 16, 9, gives=("video", "mask", "references", "keyframes")
    ),
    "wan-vace-pictures": Case(wan.build_vace, "wan_vace", "WanVACEPipeline", 16, 9, gives=("image", "last_image")),
    "wan-animate": Case(
        wan.build_animate, "wan_animate", "WanAnimatePipeline", 16, 9, gives=("image", "control_video", "face_video")
    ),
    "wan-animate-replace": Case(
        wan.build_animate,
        "wan_animate",
        "WanAnimatePipeline",
        16,
        9,
        gives=("image", "control_video", "face_video", "video", "mask"),
    ),
    "ltx-conditions": Case(
        ltx.build, "ltx", "LTXConditionPipeline", 32, 9, flow_shift=1.0, gives=("image", "keyframes", "last_image")
    ),
    "ltx-video": Case(ltx.build, "ltx", "LTXConditionPipeline", 32, 9, flow_shift=1.0, gives=("video",)),
    "cogvideox-video": Case(
        cogvideox.build, "cogvideox", "CogVideoXVideoToVideoPipeline", 16, 9, gives=("video",), steps=3
    ),
    "cogvideox-image": Case(
        cogvideox.build_i2v, "cogvideox", "CogVideoXImageToVideoPipeline", 16, 9, gives=("image",), size=64
    ),
    "kandinsky-5-image": Case(kandinsky5.build_i2v, "kandinsky5", "Kandinsky5I2VPipeline", 16, 21, gives=("image",)),
    "framepack": Case(
        hunyuan_video.build_framepack, "framepack", "HunyuanVideoFramepackPipeline", 16, 37, gives=("image",)
    ),
    "framepack-long": Case(
        hunyuan_video.build_framepack,
        "framepack",
        "HunyuanVideoFramepackPipeline",
        16,
        109,
        gives=("image", "last_image"),
    ),
    "ltx-2-conditions": Case(
        ltx2.build,
        "ltx2",
        "LTX2ConditionPipeline",
        32,
        9,
        {"spatio_temporal_guidance_blocks": 1},
        flow_shift=1.0,
        gives=("image", "keyframes"),
    ),
    "ltx-2-video": Case(
        ltx2.build,
        "ltx2",
        "LTX2ConditionPipeline",
        32,
        9,
        {"spatio_temporal_guidance_blocks": 1},
        flow_shift=1.0,
        gives=("video",),
    ),
    "kandinsky-5": Case(kandinsky5.build, "kandinsky5", "Kandinsky5T2VPipeline", 16, 9),
    "ltx-2": Case(ltx2.build, "ltx2", "LTX2Pipeline", 32, 9, {"spatio_temporal_guidance_blocks": 1}, flow_shift=1.0),
}


@dataclass(frozen=True)
class Loaded:
    case: Case
    folder: Path
    model: pipeline_loader.Model
    family: LatentVideo
    plan: ShotPlan


@pytest.fixture(scope="module", params=CASES)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A tiny model of the family with a plan for it, loaded as the worker loads it."""
    case = CASES[request.param]
    folder = tmp_path_factory.mktemp(request.param) / request.param
    case.build(folder)
    made, family = planned(case), families.of(case.family)
    return Loaded(
        case,
        folder,
        pipeline_loader.load(folder, made.placement, case.pipeline, pipeline_loader.Loading(family)),
        family,
        made,
    )


def planned(case: Case) -> ShotPlan:
    """A plan of two steps at 4 and 6 multiples, made by hand: cards have their own tests."""
    side = case.multiple * 2
    small, large = (2 * side, side), (4 * side, 2 * side)
    if case.size:
        small = large = (case.size, case.size)
    take = Pass(width=small[0], height=small[1], num_frames=case.num_frames, fps=8, num_inference_steps=case.steps,
                guidance_scale=case.guidance_scale, flow_shift=case.flow_shift, arguments=case.arguments,
                forwards=2, operations=0)  # fmt: skip
    forecast = ShotForecast(verdict="unknown", vram_gb=0, ram_gb=0, disk_gb=0, download_gb=0, take_seconds=(0, 0),
                        render_seconds=(0, 0), basis="")  # fmt: skip
    return ShotPlan(
        request=Request(prompt=PROMPT, seed=5, **given.asked(case.gives)), model="tiny", family=case.family,
        pipeline=case.pipeline, revision=None, licence="", seed=5, take=take,
        render=take.model_copy(update={"width": large[0], "height": large[1]}), sigma=0.5, max_tokens=case.max_tokens,
        placement=Placement(device="cpu", dtype="float32"), forecast=forecast, reasons=(), strength=given.STRENGTH,
    )  # fmt: skip


def shot(plan: ShotPlan, stage: ShotStage) -> Shot:
    run = plan.run(stage)
    return Shot(plan, run, noise.of(plan), given.given(plan.request.given, run))


@pytest.fixture
def watch() -> denoise.StepReporter:
    return denoise.StepReporter(lambda event: None, lambda: False)


@torch.no_grad()
def test_a_take_is_the_bare_pipelines_video(loaded: Loaded, watch: denoise.StepReporter) -> None:
    run, family = loaded.plan.take, loaded.family
    take = shot(loaded.plan, "take")
    ours = family.decode(loaded.model.pipe, denoise.draw(loaded.model, family, take, watch), take)
    pipe = pipeline_loader.pipeline_class(loaded.case.pipeline).from_pretrained(
        loaded.folder, **family.parts(loaded.folder)
    )
    pipe.scheduler = family.scheduler(pipe, run)
    bare = pipe(
        prompt=PROMPT, num_inference_steps=run.num_inference_steps, **family.size(pipe, run),
        generator=torch.Generator("cpu").manual_seed(5), output_type="np",
        **bare_arguments(loaded, pipe, take),
    )  # fmt: skip
    frames = (np.asarray(bare.frames[0]) * 255).round().astype(np.uint8)
    assert ours.frames.shape == (run.num_frames, run.height, run.width, 3)
    apart = 1 if left_out(loaded.model.pipe) else 0  # without padding sums are rounded otherwise (test_padding.py)
    assert np.abs(ours.frames.astype(int) - frames).max() <= apart


def left_out(pipe: Any) -> bool:
    return hasattr(getattr(pipe.transformer, "transformer_blocks", [None])[0], padding.MARK)


def bare_arguments(loaded: Loaded, pipe: Any, take: Shot) -> dict[str, Any]:
    """What a person who calls diffusers would write; the negative prompt of an empty field is the empty string."""
    call: dict[str, Any] = {"guidance_scale": take.run.guidance_scale, "max_sequence_length": loaded.plan.max_tokens}
    match loaded.case.family:
        case "hunyuan_video":
            call |= {"image_embed_interleave": 4} if take.pictures else {}
        case "framepack":
            pass
        case "hunyuan_video15":
            pipe.guider = pipe.guider.new(guidance_scale=take.run.guidance_scale)
            call = {"negative_prompt": ""}
        case "ltx" | "ltx2":
            call |= {"negative_prompt": "", "frame_rate": take.run.fps}
        case _:
            call |= {"negative_prompt": ""}
    blocks = {"spatio_temporal_guidance_blocks": [1]} if loaded.case.family == "ltx2" else {}
    return call | given.told(loaded.case.pipeline, take.given, take.run) | loaded.case.arguments | blocks


@torch.no_grad()
def test_a_render_keeps_the_takes_shape_at_full_size(loaded: Loaded, watch: denoise.StepReporter) -> None:
    take = denoise.draw(loaded.model, loaded.family, shot(loaded.plan, "take"), watch)
    render = shot(loaded.plan, "render")
    frames = loaded.family.decode(
        loaded.model.pipe, denoise.refine(loaded.model, loaded.family, render, watch, take), render
    ).frames
    run = loaded.plan.render
    assert frames.shape == (run.num_frames, run.height, run.width, 3)


@torch.no_grad()
def test_sigma_near_0_returns_the_enlarged_take_and_1_ignores_it(loaded: Loaded, watch: denoise.StepReporter) -> None:
    family, model = loaded.family, loaded.model
    take = denoise.draw(model, family, shot(loaded.plan, "take"), watch)
    other = denoise.draw(model, family, shot(loaded.plan.model_copy(update={"seed": 6}), "take"), watch)

    def refined(sigma: float, start: Any) -> torch.Tensor:
        return denoise.refine(
            model, family, shot(loaded.plan.model_copy(update={"sigma": sigma}), "render"), watch, start
        )["latents"]

    enlarged = family.begin(model.pipe, take, shot(loaded.plan, "render"))["latents"]
    near, far = refined(0.01, take), refined(0.9, take)
    if near.ndim == 3:  # LTX's tokens: the first frame is the person's picture and not the take's
        near, far, enlarged = (tokens[:, tokens.shape[1] // 2 :] for tokens in (near, far, enlarged))
    elif loaded.case.pipeline in PICTURE_FIRST:
        near, far, enlarged = (grid[:, :, 1:] for grid in (near, far, enlarged))
    assert distance(near, enlarged) < 0.15 * distance(far, enlarged)  # DDIM cannot start below its second timestep
    assert torch.equal(refined(1.0, take), refined(1.0, other))


@torch.no_grad()
def test_all_noise_of_a_family_is_varied(loaded: Loaded, watch: denoise.StepReporter) -> None:
    """A variation by all of the dial is the shot of the other seed to the last bit, so no noise was left out."""

    def drawn(seed: int, amount: float = 0.0, take: Latents | None = None) -> Latents:
        varied = loaded.plan.request.but(variations=(Variation(seed=6, amount=amount),))
        plan = loaded.plan.but(seed=seed, request=varied)
        if take:
            return denoise.refine(loaded.model, loaded.family, shot(plan, "render"), watch, take)
        return denoise.draw(loaded.model, loaded.family, shot(plan, "take"), watch)

    other, whole, little = drawn(6), drawn(5, 1.0), drawn(5, 0.2)
    assert all(torch.equal(whole[name], other[name]) and not torch.equal(little[name], other[name]) for name in other)
    if loaded.case is next(case for case in CASES.values() if case.family == loaded.case.family):
        other, whole = drawn(6, take=little), drawn(5, 1.0, take=little)
        assert all(torch.equal(whole[name], other[name]) for name in other)


def test_words_are_read_once_and_with_a_picture_only_where_the_encoder_sees_it(loaded: Loaded) -> None:
    def told(plan: ShotPlan) -> int:
        events: list[Any] = []
        loaded.model.prompts.encoded(loaded.model.pipe, loaded.family, shot(plan, "take"), events.append)
        return len(events)

    told(loaded.plan)
    assert told(loaded.plan) == 0
    other = loaded.plan.request.model_copy(update={"pictures": dict.fromkeys(loaded.plan.request.pictures, "1" * 32)})
    sees = loaded.case.family == "hunyuan_video" and bool(loaded.plan.request.pictures)
    assert told(loaded.plan.model_copy(update={"request": other})) == int(sees)


@pytest.mark.parametrize("card", Catalog(APP / "presets" / "models").cards.values(), ids=lambda card: card.id)
def test_every_card_of_thirty_steps_and_more_offers_foretold_steps(card: ModelCard) -> None:
    assert card.faster is not None or card.render.num_inference_steps < 30


@torch.no_grad()
def test_foretold_steps_are_not_computed_and_leave_nothing_behind(loaded: Loaded, watch: denoise.StepReporter) -> None:
    run = loaded.plan.take.model_copy(update={"num_inference_steps": 6})
    whole = loaded.plan.model_copy(update={"take": run})
    cached = whole.model_copy(update={"step_cache": StepCache(interval=2, whole_steps=2)})
    calls: list[int] = []
    hooks = [last_block(part).register_forward_hook(lambda *_: calls.append(1)) for part in transformers(loaded)]

    def drawn(plan: ShotPlan) -> tuple[torch.Tensor, int]:
        calls.clear()
        latents = denoise.draw(loaded.model, loaded.family, shot(plan, "take"), watch)["latents"]
        return latents, len(calls)

    try:
        (exact, every), (near, fewer), (again, as_many) = drawn(whole), drawn(cached), drawn(whole)
    finally:
        for hook in hooks:
            hook.remove()
    assert fewer < every == as_many
    if len(transformers(loaded)) == 1:  # where two take turns, each needs two steps of its own
        steps = min(loaded.family.steps(shot(whole, "take")), 6)  # of each section
        assert cached.step_cache and fewer / every == cached.step_cache.computed(steps) / steps
    assert exact.shape == near.shape and torch.equal(exact, again)


def transformers(loaded: Loaded) -> list[Any]:
    pipe = loaded.model.pipe
    return [part for part in (pipe.transformer, getattr(pipe, "transformer_2", None)) if part is not None]


def last_block(transformer: Any) -> Any:
    """The first part of the last block, which a foretold step does not call."""
    blocks = next(part for part in transformer.children() if isinstance(part, torch.nn.ModuleList))
    return next(blocks[-1].children())


class Album:
    """Keeps every estimate, where a Peeker would show some."""

    def __init__(self) -> None:
        self.estimates: list[torch.Tensor] = []

    def after_step(self, done: int, steps: int, seconds: float, estimate: preview.Estimate) -> None:
        self.estimates.append(estimate())


@torch.no_grad()
def test_every_step_can_be_looked_at_and_the_last_estimate_is_the_clip(
    loaded: Loaded, watch: denoise.StepReporter
) -> None:
    pipe, family, take = loaded.model.pipe, loaded.family, shot(loaded.plan, "take")
    watch.peeker = album = Album()  # type: ignore[assignment]
    drawn = denoise.draw(loaded.model, family, take, watch)["latents"]
    assert len(album.estimates) == family.steps(take)
    for estimate in album.estimates:
        frames = preview.Look(pipe, family, loaded.folder).frames(estimate, take)
        assert frames.dtype == np.uint8 and frames.ndim == 4 and frames.shape[3] == 3 and len(frames) > 1
    if not loaded.case.gives:  # which stand where the pipelines did not draw
        last = family.while_sampling(pipe, album.estimates[-1], take)
        assert family.normal(pipe, album.estimates[-1], take).shape == family.to_vae(pipe, last, take.run).shape
        assert torch.allclose(last.float(), drawn.float(), atol=1e-4)


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).float().pow(2).mean().sqrt())


@torch.no_grad()
def test_steps_are_reported_and_a_stop_is_obeyed_at_the_next_one(loaded: Loaded) -> None:
    seen: list[Any] = []

    def stop_asked() -> bool:
        return any(isinstance(event, Progress) and event.step for event in seen)

    with pytest.raises(JobCancelled):
        denoise.draw(
            loaded.model, loaded.family, shot(loaded.plan, "take"), denoise.StepReporter(seen.append, stop_asked)
        )
    assert max(event.step for event in seen if isinstance(event, Progress)) == 1
    after = denoise.draw(loaded.model, loaded.family, shot(loaded.plan, "take"),
                          denoise.StepReporter(lambda e: None, lambda: False))  # fmt: skip
    told: list[Any] = []
    again = denoise.draw(loaded.model, loaded.family, shot(loaded.plan, "take"),
                          denoise.StepReporter(told.append, lambda: False))  # fmt: skip
    sampled = [(event.step, event.steps) for event in told if isinstance(event, Progress) and event.phase == "sampling"]
    assert sampled == [(step, sampled[-1][1]) for step in range(sampled[-1][1] + 1)]  # each once, to the last
    assert torch.equal(after["latents"], again["latents"])  # a stop leaves nothing behind
