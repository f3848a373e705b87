"""Train the starter's transformer on cached latents.

python -m starter.train_dit --minutes 60          # from nothing, or from its own checkpoint
python -m starter.train_dit --from models/starter --minutes 240 --out starter/runs/more     # from the committed weights
python -m starter.train_dit --from models/starter --guidance 2 --rate 0.3 --minutes 40 --render-share 0.35 \
    --out starter/runs/guided     # and takes learn to need no guidance
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
from starter.latents import Batch, Cache
from starter.pipeline import FLOW_SHIFT, new_transformer
from starter.text import encode, tokenize
from starter.tokenizer import new_tokenizer
from starter.training import (
    Clock,
    Optimisers,
    average_over_ranks,
    coarse,
    load_checkpoint,
    log,
    run_on_ranks,
    save_checkpoint,
)
from starter.world import Spec

BATCH = {"take": 8, "render": 2}  # clips per rank and step
NO_CAPTION = 0.12
GUIDE_WEIGHT = 0.1
SUBJECT_WEIGHT = 4.0  # the subject fills a tenth of a frame and holds most of what is asked for
REFINES = 0.5  # share of the steps that go on from a softened clip, where they begin above the level drawn
START = (0.35, 0.9)  # levels at which a render begins from its take: the dial, and a little around it
EMA = 0.998
TAUGHT_SHIFT = 5.0  # takes of few steps begin with most of their noise and stay there: the levels that they visit
REFRESH_STEPS = 200  # how often to look for new shards


@dataclass
class Learner:
    """Everything a step needs: the text side is frozen, the guide exists in training only.

    `teacher`: the transformer as it began, when takes learn to answer as it does with `guidance`. What it knows badly,
    clips with the motion `focus`, they learn from the clips.
    """

    transformer: nn.Module
    guide: Guide
    text_encoder: nn.Module
    tokenizer: object
    teacher: nn.Module | None = None
    guidance: float = 1.0
    focus: str = ""

    def embeddings(self, specs: list[Spec], rng: np.random.Generator) -> Tensor:
        """A fresh wording of each specification, or none, as embeddings (batch, 64, 128)."""
        texts = ["" if rng.random() < NO_CAPTION else caption(spec, rng).text for spec in specs]
        with torch.no_grad():
            return encode(self.text_encoder, *tokenize(self.tokenizer, texts))

    def loss(self, batch: Batch, rng: np.random.Generator, taught: bool = False) -> tuple[Tensor, Tensor]:
        """The flow-matching loss of a batch, or with `taught` its distance to the teacher's flow; and the guide's."""
        latents, specs = batch.latents, batch.specs
        u = torch.rand(len(specs)) if taught else torch.sigmoid(torch.randn(len(specs)))
        shift = TAUGHT_SHIFT if taught else FLOW_SHIFT
        sigma = shift * u / (1 + (shift - 1) * u)
        level = sigma.view(-1, 1, 1, 1, 1)
        noise = torch.randn_like(latents) + self.softness(batch, level)
        noisy, words = (1 - level) * latents + level * noise, self.embeddings(specs, rng)
        with coarse():
            flow = self.transformer(noisy, 1000 * sigma, words, return_dict=False)[0]
            target = noise - latents
            if taught:
                ours = torch.tensor([spec.motion == self.focus for spec in specs]).view_as(level)
                target = torch.where(ours, target, self.guided(noisy, sigma, words))
        # Only where little noise is left, since there the place of the subject is known: weighted at high noise, the
        # model would learn to draw it larger than it is.
        weight = 1 + SUBJECT_WEIGHT * (1 - level) * batch.coverage[:, None]
        squares = (flow.float() - target).square()
        return (weight * squares).mean() / weight.mean(), self.guide.loss(batch.coverage, specs)

    @torch.no_grad()
    def guided(self, noisy: Tensor, sigma: Tensor, words: Tensor) -> Tensor:
        """The teacher's flow with guidance; a clip without a caption has none to be guided by."""
        assert self.teacher is not None
        nothing = encode(self.text_encoder, *tokenize(self.tokenizer, [""])).expand_as(words)
        texts = (words, nothing)
        named, unnamed = (self.teacher(noisy, 1000 * sigma, text, return_dict=False)[0].float() for text in texts)
        return unnamed + self.guidance * (named - unnamed)

    def softness(self, batch: Batch, level: Tensor) -> Tensor:
        """What is left, at noise `level`, of a soft beginning at a higher one; as a part of the noise.

        A render that refines its take begins at sigma with (1 - sigma) soft + sigma noise, and moves straight to the
        real clip: the difference of the two shrinks as the noise does.
        """
        start = START[0] + (START[1] - START[0]) * torch.rand_like(level)
        refines = (torch.rand_like(level) < REFINES) & (level <= start)
        return refines * (1 - start) / start * (batch.soft - batch.latents)


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
    pipeline = WanPipeline.from_pretrained(options.base, torch_dtype=torch.float32)
    transformer = (
        WanPipeline.from_pretrained(options.source, torch_dtype=torch.float32).transformer
        if options.source
        else new_transformer()
    )
    average = copy.deepcopy(transformer).requires_grad_(False)
    transformer.set_attn_processor(PlainAttention())
    if options.compile:
        transformer.compile_repeated_blocks(dynamic=True)
    mean, std = (torch.tensor(pipeline.vae.config[f"latents_{name}"]) for name in ("mean", "std"))
    text_encoder = pipeline.text_encoder.eval().requires_grad_(False)
    learner = Learner(transformer.train(), Guide(transformer), text_encoder, new_tokenizer(), focus=options.focus)
    if options.guidance:
        learner.teacher, learner.guidance = pipeline.transformer.requires_grad_(False), options.guidance
        learner.teacher.set_attn_processor(PlainAttention())
    return learner, Cache(options.latents, mean, std, options.focus), average


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
        taught = bool(options.guidance) and size == "take"
        flow, guide = learner.loss(cache.batch(name, rng, options.batch or BATCH[size]), rng, taught)
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
    parser.add_argument(
        "--guidance",
        type=float,
        default=0.0,
        help="takes learn to answer, without guidance, as the pipeline in --base does with this much; 0: they do not",
    )
    parser.add_argument("--focus", default="", help="a motion that half of the clips show, such as spin")
    parser.add_argument("--compile", action="store_true", help="compile the blocks: pays off after some minutes")
    parser.add_argument(
        "--base",
        type=Path,
        default=Path("models/starter"),
        help="pipeline whose VAE and text encoder belong to the latents; with --guidance, the teacher",
    )
    parser.add_argument("--from", dest="source", default="", help="pipeline whose transformer to start from")
    parser.add_argument("--latents", type=Path, default=Path("starter/runs/latents"))
    parser.add_argument("--out", type=Path, default=Path("starter/runs/dit"))
    options = parser.parse_args()
    run_on_ranks(train, options.ranks, options)


if __name__ == "__main__":
    main()
