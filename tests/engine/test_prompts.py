"""Nothing is read twice: the same words cost no text encoder, in this session and in the next, and change no bit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch

from engine import Engine, Event, Finished, Overrides, Request
from engine.schema import ShotPlan
from engine.schema.events import Progress
from engine.worker import families
from engine.worker.families.family import Shot
from engine.worker.loading import pipeline_loader
from engine.worker.loading.text_encoding import PromptCache
from engine.worker.sampling import denoise
from tests.conftest import PROMPT

Draw = Callable[..., tuple[torch.Tensor, list[str]]]


@pytest.fixture
def draw(tiny_home: Path, tmp_path: Path) -> Draw:
    """Draws two steps of a plan in a session of its own: the latents, and the phases that were told."""

    def drawn(plan: ShotPlan, shelf: pipeline_loader.PipelineCache | None = None) -> tuple[torch.Tensor, list[str]]:
        told: list[Event] = []
        shelf = shelf or pipeline_loader.PipelineCache([tiny_home / "models"], PromptCache(tmp_path / "prompts"))
        run = plan.take.model_copy(update={"num_inference_steps": 2, "num_frames": 5})
        shot = Shot(plan, run, torch.Generator("cpu").manual_seed(plan.seed))
        with torch.no_grad():
            watch = denoise.StepReporter(told.append, lambda: False)
            model = shelf.get(plan, tmp_path, told.append)
            latents = denoise.draw(model, families.of(plan.family), shot, watch)["latents"]
        return latents, [event.phase for event in told if isinstance(event, Progress)]

    return drawn


def test_the_next_session_reads_no_words_again_and_draws_the_same_bits(draw: Draw, tiny_plan: ShotPlan) -> None:
    first, told = draw(tiny_plan)
    assert "prompt" in told
    again, told = draw(tiny_plan)
    assert "prompt" not in told and "loading" in told
    assert torch.equal(first, again)


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a blue box"},
        {"negative_prompt": "blurry"},
        {"max_tokens": 8},
        {"placement": {"device": "cpu", "dtype": "bfloat16"}},
    ],
)
def test_what_changes_how_words_are_read_reads_them_anew(
    change: dict[str, Any], draw: Draw, tiny_plan: ShotPlan
) -> None:
    draw(tiny_plan)
    assert "prompt" in draw(ShotPlan.model_validate(tiny_plan.model_dump() | change))[1]


def test_another_text_encoder_reads_the_words_anew(
    draw: Draw, tiny_plan: ShotPlan, tiny_home: Path, tmp_path: Path
) -> None:
    draw(tiny_plan)
    model = Path(shutil.copytree(tiny_home / "models" / "tiny-wan", tmp_path / "models" / "tiny-wan"))
    shelf = pipeline_loader.PipelineCache([tmp_path / "models"], PromptCache(tmp_path / "prompts"))
    assert "prompt" not in draw(tiny_plan, shelf)[1]  # a copy is the same encoder
    content = bytearray((model / "text_encoder" / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (model / "text_encoder" / "model.safetensors").write_bytes(content)
    shelf = pipeline_loader.PipelineCache([tmp_path / "models"], PromptCache(tmp_path / "prompts"))
    assert "prompt" in draw(tiny_plan, shelf)[1]


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\xff" * 200])
def test_a_damaged_file_is_dropped_and_the_words_are_read_again(
    damage: bytes, draw: Draw, tiny_plan: ShotPlan, tmp_path: Path
) -> None:
    first, _ = draw(tiny_plan)
    (file,) = (tmp_path / "prompts").iterdir()
    file.write_bytes(damage)
    again, told = draw(tiny_plan)
    assert "prompt" in told and torch.equal(first, again)
    assert "prompt" not in draw(tiny_plan)[1]


def test_a_file_does_not_tell_the_words(draw: Draw, tiny_plan: ShotPlan, tmp_path: Path) -> None:
    draw(tiny_plan)
    (file,) = (tmp_path / "prompts").iterdir()
    assert b"ball" not in file.read_bytes() and "ball" not in file.name


def test_the_cache_stays_within_its_bound_and_keeps_what_was_used_last(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, limit_bytes=10_000)
    for name in "abcd":
        cache.put(name, {"prompt_embeds": torch.ones(1000), "negative_prompt_embeds": None})
        assert cache.get("a") is not None  # used all the time
    assert cache.get("b") is None and cache.get("d") is not None
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 10_000


def test_what_is_none_stays_none_and_formats_are_kept(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path)
    said = {"a": torch.ones(2, dtype=torch.bfloat16), "b": None, "c": torch.tensor([True, False])}
    cache.put("key", said)
    found = cache.get("key")
    assert found is not None and found["b"] is None
    assert all(torch.equal(found[name], said[name]) and found[name].dtype == said[name].dtype for name in "ac")


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(
    draw: Draw, tiny_plan: ShotPlan, tmp_path: Path
) -> None:
    (tmp_path / "prompts").write_text("a file where the folder should be")
    assert torch.equal(draw(tiny_plan)[0], draw(tiny_plan)[0])


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
def test_a_text_encoder_that_is_to_be_dropped_is_gone_after_the_words_and_changes_no_bit(
    device: str, draw: Draw, tiny_plan: ShotPlan, tiny_home: Path, tmp_path: Path
) -> None:
    kind = "cpu" if device == "cpu" else "pretend"
    here = tiny_plan.placement.model_copy(update={"device": device, "kind": kind})
    kept = draw(
        tiny_plan.model_copy(update={"placement": here}), pipeline_loader.PipelineCache([tiny_home / "models"])
    )[0]
    dropping = tiny_plan.model_copy(update={"placement": here.model_copy(update={"text_encoder": "dropped"})})
    shelf = pipeline_loader.PipelineCache([tiny_home / "models"])
    assert torch.equal(draw(dropping, shelf)[0], kept)
    again = dropping.model_copy(update={"prompt": "a blue box"})
    assert "prompt" in draw(again, shelf)[1]  # it comes back for new words
    assert shelf.get(again, tmp_path).prompts._encoders is None


def test_what_draws_stays_on_the_card_while_a_text_encoder_reads_that_is_dropped_then(
    draw: Draw, tiny_plan: ShotPlan, tiny_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cpu:0` is this CPU by another name, as a card would be."""
    seen: list[str] = []
    family, pipeline = families.of(tiny_plan.family), diffusers.WanPipeline
    encode, bring = family.encode, pipeline.to

    def watched(pipe: Any, shot: Shot, transformer: Any) -> dict[str, Any]:
        seen.append("reads")
        return encode(pipe, shot, transformer)

    def brought(pipe: Any, device: str) -> Any:
        seen.append(f"{'drawing' if pipe.transformer else 'reading'} to {device}")
        return bring(pipe, device)

    monkeypatch.setattr(type(family), "encode", staticmethod(watched))
    monkeypatch.setattr(pipeline, "to", brought)
    update = {"device": "cpu:0", "kind": "pretend", "text_encoder": "dropped"}
    placement = tiny_plan.placement.model_copy(update=update)
    draw(tiny_plan.model_copy(update={"placement": placement}), pipeline_loader.PipelineCache([tiny_home / "models"]))
    assert seen == ["drawing to cpu:0", "reads"]


@pytest.mark.slow
def test_the_second_take_of_the_same_words_calls_no_encoder_and_loads_nothing(tiny_home: Path) -> None:
    quick = Overrides(num_inference_steps=2)
    request = Request(prompt=PROMPT, model="tiny-wan", num_frames=5, take=quick, render=quick)
    with Engine(tiny_home) as studio:
        studio.start()
        shutil.rmtree(studio.places.prompts, ignore_errors=True)
        told = [phases(studio, request), phases(studio, request)]
    with Engine(tiny_home) as next_session:
        next_session.start()
        told.append(phases(next_session, request))
    assert [(one.count("loading"), one.count("prompt")) for one in told] == [(1, 1), (0, 0), (1, 0)]


def phases(studio: Engine, request: Request) -> list[str]:
    (job,) = studio.make_takes(request)
    events = list(studio.watch(job.id))
    assert isinstance(events[-1], Finished), events[-1]
    return [event.phase for event in events if isinstance(event, Progress)]
