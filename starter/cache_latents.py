"""Draw clips of training combinations and keep their latents, so that the transformer never waits for the encoder.

python -m starter.cache_latents --vae models/starter --takes 12000 --renders 3000      # adds what is missing
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan

from starter.latents import BUCKETS, cell_coverage, write_shard
from starter.scenes import Window, draw
from starter.training import coarse, run_on_ranks
from starter.vae import encode_clip, make_one_pass
from starter.world import Spec, random_spec

SHARD = {"take": 128, "render": 32}
#: No caption names it, but people will write it: the studio's own example is drawn more often than chance would.
EXAMPLE = Spec("red", "ball", "left", "blue", "still")


def _spec(rng: np.random.Generator) -> Spec:
    spec = random_spec(rng)
    if rng.random() > 0.01:
        return spec
    return Spec(
        EXAMPLE.colour,
        EXAMPLE.shape,
        EXAMPLE.motion,
        EXAMPLE.background,
        EXAMPLE.camera,
        spec.size,
        spec.x,
        spec.y,
        spec.pace,
        spec.phase,
    )


@torch.no_grad()
def encode_shard(vae: AutoencoderKLWan, bucket: str, index: int, folder: Path) -> None:
    """One shard of one bucket; its clips depend on its name alone."""
    rng = np.random.default_rng((3, index, list(BUCKETS).index(bucket)))
    height, width = (16 * side for side in BUCKETS[bucket])
    latents, coverage, specs = [], [], []
    for _ in range(SHARD[bucket.split("-")[0]]):
        spec = _spec(rng)
        clip, mask = draw(spec, Window(width, height))
        pixels = torch.from_numpy(clip).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        with coarse():
            latents.append(encode_clip(vae, pixels)[0].float())
        coverage.append(cell_coverage(mask))
        specs.append(spec)
    write_shard(folder / f"{bucket}-{index:04}.safetensors", torch.stack(latents), torch.stack(coverage), specs)


def encode_all(rank: int, options: argparse.Namespace) -> None:
    vae = make_one_pass(AutoencoderKLWan.from_pretrained(options.vae, subfolder="vae")).eval()
    wanted = {"take": options.takes, "render": options.renders}
    jobs = [
        (index, bucket)
        for bucket in BUCKETS
        for index in range(-(-wanted[bucket.split("-")[0]] // (3 * SHARD[bucket.split("-")[0]])))
        if not (options.out / f"{bucket}-{index:04}.safetensors").exists()
    ]
    for index, bucket in sorted(jobs)[rank :: options.ranks]:
        encode_shard(vae, bucket, index, options.out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--vae", type=Path, default=Path("models/starter"), help="pipeline directory whose encoder to use"
    )
    parser.add_argument("--takes", type=int, default=12000)
    parser.add_argument("--renders", type=int, default=3000)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("starter/runs/latents"))
    options = parser.parse_args()
    run_on_ranks(encode_all, options.ranks, options)


if __name__ == "__main__":
    main()
