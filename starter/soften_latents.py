"""Beside each cached render: the same clip as a take of it would begin it, so that the transformer learns to refine.

python -m starter.soften_latents        # adds what is missing; stops and goes on at any time

A take has half the sides. Brought to its render's size it has lost fine detail twice, in the smaller frames and in the
autoencoder. A transformer that only ever saw noised real clips takes that softness for the truth.
"""

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import interpolate

from starter.latents import SOFT
from starter.training import coarse, run_on_ranks
from starter.vae import decode_latents, encode_clip, make_one_pass


def resized(clip: Tensor, height: int, width: int) -> Tensor:
    """A clip (1, 3, frames, height, width) in -1..1, bicubic as the studio enlarges takes."""
    frames = clip[0].transpose(0, 1).float()
    size = interpolate(frames, size=(height, width), mode="bicubic", antialias=True, align_corners=False)
    return size.transpose(0, 1)[None].clamp(-1, 1)


@torch.no_grad()
def softened(vae: AutoencoderKLWan, latents: Tensor) -> Tensor:
    """Unnormalised latents (n, 32, 7, h, w) of clips, after a take's size and the autoencoder took their share."""
    soft = []
    for one in latents.float():
        height, width = (16 * side for side in one.shape[-2:])
        with coarse():
            small = encode_clip(vae, resized(decode_latents(vae, one[None]), height // 2, width // 2))
            soft.append(encode_clip(vae, resized(decode_latents(vae, small), height, width))[0].float())
    return torch.stack(soft)


def soften_all(rank: int, options: argparse.Namespace) -> None:
    vae = make_one_pass(AutoencoderKLWan.from_pretrained(options.vae, subfolder="vae")).eval()
    (options.latents / SOFT).mkdir(exist_ok=True)
    for path in sorted(options.latents.glob("render-*.safetensors"))[rank :: options.ranks]:
        done = options.latents / SOFT / path.name
        if not done.exists():
            save_file({"latents": softened(vae, load_file(path)["latents"]).half()}, done.with_suffix(".part"))
            done.with_suffix(".part").rename(done)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vae", type=Path, default=Path("models/starter"), help="pipeline whose autoencoder to use")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--latents", type=Path, default=Path("starter/runs/latents"))
    run_on_ranks(soften_all, parser.parse_args().ranks, parser.parse_args())


if __name__ == "__main__":
    main()
