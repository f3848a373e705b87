"""One small module per architecture family: what data cannot say. Found by name, so there is no registry to edit.

Each module exposes `family`, an object of the class that `family` describes.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from engine.worker.families.family import LatentVideo


def of(name: str) -> LatentVideo:
    """The family of a card, whose checked name (letters, digits, _) picks the module."""
    return cast(LatentVideo, import_module(f"{__name__}.{name}").family)
