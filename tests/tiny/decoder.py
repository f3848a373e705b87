"""A random tiny decoder in the layout of the published files."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

WIDTHS = (16, 8, 8, 4)
FIRSTS = (3, 9, 15)


def weights(channels: int, strides: tuple[int, int, int] = (1, 2, 2), patch: int = 1) -> dict[str, Tensor]:
    """`strides`: by how much each stage multiplies the frames."""
    made: dict[str, Tensor] = {}

    def conv(name: str, given: int, drawn: int, side: int = 3, bias: bool = True) -> None:
        made[f"{name}.weight"] = torch.randn(drawn, given, side, side) / (given * side * side) ** 0.5
        if bias:
            made[f"{name}.bias"] = torch.randn(drawn) / 10

    conv("decoder.1", channels, WIDTHS[0])
    for stage, (first, width, after) in enumerate(zip(FIRSTS, WIDTHS, WIDTHS[1:], strict=False)):
        for block in range(first, first + 3):
            conv(f"decoder.{block}.conv.0", 2 * width, width)
            conv(f"decoder.{block}.conv.2", width, width)
            conv(f"decoder.{block}.conv.4", width, width)
        conv(f"decoder.{first + 4}.conv", width, width * strides[stage], side=1, bias=False)
        conv(f"decoder.{first + 5}", width, after, bias=False)
    conv("decoder.22", WIDTHS[-1], 3 * patch**2)
    conv("encoder.0", 3, 4)  # its other half, which nobody reads
    return made


def build(folder: Path, channels: int, patch: int = 1) -> None:
    """Put one beside the weights of a model."""
    (folder / "peek").mkdir()
    save_file(weights(channels, patch=patch), folder / "peek" / "tae.safetensors")
