"""Train the starter's video autoencoder on crops of drawn clips.

python -m starter.train_vae --minutes 45         # from nothing, or from its own checkpoint
python -m starter.train_vae --from models/starter --minutes 30 --freeze-encoder     # polish the committed decoder
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

from starter.scenes import Window, draw
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
from starter.vae import LATENT_NOISE, decode_latents, encode_clip, make_one_pass, new_vae
from starter.world import FRAMES, RENDER_SIZES, TAKE_SIZES, random_spec

#: (crop side in pixels, frames, crops per rank and step). Small ones are cheap; large ones teach whole frames.
CROPS = ((64, 9, 6), (80, 9, 4), (64, 17, 3), (80, 25, 2), (160, 9, 1))
SHARES = (0.40, 0.2, 0.15, 0.15, 0.1)
STRANGE = 0.12  # share of clips in colours from outside the world, so that a LoRA can teach new ones


def _crop(rng: np.random.Generator, side: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """One crop of a random clip near its subject, and the subject's coverage."""
    spec = random_spec(rng)
    spec = replace(spec, size=spec.size * rng.uniform(0.7, 1.2), x=rng.uniform(-0.25, 0.25), y=rng.uniform(-0.25, 0.25))
    sizes = TAKE_SIZES if side <= 80 and rng.random() < 0.65 else RENDER_SIZES
    width, height = sizes[str(rng.choice(list(sizes)))]
    left, top = int(rng.integers(0, width - side + 1)), int(rng.integers(0, height - side + 1))
    first = int(rng.integers(0, FRAMES - frames + 1))
    window = Window(width, height, left, top, side, side, tuple(range(first, first + frames)))
    clip, coverage = draw(spec, window)
    if rng.random() < STRANGE:
        clip = clip[..., rng.permutation(3)]
        clip = np.where(rng.random(3) < 0.4, 255 - clip, clip)
    return clip, coverage


def batch(rng: np.random.Generator, side: int, frames: int, count: int) -> tuple[Tensor, Tensor]:
    """Crops (count, 3, frames, side, side) in -1..1, and how much each pixel's error counts."""
    pairs = [_crop(rng, side, frames) for _ in range(count)]
    clips = torch.from_numpy(np.stack([clip for clip, _ in pairs])).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
    coverage = torch.from_numpy(np.stack([c for _, c in pairs])).float()[:, None]
    edge = torch.zeros_like(coverage)
    edge[..., 1:, :] += coverage.diff(dim=-2).abs()
    edge[..., 1:] += coverage.diff(dim=-1).abs()
    edge = edge[..., :-1, :] + edge[..., 1:, :]
    edge = torch.nn.functional.pad(edge, (0, 0, 0, 1)).clamp_max(1)
    return clips, 1.0 + coverage + 3.0 * edge


def loss_of(vae: AutoencoderKLWan, clips: Tensor, weight: Tensor, frozen: bool = False) -> tuple[Tensor, Tensor]:
    """Weighted L1 plus the L1 of spatial and temporal differences; and the plain mean squared error."""
    with coarse():
        with torch.set_grad_enabled(not frozen):
            mean = encode_clip(vae, clips).float()
        decoded = decode_latents(vae, mean + LATENT_NOISE * torch.randn_like(mean)).float()
    error = decoded - clips
    loss = (weight * error.abs()).mean() / weight.mean() + 3e-4 * mean.square().mean()
    for axis in (2, 3, 4):
        loss = loss + (0.5 if axis > 2 else 0.25) * error.diff(dim=axis).abs().mean()
    return loss, error.detach().square().mean()


def optimisers_for(vae: AutoencoderKLWan, rate: float = 1.0) -> Optimisers:
    inner = {id(p) for name, p in vae.named_parameters() if p.ndim >= 4 and "quant_conv" not in name}
    matrices = [p for p in vae.parameters() if id(p) in inner]
    others = [p for p in vae.parameters() if id(p) not in inner]
    return Optimisers(matrices, others, 0.01 * rate, 2e-3 * rate)


def train(rank: int, options: argparse.Namespace) -> None:
    torch.manual_seed(0)
    vae = AutoencoderKLWan.from_pretrained(options.source, subfolder="vae") if options.source else None
    vae = make_one_pass(vae or new_vae(32, options.decoder_dim), compiled=True).train()
    if options.freeze_encoder:
        for part in (vae.encoder, vae.quant_conv):
            part.requires_grad_(False)
    parts = {"vae": vae, "optimisers": optimisers_for(vae, options.rate)}
    clock, checkpoint = Clock(0, options.minutes), options.out / "vae.safetensors"
    if checkpoint.exists():
        load_checkpoint(checkpoint, clock, **parts)
    shown = []
    while clock.progress() < 1:
        rng = clock.generator(1, rank)
        shape = CROPS[np.random.default_rng(clock.step).choice(len(CROPS), p=SHARES)]
        loss, squared = loss_of(vae, *batch(rng, *shape), options.freeze_encoder)
        loss.backward()
        clock.tick()
        average_over_ranks(vae, clock)
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        parts["optimisers"].step(clock.learning_rate_factor())
        clock.step += 1
        shown.append((float(loss.detach()), float(squared)))
        if rank == 0 and clock.step % 50 == 0:
            mean_loss, mean_squared = np.mean(shown[-50:], axis=0)
            log(options.out / "vae.log", f"step {clock.step} {clock.elapsed_seconds / 60:.1f} min loss {mean_loss:.4f} "
                f"PSNR {10 * np.log10(4 / mean_squared):.2f} dB")  # fmt: skip
        if rank == 0 and clock.step % 200 == 0:
            save_checkpoint(checkpoint, clock, **parts)
    if rank == 0:
        save_checkpoint(checkpoint, clock, **parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=45.0)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1.0, help="multiplies both learning rates")
    parser.add_argument("--decoder-dim", type=int, default=32)
    parser.add_argument("--from", dest="source", default="", help="a pipeline directory whose VAE to start from")
    parser.add_argument("--freeze-encoder", action="store_true", help="keep the latents as they are")
    parser.add_argument("--out", type=Path, default=Path("starter/runs/vae"))
    options = parser.parse_args()
    run_on_ranks(train, options.ranks, options)


if __name__ == "__main__":
    main()
