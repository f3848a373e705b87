"""LoRAs on a loaded model: put on before it runs, changed without loading it again, taken off without a trace.

The order matters. Merging comes before number formats and offloading; an adapter put on later keeps its own numbers,
which peft would round to the stored format (fp8), and a model that is offloaded one part at a time is brought together
first.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders import CogVideoXLoraLoaderMixin
from safetensors import SafetensorError

from engine.errors import BadFile
from engine.types import Placement, Plan, PlannedLora
from engine.worker.memory import DTYPES

MATRIX = re.compile(r"(.+)\.(lora_A|lora_B)\.(weight|bias)$")
PREFIX = "transformer."  # diffusers says it of either transformer
PARTS = ("transformer", "transformer_2")
Weights = dict[str, torch.Tensor]


def merge(pipe: Any, plan: Plan, folder: Path) -> None:
    """Work the plan's LoRAs, whose files lie in `folder`, into freshly loaded weights that nothing was done to yet."""
    wear(pipe, plan, folder)
    for part in _parts(pipe, plan.loras).values():
        part.fuse_lora()
        part.unload_lora()


def wear(pipe: Any, plan: Plan, folder: Path) -> None:
    """Make the pipeline wear exactly the plan's LoRAs, whose files lie in `folder`. Raises BadFile."""
    worn = [lora for lora in plan.loras if lora.strength]  # at strength 0 there is nothing to wear
    wanted = {
        name: {lora.parts[name]: lora for lora in worn if name in lora.parts}
        for name in PARTS
        if getattr(pipe, name, None)
    }
    changed = [name for name, loras in wanted.items() if set(loras) != set(_on(getattr(pipe, name)))]
    if changed:
        with _brought_together(pipe, plan.placement):
            for name in changed:
                _change(pipe, name, wanted[name], (plan, folder))
    for name, loras in wanted.items():
        if loras:
            getattr(pipe, name).set_adapters(list(loras), [lora.strength for lora in loras.values()])


def _parts(pipe: Any, loras: tuple[PlannedLora, ...]) -> dict[str, Any]:
    named = {name for lora in loras for name in lora.parts if lora.strength}
    return {name: getattr(pipe, name) for name in PARTS if name in named}


def _on(part: Any) -> list[str]:
    return list(getattr(part, "peft_config", None) or {})


def _change(pipe: Any, name: str, loras: dict[str, PlannedLora], source: tuple[Plan, Path]) -> None:
    """Take off what a transformer wears and put on others; on a failure it wears nothing."""
    plan, folder = source
    part = getattr(pipe, name)
    if _on(part):
        part.unload_lora()
    try:
        for file, lora in loras.items():
            weights, settings = _read(pipe, folder / f"{file}.safetensors", lora.name)
            _check(weights, part, lora.name)
            part.load_lora_adapter(
                weights, prefix=None, adapter_name=file, metadata=settings,
                _pipeline=pipe if plan.placement.offload == "group" else None,
            )  # fmt: skip
            if plan.placement.precision == "fp8":
                _keep_format(part, file, weights, DTYPES[plan.placement.dtype])
    except Exception:
        if _on(part):
            part.unload_lora()
        raise


def _read(pipe: Any, path: Path, name: str) -> tuple[Weights, dict[str, Any] | None]:
    """A LoRA in diffusers' names, by diffusers' own conversion, and the settings that diffusers wrote into it."""
    reader = pipe if hasattr(pipe, "lora_state_dict") else CogVideoXLoraLoaderMixin  # HunyuanVideo 1.5 has none
    try:
        weights, settings = reader.lora_state_dict(
            str(path.parent), weight_name=path.name, use_safetensors=True, local_files_only=True,
            return_lora_metadata=True,
        )  # fmt: skip
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError, IndexError, AttributeError) as error:
        raise _misfit(name, str(error)) from error
    if not weights or not all(key.startswith(PREFIX) for key in weights):
        raise _misfit(name, f"names without '{PREFIX}'")
    bare = {key.removeprefix(PREFIX): tensor for key, tensor in weights.items()}
    return bare, {key.removeprefix(PREFIX): value for key, value in settings.items()} if settings else None


def _check(weights: Weights, part: Any, name: str) -> None:
    """Every matrix must have its partner and a place of its shape: diffusers skips those that have not, in silence."""
    places = dict(part.named_modules())
    for key, tensor in weights.items():
        match = MATRIX.match(key)
        place = getattr(places.get(match[1]), "base_layer", places.get(match[1])) if match else None
        side = "in" if match and match[2] == "lora_A" else "out"
        size = getattr(place, f"{side}_features", getattr(place, f"{side}_channels", None))
        if match is None or size is None:
            raise _misfit(name, f"no place for {key}")
        if match[3] == "weight" and tensor.shape[1 if side == "in" else 0] != size:
            raise _misfit(name, f"{key}: {tuple(tensor.shape)} where {size} is needed")
        if f"{match[1]}.lora_A.weight" not in weights or f"{match[1]}.lora_B.weight" not in weights:
            raise _misfit(name, f"{key} has no partner")


def _misfit(name: str, detail: str) -> BadFile:
    return BadFile(
        f"A part of the LoRA '{name}' has no place in this model, so it was not used.",
        "Choose the model that it was made for, or leave the LoRA out.",
        detail,
    )


def _keep_format(part: Any, name: str, weights: Weights, dtype: torch.dtype) -> None:
    """Put an adapter's own numbers back where peft rounded them to the stored format of the layer."""
    for key, tensor in weights.items():
        place, matrix, kind = MATRIX.match(key).groups()  # type: ignore[union-attr]  # checked when it was put on
        mine = getattr(getattr(part.get_submodule(place), matrix)[name], kind)
        mine.data = tensor.to(mine.device, dtype)


@contextlib.contextmanager
def _brought_together(pipe: Any, placement: Placement) -> Iterator[None]:
    """Without the hooks of model offloading, which would not know the new layers; it is set up again after."""
    if placement.offload != "model":
        yield
        return
    pipe.remove_all_hooks()
    try:
        yield
    finally:
        pipe.enable_model_cpu_offload(device=placement.device)
