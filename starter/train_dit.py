"""Train the starter's transformer on cached latents.

python -m starter.train_dit --minutes 60          # from nothing, or from its own checkpoint
python -m starter.train_dit --from models/starter --minutes 240 --out starter/runs/more     # from the committed weights
"""

import argparse
import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import WanPipeline
from torch import Tensor, nn

from starter.attention import PlainAttention
from starter.captions import caption
from starter.guide import Guide
from starter.latents import Cache
from starter.pipeline import FLOW_SHIFT, new_transformer
from starter.text import encode, tokenize
from starter.tokenizer import new_tokenizer
from starter.training import Clock, Optimisers, average_over_ranks, load_checkpoint, log, run_on_ranks, save_checkpoint
from starter.world import Spec

BATCH = {"take": 8, "render": 2}  # clips per rank and step
NO_CAPTION = 0.12
GUIDE_WEIGHT = 0.1
SUBJECT_WEIGHT = 4.0  # the subject fills a tenth of a frame and holds most of what is asked for
EMA = 0.998
REFRESH_STEPS = 200  # how often to look for new shards


@dataclass
class Learner:
    """Everything a step needs: the text side is frozen, the guide exists in training only."""

    transformer: nn.Module
    guide: Guide
    text_encoder: nn.Module
    tokenizer: object

    def embeddings(self, specs: list[Spec], rng: np.random.Generator) -> Tensor:
        """A fresh wording of each specification, or none, as embeddings (batch, 64, 128)."""
        texts = ["" if rng.random() < NO_CAPTION else caption(spec, rng).text for spec in specs]
        with torch.no_grad():
            return encode(self.text_encoder, *tokenize(self.tokenizer, texts))

    def loss(
        self, latents: Tensor, coverage: Tensor, specs: list[Spec], rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """The flow-matching loss, and the guide's, of normalised latents (batch, 32, 7, h, w)."""
        u = torch.sigmoid(torch.randn(len(specs)))
        sigma = FLOW_SHIFT * u / (1 + (FLOW_SHIFT - 1) * u)
        noise = torch.randn_like(latents)
        level = sigma.view(-1, 1, 1, 1, 1)
        noisy = (1 - level) * latents + level * noise
        with torch.autocast("cpu", torch.bfloat16):
            flow = self.transformer(noisy, 1000 * sigma, self.embeddings(specs, rng), return_dict=False)[0]
        # Only where little noise is left, since there the place of the subject is known: weighted at high noise, the
        # model would learn to draw it larger than it is.
        weight = 1 + SUBJECT_WEIGHT * (1 - level) * coverage[:, None]
        squares = (flow.float() - (noise - latents)).square()
        return (weight * squares).mean() / weight.mean(), self.guide.loss(coverage, specs)


def optimisers_for(learner: Learner, rate: float) -> Optimisers:
    matrices = [p for p in learner.transformer.blocks.parameters() if p.ndim == 2]
    inner = {id(p) for p in matrices}
    owned = (*learner.transformer.parameters(), *learner.guide.parameters())
    return Optimisers(matrices, [p for p in owned if id(p) not in inner], 0.01 * rate, 1.5e-3 * rate)


def bucket_of(cache: Cache, step: int, render_share: float) -> str:
    """The frame size of a step: the same on every rank."""
    rng = np.random.default_rng((5, step))
    names = (cache.names("render") if rng.random() < render_share else []) or cache.names("take")
    return names[int(rng.integers(len(names)))]


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, step: int) -> None:
    """Move the running average of the weights."""
    share = max(1 - EMA, 1 / (step + 1))
    for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
        slow.lerp_(fast, share)


def build(options: argparse.Namespace) -> tuple[Learner, Cache, nn.Module]:
    """The learner, the latents and the running average; VAE statistics and text encoder come from `base`."""
    torch.manual_seed(0)
    pipeline = WanPipeline.from_pretrained(options.base)
    transformer = WanPipeline.from_pretrained(options.source).transformer if options.source else new_transformer()
    average = copy.deepcopy(transformer).requires_grad_(False)
    transformer.set_attn_processor(PlainAttention())
    if options.compile:
        transformer.compile_repeated_blocks(dynamic=True)
    mean, std = (torch.tensor(pipeline.vae.config[f"latents_{name}"]) for name in ("mean", "std"))
    learner = Learner(
        transformer.train(), Guide(transformer), pipeline.text_encoder.eval().requires_grad_(False), new_tokenizer()
    )
    return learner, Cache(options.latents, mean, std), average


def train(rank: int, options: argparse.Namespace) -> None:
    learner, cache, average = build(options)
    trained = nn.ModuleDict({"transformer": learner.transformer, "guide": learner.guide})
    parts = {"trained": trained, "average": average, "optimisers": optimisers_for(learner, options.rate)}
    clock, checkpoint = Clock(options.steps, options.minutes), options.out / "dit.safetensors"
    if checkpoint.exists():
        load_checkpoint(checkpoint, clock, **parts)
    shown: dict[str, list] = {"take": [], "render": []}
    while clock.progress() < 1:
        rng = clock.generator(4, rank)
        if clock.step % REFRESH_STEPS == 0:
            cache.refresh()
        name = bucket_of(cache, clock.step, options.render_share)
        size = name.split("-")[0]
        flow, guide = learner.loss(*cache.batch(name, rng, options.batch or BATCH[size]), rng)
        (flow + GUIDE_WEIGHT * guide).backward()
        clock.tick()
        average_over_ranks(trained, clock)
        nn.utils.clip_grad_norm_(trained.parameters(), 1.0)
        parts["optimisers"].step(clock.learning_rate_factor())
        follow(average, learner.transformer, clock.step)
        clock.step += 1
        shown[size].append((flow.item(), guide.item()))
        if rank == 0 and clock.step % 50 == 0:
            means = {
                key: np.round(np.mean(values[-50:], axis=0), 4).tolist() for key, values in shown.items() if values
            }
            log(
                options.out / "dit.log",
                f"step {clock.step} {clock.elapsed_seconds / 60:.1f} min flow, guide loss {means}",
            )
        if rank == 0 and clock.step % options.save_every == 0:
            save_checkpoint(checkpoint, clock, **parts)
    if rank == 0:
        save_checkpoint(checkpoint, clock, **parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--steps", type=int, default=0, help="instead of minutes: set --minutes 0")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--save-every", type=int, default=200, help="steps between checkpoints")
    parser.add_argument("--batch", type=int, default=0, help="clips per rank and step, whatever the size")
    parser.add_argument("--rate", type=float, default=1.0, help="multiplies both learning rates")
    parser.add_argument("--render-share", type=float, default=0.15, help="share of the steps at render size")
    parser.add_argument("--compile", action="store_true", help="compile the blocks: pays off after some minutes")
    parser.add_argument(
        "--base",
        type=Path,
        default=Path("models/starter"),
        help="pipeline whose VAE and text encoder belong to the latents",
    )
    parser.add_argument("--from", dest="source", default="", help="pipeline whose transformer to start from")
    parser.add_argument("--latents", type=Path, default=Path("starter/runs/latents"))
    parser.add_argument("--out", type=Path, default=Path("starter/runs/dit"))
    options = parser.parse_args()
    run_on_ranks(train, options.ranks, options)


if __name__ == "__main__":
    main()
