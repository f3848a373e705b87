"""The latent cache: shards of encoded clips, with the subject's coverage and specifications, one frame size a shard."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from starter.world import Spec

#: Latent (height, width) by bucket name.
BUCKETS = {
    f"{size}-{aspect}": (height * scale, width * scale)
    for size, scale in (("take", 1), ("render", 2))
    for aspect, (height, width) in {"square": (6, 6), "wide": (5, 8), "tall": (8, 5)}.items()
}


def cell_coverage(coverage: np.ndarray) -> Tensor:
    """Mean coverage per latent cell, (7, height / 16, width / 16), of a mask (25, height, width)."""
    frames, height, width = coverage.shape
    cells = coverage.reshape(frames, height // 16, 16, width // 16, 16).mean(axis=(2, 4))
    later = cells[1:].reshape(-1, 4, *cells.shape[1:]).mean(axis=1)
    return torch.from_numpy(np.concatenate([cells[:1], later])).half()


def write_shard(path: Path, latents: Tensor, coverage: Tensor, specs: list[Spec]) -> None:
    """Save unnormalised latents (n, 32, 7, h, w) and cell coverage (n, 7, h, w) as fp16."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    tensors = {"latents": latents.half().contiguous(), "coverage": coverage.half().contiguous()}
    save_file(tensors, beside, {"specs": json.dumps([asdict(spec) for spec in specs])})
    beside.rename(path)


SOFT = "soft"  # folder of the renders' latents as their takes would begin them, by the same file names


@dataclass(frozen=True)
class Batch:
    """Normalised latents (n, 32, 7, h, w), the same softened, their coverage (n, 7, h, w) and specifications."""

    latents: Tensor
    soft: Tensor
    coverage: Tensor
    specs: list[Spec]


@dataclass
class Bucket:
    latents: list[Tensor] = field(default_factory=list)
    coverage: list[Tensor] = field(default_factory=list)
    soft: list[Tensor] = field(default_factory=list)
    specs: list[Spec] = field(default_factory=list)


class Cache:
    """All shards of a folder in memory; `refresh` picks up what was written since.

    `focus`: a motion that half of every batch shows; empty for what chance brings.
    """

    def __init__(self, folder: Path, mean: Tensor, std: Tensor, focus: str = "") -> None:
        self.folder, self.focus, self.seen = folder, focus, set()
        self.mean, self.std = (part.view(-1, 1, 1, 1) for part in (mean, std))
        self.buckets = {name: Bucket() for name in BUCKETS}
        self.refresh()

    def refresh(self) -> None:
        for path in sorted(set(self.folder.glob("*.safetensors")) - self.seen):
            bucket = self.buckets[path.stem.rpartition("-")[0]]
            with safe_open(path, "pt") as shard:
                bucket.latents.extend(shard.get_tensor("latents"))
                bucket.coverage.extend(shard.get_tensor("coverage"))
                bucket.soft.extend(self._soft(path, shard.get_tensor("latents")))
                bucket.specs.extend(Spec(**spec) for spec in json.loads(shard.metadata()["specs"]))
            self.seen.add(path)

    def _soft(self, path: Path, latents: Tensor) -> Tensor:
        """Where they were not softened, a take's latents are its own."""
        beside = path.parent / SOFT / path.name
        return load_file(beside)["latents"] if beside.exists() else latents

    def names(self, size: str) -> list[str]:
        """Buckets of `take` or `render` size that hold clips."""
        return [name for name, bucket in self.buckets.items() if name.startswith(size) and bucket.specs]

    def batch(self, name: str, rng: np.random.Generator, count: int) -> Batch:
        """Random clips of a bucket."""
        bucket = self.buckets[name]
        picks = rng.integers(0, len(bucket.specs), count)
        focused = [i for i, spec in enumerate(bucket.specs) if spec.motion == self.focus]
        if focused:
            picks[: count // 2] = rng.choice(focused, count // 2)
        latents, soft = (
            torch.stack([(kept[i].float() - self.mean) / self.std for i in picks])
            for kept in (bucket.latents, bucket.soft)
        )
        coverage = torch.stack([bucket.coverage[i].float() for i in picks])
        return Batch(latents, soft, coverage, [bucket.specs[i] for i in picks])
