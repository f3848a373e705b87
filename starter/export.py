"""Assemble the newest checkpoints into models/starter, in the ordinary diffusers layout.

python -m starter.export                                   # newest VAE, text encoder and transformer that there are
python -m starter.export --model models/starter    # what has no checkpoint stays as committed
python -m starter.export --dit starter/runs/spin/dit.safetensors --mix 0.5    # halfway to it
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanPipeline
from torch import nn

from starter.latents import BUCKETS
from starter.pipeline import assemble, save, size_mb, untrained, write_latent_statistics
from starter.scenes import Window, draw
from starter.training import load_checkpoint
from starter.vae import encode_clip, make_one_pass, new_vae
from starter.world import random_spec


@torch.no_grad()
def measure_latents(vae: AutoencoderKLWan, count: int = 120) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation per latent channel (32,) over takes of training combinations."""
    rng, latents = np.random.default_rng(6), []
    takes = [size for name, size in BUCKETS.items() if name.startswith("take")]
    for index in range(count):
        height, width = (16 * side for side in takes[index % len(takes)])
        clip, _ = draw(random_spec(rng), Window(width, height))
        pixels = torch.from_numpy(clip).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        latents.append(encode_clip(vae, pixels)[0].flatten(1))
    every = torch.cat(latents, 1)
    return every.mean(1), every.std(1)


def fill(part: nn.Module, checkpoint: Path, name: str) -> bool:
    if checkpoint.exists():
        load_checkpoint(checkpoint, None, **{name: part})
    return checkpoint.exists()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("starter/runs"))
    parser.add_argument("--vae", type=Path, help="a VAE checkpoint; by default RUNS/vae/vae.safetensors")
    parser.add_argument("--dit", type=Path, help="a transformer checkpoint; by default RUNS/dit/dit.safetensors")
    parser.add_argument(
        "--mix",
        type=float,
        default=1.0,
        help="how far to go from the model's transformer to the checkpoint's; 1: all the way",
    )
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument(
        "--keep-statistics", action="store_true", help="after a decoder-only polish: the latents are the same"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    old = WanPipeline.from_pretrained(options.model) if (options.model / "model_index.json").exists() else untrained()
    vae, encoder, transformer = old.vae, old.text_encoder, old.transformer
    fill(encoder, options.runs / "text" / "text.safetensors", "encoder")
    before = [parameter.clone() for parameter in transformer.parameters()]
    fill(transformer, options.dit or options.runs / "dit" / "dit.safetensors", "average")
    with torch.no_grad():
        for parameter, was in zip(transformer.parameters(), before, strict=True):
            parameter.copy_(was.lerp(parameter, options.mix))
    checkpoint = options.vae or options.runs / "vae" / "vae.safetensors"
    if checkpoint.exists():
        vae = new_vae()
        fill(vae, checkpoint, "vae")
        mean, std = old.vae.config.latents_mean, old.vae.config.latents_std
        if not options.keep_statistics:
            mean, std = (part.tolist() for part in measure_latents(make_one_pass(vae)))
            vae = new_vae()
            fill(vae, checkpoint, "vae")
        write_latent_statistics(vae, mean, std)
    save(assemble(vae, encoder, transformer), options.model)
    print(f"{options.model}: {size_mb(options.model):.1f} MB")


if __name__ == "__main__":
    main()
