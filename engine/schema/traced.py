"""What a card knows of its architecture: the latent grid, and what tracing found it to take."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.schema import Noun


class LatentRule(Noun):
    """The latent grid a forecast counts operations on: strides of the VAE and patch of the transformer.

    `section`: how many latent frames a call of the transformer draws, where it draws a clip section by section.
    `masked`: whether its own tokens attend through a mask. `vae_flops_per_pixel`: what decoding computes for each pixel
    of the clip; encoding takes about as much again.
    """

    stride_frames: int
    stride_pixels: int
    patch_pixels: int = 1
    layers: int
    width: int
    vae_flops_per_pixel: float
    section: int | None = None
    masked: bool = False


Figure = Annotated[float, Field(ge=0)]


class Curve(Noun):
    """A figure that grows with the tokens: fixed + linear x + square x^2, x in thousands of tokens."""

    fixed: Figure = 0.0
    linear: Figure = 0.0
    square: Figure = 0.0

    def at(self, kilotokens: float) -> float:
        return self.fixed + self.linear * kilotokens + self.square * kilotokens**2


class Surface(Noun):
    """A figure that grows with the size of a frame and of the whole clip, both in millions of pixels, and with the
    number of frames (that of a tile, whose size is fixed). It is never below `least`, that of the smallest clip, where
    a copy of the largest weights is all that counts."""

    fixed: Figure = 0.0
    frame: Figure = 0.0
    clip: Figure = 0.0
    frames: Figure = 0.0
    least: Figure = 0.0

    def at(self, frame_mp: float, num_frames: int) -> float:
        grown = self.frame * frame_mp + self.clip * frame_mp * num_frames + self.frames * num_frames
        return max(self.least, self.fixed + grown)


class Traced(Noun):
    """What the real architecture takes, traced on fake tensors by benchmarks/trace_cards.py and fitted.

    `call_tflop`: 10^12 operations of one call of the transformer for one prompt; `call_gb`: what its `kernels` read and
    write outside products of matrices, `vae_bytes_per_pixel`: those of decoding, both in a 2-byte format. The memory is
    GB at the peak beside the weights, in a 2-byte format: of that call, of decoding whole, and of decoding in tiles;
    `encode_share`: the peak of encoding, of that of decoding.
    `error`: how far the worst traced point lies from these formulas.
    """

    call_tflop: Curve
    call_gb: Curve = Curve()
    kernels: int = 0
    vae_bytes_per_pixel: Figure = 0.0
    denoise_gb: Curve
    decode_gb: Surface
    encode_share: Annotated[float, Field(ge=0.1, le=10)] = 1.0
    tiled_gb: Surface
    error: Figure
