"""Training: equal to the stock forward passes, learns, and resumes bit for bit. Real classes, tiny sizes."""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from starter import train_dit
from starter.attention import PlainAttention
from starter.latents import BUCKETS, write_shard
from starter.pipeline import new_transformer, save, size_mb, untrained
from starter.text import encode, tokenize
from starter.training import Clock, coarse, load_checkpoint
from starter.vae import decode_latents, encode_clip, make_one_pass, new_vae
from starter.world import random_spec


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@torch.no_grad()
def test_one_pass_over_a_clip_equals_the_chunked_autoencoder() -> None:
    torch.manual_seed(0)
    vae, clip = new_vae(8, 8), torch.rand(1, 3, 13, 32, 32) * 2 - 1
    mean = vae.encode(clip).latent_dist.mode()
    decoded = vae.decode(mean).sample
    one_pass = make_one_pass(vae)
    assert torch.allclose(encode_clip(one_pass, clip), mean, atol=1e-4)
    assert torch.allclose(decode_latents(one_pass, mean).clamp(-1, 1), decoded, atol=1e-4)


@torch.no_grad()
def test_plain_attention_equals_the_stock_processor() -> None:
    torch.manual_seed(0)
    transformer = new_transformer()
    torch.nn.init.normal_(transformer.proj_out.weight)
    torch.nn.init.normal_(transformer.condition_embedder.time_proj.bias)
    inputs = (torch.randn(1, 32, 3, 2, 4), torch.tensor([500.0]), torch.randn(1, 8, 128))
    stock = transformer(*inputs).sample
    transformer.set_attn_processor(PlainAttention())
    assert torch.allclose(transformer(*inputs).sample, stock, atol=1e-4)


@pytest.fixture
def workshop(tmp_path: Path) -> argparse.Namespace:
    """An untrained pipeline and a few random latents in a temporary folder."""
    torch.manual_seed(0)
    save(untrained(), tmp_path / "model")
    rng = np.random.default_rng(0)
    latents, coverage = torch.randn(4, 32, 7, *BUCKETS["take-square"]), torch.rand(4, 7, *BUCKETS["take-square"])
    write_shard(
        tmp_path / "latents/take-square-0000.safetensors", latents, coverage, [random_spec(rng) for _ in range(4)]
    )
    return argparse.Namespace(
        base=tmp_path / "model",
        source="",
        latents=tmp_path / "latents",
        out=tmp_path / "run",
        minutes=0.0,
        steps=6,
        save_every=3,
        batch=2,
        rate=1.0,
        render_share=0.2,
        guidance=0.0,
        focus="",
        compile=False,
    )


def test_an_exported_pipeline_is_small_enough(workshop: argparse.Namespace) -> None:
    assert size_mb(workshop.base) < 25
    assert (workshop.base / "vocabulary.txt").read_text().splitlines()


def test_a_run_resumes_bit_for_bit(
    workshop: argparse.Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def weights() -> torch.Tensor:
        transformer, clock = new_transformer(), Clock(6)
        load_checkpoint(workshop.out / "dit.safetensors", clock, average=transformer)
        assert clock.step == 6
        return torch.cat([p.flatten() for p in transformer.parameters()])

    def power_cut(cache: object, step: int, render_share: float) -> str:
        if step == 4:
            raise KeyboardInterrupt
        return "take-square"

    train_dit.train(0, workshop)
    straight = weights()
    workshop.out = tmp_path / "broken"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train_dit, "bucket_of", power_cut)
        train_dit.train(0, workshop)
    train_dit.train(0, workshop)
    assert torch.equal(weights(), straight)


def test_a_few_steps_lower_the_loss(workshop: argparse.Namespace) -> None:
    learner, cache, _ = train_dit.build(workshop)
    optimisers = train_dit.optimisers_for(learner, 1.0)
    losses = []
    for _ in range(8):
        torch.manual_seed(0)
        rng = np.random.default_rng(0)
        flow, guide = learner.loss(cache.batch("take-square", rng, 2), rng)
        (flow + 0.1 * guide).backward()
        optimisers.step(1.0)
        losses.append(flow.item())
    assert losses[-1] < 0.98 * losses[0]


def test_takes_come_nearer_to_the_answers_of_a_guided_teacher(workshop: argparse.Namespace) -> None:
    workshop.guidance = 2.0
    learner, cache, _ = train_dit.build(workshop)
    assert learner.teacher
    torch.nn.init.normal_(learner.teacher.proj_out.weight)  # untrained, it would answer nothing
    before = [parameter.clone() for parameter in learner.teacher.parameters()]
    optimisers, losses = train_dit.optimisers_for(learner, 1.0), []
    for _ in range(8):
        torch.manual_seed(0)
        rng = np.random.default_rng(0)
        flow, guide = learner.loss(cache.batch("take-square", rng, 2), rng, taught=True)
        (flow + 0.1 * guide).backward()
        optimisers.step(1.0)
        losses.append(flow.item())
    assert losses[-1] < 0.98 * losses[0]
    assert all(torch.equal(*pair) for pair in zip(learner.teacher.parameters(), before, strict=True))


@torch.no_grad()
@coarse()
def test_a_teacher_answers_as_the_pipelines_guidance_would(workshop: argparse.Namespace) -> None:
    workshop.guidance = 2.0
    learner, cache, _ = train_dit.build(workshop)
    assert learner.teacher
    torch.nn.init.normal_(learner.teacher.proj_out.weight)
    batch, sigma = cache.batch("take-square", np.random.default_rng(0), 2), torch.tensor([0.9, 0.4])
    words, blank = (encode(learner.text_encoder, *tokenize(learner.tokenizer, texts))
                    for texts in (["a red ball", "a blue star"], ["", ""]))  # fmt: skip
    asked, unasked = (learner.teacher(batch.latents, 1000 * sigma, text).sample.float() for text in (words, blank))
    assert torch.allclose(learner.guided(batch.latents, sigma, words), unasked + 2 * (asked - unasked), atol=1e-4)
    assert torch.allclose(learner.guided(batch.latents, sigma, blank), unasked, atol=1e-4)


def test_half_of_a_batch_shows_the_motion_in_focus(workshop: argparse.Namespace) -> None:
    cache = train_dit.build(workshop)[1]
    bucket = cache.buckets["take-square"]
    bucket.specs = [replace(spec, motion="spin" if i == 3 else "left") for i, spec in enumerate(bucket.specs)]
    cache.focus = "spin"
    motions = [spec.motion for spec in cache.batch("take-square", np.random.default_rng(0), 8).specs]
    assert motions[:4] == ["spin"] * 4 and "left" in motions[4:]


def test_a_render_is_learned_from_where_its_take_begins_it(
    workshop: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the level where it begins, soft latents and noise; what is learned leads from there to the real clip."""
    monkeypatch.setattr(train_dit, "START", (0.6, 0.6))
    monkeypatch.setattr(train_dit, "REFINES", 1.0)
    learner, cache, _ = train_dit.build(workshop)
    real = cache.batch("take-square", np.random.default_rng(0), 2)
    batch = replace(real, soft=torch.zeros_like(real.latents))
    noise, level = torch.randn_like(real.latents), torch.full((2, 1, 1, 1, 1), 0.6)
    noisy = (1 - level) * batch.latents + level * (noise + learner.softness(batch, level))
    assert torch.allclose(noisy, 0.4 * batch.soft + 0.6 * noise, atol=1e-5)
    assert not learner.softness(batch, level + 0.1).any()  # noisier than any beginning: an ordinary step
