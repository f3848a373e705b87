"""Fit the linear map that draws peeks: the VAE's latents to small pixels, one 3x3 convolution by least squares.

python -m starter.fit_latent_rgb --model models/starter [--clips 48] [--side 4]   # writes latent_rgb.safetensors

A cell of the latents becomes `side` x `side` pixels of four frames. Prints the PSNR on clips it was not fitted on.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import avg_pool2d, unfold

from engine.worker.peek import MAP, linear_pixels
from starter.scenes import Window, draw
from starter.world import TAKE_SIZES, random_spec

CELL = 16  # pixels of a latent cell


@torch.no_grad()
def pairs(vae: AutoencoderKLWan, count: int, side: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Latents (1, channels, frames, h, w) and the small pixels (1, 3, frames, h side, w side) they stand for."""
    rng = np.random.default_rng(seed)
    found = []
    for index in range(count):
        width, height = list(TAKE_SIZES.values())[index % 3]
        clip, _ = draw(random_spec(rng), Window(width, height))
        pixels = torch.from_numpy(clip).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        small = avg_pool2d(pixels[0].transpose(0, 1), CELL // side).transpose(0, 1)[None]
        found.append((vae.encode(pixels).latent_dist.mode(), small))
    return found


def fit(clips: list[tuple[Tensor, Tensor]], side: int) -> dict[str, Tensor]:
    """Least squares over every cell of every clip; the first latent, which stands for one frame, is left out."""
    rows, wanted = [], []
    for latents, small in clips:
        _, channels, frames, height, width = latents.shape
        around = unfold(latents[0].transpose(0, 1), 3, padding=1).transpose(1, 2)[1:]  # (frames - 1, cells, channels 9)
        rows.append(torch.cat([around, torch.ones(*around.shape[:2], 1)], dim=-1).flatten(0, 1))
        blocks = small[0, :, 1:].reshape(3, frames - 1, 4, height, side, width, side)
        wanted.append(blocks.permute(1, 3, 5, 0, 2, 4, 6).reshape(-1, 12 * side * side))
    x, y = torch.cat(rows).double(), torch.cat(wanted).double()
    ridge = 1e-3 * len(x) * torch.eye(x.shape[1], dtype=torch.float64)
    solved = torch.linalg.solve(x.T @ x + ridge, x.T @ y).float()
    return {"weight": solved[:-1].T.reshape(-1, channels, 1, 3, 3).half().contiguous(), "bias": solved[-1].half()}


def psnr(clips: list[tuple[Tensor, Tensor]], linear: dict[str, Tensor]) -> float:
    exact = {name: part.float() for name, part in linear.items()}
    errors = [(linear_pixels(exact, latents).clamp(-1, 1) - small).pow(2).mean() for latents, small in clips]
    return float(-10 * torch.log10(torch.stack(errors).mean() / 4))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--side", type=int, default=4)
    options = parser.parse_args()
    vae = AutoencoderKLWan.from_pretrained(options.model, subfolder="vae").eval()
    linear = fit(pairs(vae, options.clips, options.side, seed=1), options.side)
    print(f"PSNR on other clips: {psnr(pairs(vae, 9, options.side, seed=2), linear):.1f} dB")
    save_file(linear, options.model / MAP)


if __name__ == "__main__":
    main()
