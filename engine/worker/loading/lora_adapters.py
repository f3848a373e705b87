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

from engine.schema import Placement, PlannedLora, ShotPlan
from engine.worker.loading import lora_tensors
from engine.worker.loading.device_placement import DTYPES
from engine.worker.loading.lora_tensors import Weights

MATRIX = re.compile(r"(.+)\.(lora_A|lora_B)\.(weight|bias)$")
PARTS = ("transformer", "transformer_2")


def merge(pipe: Any, plan: ShotPlan, folder: Path) -> None:
    """Work the plan's LoRAs, whose files lie in `folder`, into freshly loaded weights that nothing was done to yet."""
    wear(pipe, plan, folder)
    for part in _parts(pipe, plan.loras).values():
        part.fuse_lora()
        part.unload_lora()


def wear(pipe: Any, plan: ShotPlan, folder: Path) -> None:
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


def _change(pipe: Any, name: str, loras: dict[str, PlannedLora], source: tuple[ShotPlan, Path]) -> None:
    """Take off what a transformer wears and put on others; on a failure it wears nothing."""
    plan, folder = source
    part = getattr(pipe, name)
    if _on(part):
        part.unload_lora()
    try:
        for file, lora in loras.items():
            weights = lora_tensors.read(folder / f"{file}.safetensors", part, name, lora.name)
            _check(weights, part, lora.name)
            try:
                part.load_lora_adapter(
                    weights, prefix=None, adapter_name=file,
                    _pipeline=pipe if plan.placement.offload == "group" else None,
                )  # fmt: skip
            except (ValueError, TypeError, IndexError, RuntimeError) as error:  # factors that peft cannot place
                if isinstance(error, RuntimeError) and "size mismatch" not in str(error):
                    raise  # memory ran out, say
                raise lora_tensors.misfit(lora.name, str(error)) from error
            _all_arrived(weights, part, file, lora.name)
            if plan.placement.precision == "fp8":
                _keep_format(part, file, weights, DTYPES[plan.placement.dtype])
    except Exception:
        if _on(part):
            part.unload_lora()
        raise


def _check(weights: Weights, part: Any, name: str) -> None:
    """Every matrix must have the shape of its place: diffusers skips those that have not, in silence."""
    for key, tensor in weights.items():
        match = MATRIX.match(key)
        if match is None:
            continue  # a Kronecker factor: peft itself refuses another shape
        place = part.get_submodule(match[1])
        place = getattr(place, "base_layer", place)
        side = "in" if match[2] == "lora_A" else "out"
        size = getattr(place, f"{side}_features", getattr(place, f"{side}_channels", None))
        if tensor.shape[1 if side == "in" and match[3] == "weight" else 0] != size:
            raise lora_tensors.misfit(name, f"{key}: {tuple(tensor.shape)} where {size} is needed")
        if match[3] == "bias" and place.bias is None:
            raise lora_tensors.misfit(name, f"{key}: a layer without a bias")


def _all_arrived(weights: Weights, part: Any, file: str, name: str) -> None:
    """Every Kronecker factor must be in its place: diffusers skips those of a kind that it did not expect."""
    for key, tensor in weights.items():
        if MATRIX.match(key) is None:
            place, _, factor = key.rpartition(".")
            held = getattr(part.get_submodule(place), factor, {})
            if file not in held or held[file].shape != tensor.shape:
                raise lora_tensors.misfit(name, f"{key}: no such factor was expected")


def _keep_format(part: Any, name: str, weights: Weights, dtype: torch.dtype) -> None:
    """Put an adapter's own numbers back where peft rounded them to the stored format of the layer."""
    for key, tensor in weights.items():
        if (match := MATRIX.match(key)) is None:  # a Kronecker factor
            place, _, factor = key.rpartition(".")
            mine = getattr(part.get_submodule(place), factor)[name]
            mine.data = tensor.to(mine.device, dtype)
            continue
        place, matrix, kind = match.groups()
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
