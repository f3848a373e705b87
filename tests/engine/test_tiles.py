"""Tiles of another size than diffusers' fit together: the clip keeps its size, and a tile is what it is alone."""

from __future__ import annotations

from pathlib import Path

import diffusers
import pytest
import torch

from engine.schema import Placement
from engine.worker.output.decode import arrange
from tests.engine.test_families import CASES

TILES = {"hunyuan-video-1.5": (128, 96), "mochi": (192, 144)}  # pixels, and how far they lie apart


@pytest.mark.parametrize("name", TILES)
@torch.no_grad()
def test_a_clip_wider_than_a_tile_is_put_together_from_tiles(name: str, tmp_path: Path) -> None:
    CASES[name].build(tmp_path / "tiny")
    vae = diffusers.AutoModel.from_pretrained(str(tmp_path / "tiny" / "vae")).eval()
    (tile, apart), side = TILES[name], vae.spatial_compression_ratio
    channels = vae.config.get("latent_channels") or vae.config.z_dim
    shape = (1, channels, 1, 4, (tile + apart) // side)
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    whole = vae.decode(latents, return_dict=False)[0]
    arrange(vae, Placement(device="cpu", dtype="float32", vae_tiling=True, vae_slicing=True))
    in_tiles = vae.decode(latents, return_dict=False)[0]
    alone = vae.decode(latents[..., : tile // side], return_dict=False)[0]
    assert in_tiles.shape == whole.shape and not torch.equal(in_tiles, whole)
    assert torch.equal(in_tiles[..., :apart], alone[..., :apart])
    assert vae.encode(in_tiles, return_dict=False)[0].mode().shape == latents.shape
