"""One small module per architecture family: what data cannot say. Found by name, so there is no registry to edit."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np
import torch

from engine.types import Pass, Plan


class Family(Protocol):
    """What sampling needs to know of a family. Latents are what its pipeline returns for output_type='latent'."""

    def call_arguments(self, plan: Plan) -> dict[str, Any]:
        """Arguments of the pipeline call beyond the ones every family takes."""

    def scheduler(self, pipe: Any, run: Pass) -> Any:
        """A fresh scheduler with the pass's flow shift."""

    def latent_shape(self, pipe: Any, run: Pass) -> tuple[int, ...]:
        """Shape of the latents of one clip of this pass."""

    def noised(self, latents: torch.Tensor, noise: torch.Tensor, sigma: float) -> torch.Tensor:
        """Clean latents brought to noise level sigma."""

    def resized(self, pipe: Any, latents: torch.Tensor, run: Pass) -> torch.Tensor:
        """A take's latents at the size of a render."""

    def decode(self, pipe: Any, latents: torch.Tensor) -> np.ndarray:
        """Latents to frames: uint8, (frames, height, width, 3)."""


def of(name: str) -> Family:
    """The module of a family, which a card's checked name (letters, digits, _) picks from this package."""
    return cast(Family, import_module(f"{__name__}.{name}"))
