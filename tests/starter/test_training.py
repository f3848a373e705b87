"""Training: equal to the stock forward passes, learns, and resumes bit for bit. Real classes, tiny sizes."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch

from starter import train_dit
from starter.attention import PlainAttention
from starter.latents import BUCKETS, write_shard
from starter.pipeline import new_transformer, save, size_mb, untrained
from starter.training import Clock, load_checkpoint
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
        flow, guide = learner.loss(*cache.batch("take-square", rng, 2), rng)
        (flow + 0.1 * guide).backward()
        optimisers.step(1.0)
        losses.append(flow.item())
    assert losses[-1] < 0.98 * losses[0]
