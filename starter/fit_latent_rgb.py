"""Fit the linear map that draws peeks: the VAE's latents to small pixels, one 3x3 convolution by least squares.

python -m starter.fit_latent_rgb --model models/starter [--clips 48] [--side 4]   # writes latent_rgb.safetensors

For any installed model whose card names no tiny decoder: give its folder. A cell of the latents becomes `side` x `side`
pixels, or fewer of a deep VAE's cells, of each frame that it stands for. Prints the PSNR on clips it was not fitted on.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoModel
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import interpolate, unfold

from engine.worker.sampling.preview import MAP, linear_pixels
from starter.scenes import Window, draw
from starter.world import RENDER_SIZES, random_spec

SIDES = 64  # a multiple of every VAE's cells


@torch.no_grad()
def pairs(vae: Any, count: int, side: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Latents (1, channels, frames, h, w) and the small pixels (1, 3, frames, h side, w side) they stand for."""
    rng = np.random.default_rng(seed)
    found = []
    for index in range(count):
        width, height = (length // SIDES * SIDES for length in list(RENDER_SIZES.values())[index % 3])
        clip, _ = draw(random_spec(rng), Window(width, height))  # 25 frames, which the strides of all VAEs divide
        pixels = torch.from_numpy(clip).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        latents = vae.encode(pixels.to(vae.dtype)).latent_dist.mode().float()
        size = (latents.shape[3] * side, latents.shape[4] * side)
        found.append((latents, interpolate(pixels[0].transpose(0, 1), size, mode="area").transpose(0, 1)[None]))
    return found


def fit(clips: list[tuple[Tensor, Tensor]], side: int) -> dict[str, Tensor]:
    """Least squares over every cell of every clip; the first latent, which stands for one frame, is left out."""
    rows, wanted = [], []
    for latents, small in clips:
        _, channels, frames, height, width = latents.shape
        stride = (small.shape[2] - 1) // (frames - 1)
        around = unfold(latents[0].transpose(0, 1), 3, padding=1).transpose(1, 2)[1:]  # (frames - 1, cells, channels 9)
        rows.append(torch.cat([around, torch.ones(*around.shape[:2], 1)], dim=-1).flatten(0, 1))
        blocks = small[0, :, 1:].reshape(3, frames - 1, stride, height, side, width, side)
        wanted.append(blocks.permute(1, 3, 5, 0, 2, 4, 6).reshape(-1, 3 * stride * side * side))
    x, y = torch.cat(rows).double(), torch.cat(wanted).double()
    ridge = 1e-3 * len(x) * torch.eye(x.shape[1], dtype=torch.float64)
    solved = torch.linalg.solve(x.T @ x + ridge, x.T @ y).float()
    weight = solved[:-1].T.reshape(-1, channels, 1, 3, 3).half().contiguous()
    return {"weight": weight, "bias": solved[-1].half(), "frames": torch.tensor(stride)}


def psnr(clips: list[tuple[Tensor, Tensor]], linear: dict[str, Tensor]) -> float:
    exact = {name: part.float() for name, part in linear.items()}
    errors = [(linear_pixels(exact, latents).clamp(-1, 1) - small).pow(2).mean() for latents, small in clips]
    return float(-10 * torch.log10(torch.stack(errors).mean() / 4))


def write(model: Path, clips: int, side: int) -> tuple[float, float]:
    """Put the map of a model's VAE beside its weights; answers its PSNR on other clips, and that of one colour."""
    vae = AutoModel.from_pretrained(str(model), subfolder="vae").eval()
    linear = fit(pairs(vae, clips, side, seed=1), side)
    save_file(linear, model / MAP)
    others = pairs(vae, max(3, clips // 5), side, seed=2)
    return psnr(others, linear), psnr(others, linear | {"weight": torch.zeros_like(linear["weight"])})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--side", type=int, default=4)
    options = parser.parse_args()
    fitted, one_colour = write(options.model, options.clips, options.side)
    print(f"PSNR on other clips: {fitted:.1f} dB; all in one colour: {one_colour:.1f} dB")


if __name__ == "__main__":
    main()
