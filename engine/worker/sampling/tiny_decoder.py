"""Tiny video autoencoders of the TAEHV kind (MIT, 11 million parameters): a look at latents for little.

diffusers has none. The layout is that of github.com/madebyollin/taehv and taem1, whose files they are: three stages of
blocks that remember the frame before, each of which may double the sides and multiply the frames. Widths and strides
are read from the file, so one class reads the one for Wan, HunyuanVideo, CogVideoX, LTX-2 and Mochi.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, relu

FOLDER = "peek"  # below the model's folder
STAGES = (3, 9, 15)  # index of the first block of each stage; three blocks, enlarging, growing, a convolution
CLAMP = 3.0  # latents are brought softly into -3..3


class Remembering(nn.Module):
    """Three convolutions of a frame and the one before it, beside a shortcut."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(2 * given, made, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(made, made, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(made, made, 3, padding=1),
        )
        self.skip: nn.Module = nn.Conv2d(given, made, 1, bias=False) if given != made else nn.Identity()

    def forward(self, frame: Tensor, before: Tensor) -> Tensor:
        return relu(self.conv(torch.cat([frame, before], 1)) + self.skip(frame))


class Growing(nn.Module):
    """One frame becomes `stride` frames, (stride, channels, height, width)."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels * stride, 1, bias=False)
        self.stride = stride

    def forward(self, frame: Tensor) -> Tensor:
        return self.conv(frame).unflatten(1, (self.stride, -1))[0]


class TinyDecoder(nn.Module):
    """Normalised latents (1, channels, frames, height, width), as the transformer draws them, to pixels in -1..1.

    `enlargements`: how many of the three doublings of the sides are done; a small picture costs less.
    """

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.decoder = _layers(weights)
        self.load_state_dict({name: part for name, part in weights.items() if name.startswith("decoder.")})
        self.enlargements = len(STAGES)

    @property
    def channels(self) -> int:
        """Of the latents that it reads."""
        return int(self.get_parameter("decoder.1.weight").shape[1])

    @property
    def patch(self) -> int:
        """Pixels of one side that the last convolution draws at once."""
        return round((self.get_parameter("decoder.22.weight").shape[0] / 3) ** 0.5)

    @torch.no_grad()
    def forward(self, latents: Tensor) -> Tensor:
        weight = self.get_parameter("decoder.1.weight")
        given = torch.tanh(latents.to(weight.device, weight.dtype) / CLAMP) * CLAMP
        past: dict[int, Tensor] = {}
        frames = [shown for frame in given[0].unbind(1) for shown in self._from(1, frame[None], past)]
        first = (
            math.prod(layer.stride for layer in self.decoder if isinstance(layer, Growing)) - 1
        )  # only fill the memory
        drawn = torch.cat(frames[first:])
        return pixel_shuffle(drawn, self.patch).transpose(0, 1)[None] * 2 - 1

    def _from(self, start: int, frame: Tensor, past: dict[int, Tensor]) -> Iterator[Tensor]:
        """The frames that a frame before layer `start` becomes. Depth first, so that little is in memory at once."""
        for index in range(start, len(self.decoder)):
            layer = self.decoder[index]
            if isinstance(layer, Remembering):
                before = past.get(index, torch.zeros_like(frame))
                past[index] = frame
                frame = layer(frame, before)
            elif isinstance(layer, Growing):
                for grown in layer(frame):
                    yield from self._from(index + 1, grown[None], past)
                return
            elif not isinstance(layer, nn.Upsample) or (index - STAGES[0]) // 6 < self.enlargements:
                frame = layer(frame)
        yield frame


def _layers(weights: dict[str, Tensor]) -> nn.Sequential:
    """The layers under the numbers that they have in the file; those without weights fill the gaps."""

    def conv(index: int) -> nn.Conv2d:
        made, given = weights[f"decoder.{index}.weight"].shape[:2]
        return nn.Conv2d(given, made, 3, padding=1, bias=f"decoder.{index}.bias" in weights)

    layers: list[nn.Module] = [nn.Identity(), conv(1), nn.ReLU()]
    for stage in STAGES:
        for index in range(stage, stage + 3):
            made, given = weights[f"decoder.{index}.conv.0.weight"].shape[:2]
            layers.append(Remembering(given // 2, made))
        made, given = weights[f"decoder.{stage + 4}.conv.weight"].shape[:2]
        layers += [nn.Upsample(scale_factor=2), Growing(given, made // given), conv(stage + 5)]
    return nn.Sequential(*layers, nn.ReLU(), conv(22))


def read(folder: Path) -> TinyDecoder | None:
    """The tiny decoder beside a model's weights; None where there is none. Raises what a damaged file raises."""
    files = sorted((folder / FOLDER).glob("*.safetensors"))
    return TinyDecoder(load_file(files[0])).eval() if files else None


def placed(decoder: TinyDecoder, like: Any) -> TinyDecoder:
    """On the device of `like`, in 16 bits where that is a GPU."""
    return decoder.to(like.device, torch.float32 if like.device.type == "cpu" else torch.float16)
