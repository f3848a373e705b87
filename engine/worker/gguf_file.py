"""Weights from a single GGUF file, with the config of the model that they belong to.

Without that config diffusers guesses from the names of the tensors, which takes Wan 2.2 5B for another model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import GGUFQuantizationConfig
from gguf import GGUFReader

from engine.errors import ModelProblem

DAMAGE = (OSError, ValueError, LookupError, ArithmeticError, TypeError, AttributeError, RuntimeError, MemoryError)


def file_in(folder: Path) -> Path | None:
    """The GGUF file of a part's folder, when its weights come as one."""
    return next(iter(sorted(folder.glob("*.gguf"))), None)


def names_in(path: Path) -> list[str]:
    """The names of the tensors; reading them checks the header against the file's size. Raises ModelProblem."""
    try:
        return sorted(tensor.name for tensor in GGUFReader(str(path)).tensors)
    except DAMAGE as error:
        raise ModelProblem(
            f"The weights file {path.name} is damaged or cut short.", "Install the model again.", str(error)
        ) from error


def load(folder: Path, parts: dict[str, Any], dtype: torch.dtype) -> dict[str, Any]:
    """Those of the parts, given by their classes, that come as a GGUF file. Raises ModelProblem."""
    return {name: _part(folder, name, kind, dtype) for name, kind in parts.items() if file_in(folder / name)}


def _part(folder: Path, name: str, kind: Any, dtype: torch.dtype) -> Any:
    path = file_in(folder / name)
    if not hasattr(kind, "from_single_file"):
        raise ModelProblem(f"Models of the kind {kind.__name__} cannot be read from GGUF.", "Choose another version.")
    try:
        part = kind.from_single_file(
            str(path), config=str(folder), subfolder=name, dtype=dtype, local_files_only=True,
            quantization_config=GGUFQuantizationConfig(compute_dtype=dtype),
        )  # fmt: skip
        missing = [key for key, tensor in part.named_parameters() if tensor.is_meta]  # diffusers says nothing of them
        if missing:
            raise ValueError(f"{len(missing)} weights are missing, such as {missing[0]}")
        return part
    except DAMAGE as error:
        raise ModelProblem(
            f"The weights in {path.name if path else name} are not those of this model.",
            "Install the model again, or correct the name of the file in its card.",
            str(error),
        ) from error
