"""Teach the text encoder to read captions before it meets a picture: the diffusion loss teaches language slowly.

python -m starter.train_text --steps 3000
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from starter.captions import caption, full_caption
from starter.text import Reader, encode, label_tensors, new_text_encoder, tokenize
from starter.tokenizer import new_tokenizer
from starter.training import Clock, Optimisers, load_checkpoint, log, run_on_ranks, save_checkpoint
from starter.world import random_spec

BATCH = 128


def evaluate(encoder: torch.nn.Module, reader: Reader, count: int = 1000) -> dict[str, float]:
    """Accuracy per attribute on captions of held-out combinations."""
    rng, tokenizer = np.random.default_rng(99), new_tokenizer()
    captions = [full_caption(random_spec(rng, held=True), rng) for _ in range(count)]
    with torch.no_grad():
        ids, mask = tokenize(tokenizer, [c.text for c in captions])
        return reader.accuracy(encode(encoder, ids, mask), mask, label_tensors(captions))


def train(rank: int, options: argparse.Namespace) -> None:
    torch.manual_seed(0)
    tokenizer, reader = new_tokenizer(), Reader()
    encoder = new_text_encoder(len(tokenizer))
    modules = torch.nn.ModuleDict({"encoder": encoder, "reader": reader})
    matrices = [p for name, p in encoder.named_parameters() if p.ndim == 2 and "block" in name and "bias" not in name]
    inner = {id(p) for p in matrices}
    others = [p for p in modules.parameters() if id(p) not in inner]
    parts = {"encoder": encoder, "reader": reader, "optimisers": Optimisers(matrices, others, 0.01, 3e-3)}
    clock, checkpoint = Clock(options.steps), options.out / "text.safetensors"
    if checkpoint.exists():
        load_checkpoint(checkpoint, clock, **parts)
    while clock.progress() < 1:
        rng = clock.generator(2, rank)
        captions = [caption(random_spec(rng), rng) for _ in range(BATCH)]
        ids, mask = tokenize(tokenizer, [c.text for c in captions])
        loss = reader(encode(encoder, ids, mask)[:, : ids.shape[1]], mask, label_tensors(captions))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(modules.parameters(), 1.0)
        parts["optimisers"].step(clock.learning_rate_factor())
        clock.step += 1
        if clock.step % 250 == 0:
            scores = " ".join(f"{name} {value:.3f}" for name, value in evaluate(encoder, reader).items())
            log(options.out / "text.log", f"step {clock.step} loss {loss.item():.4f} held out: {scores}")
            save_checkpoint(checkpoint, clock, **parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--out", type=Path, default=Path("starter/runs/text"))
    options = parser.parse_args()
    run_on_ranks(train, 1, options)


if __name__ == "__main__":
    main()
