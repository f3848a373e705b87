"""The tensors of a LoRA for one transformer, as peft applies them: whichever trainer wrote the file, under diffusers'
names, with alpha folded in. What is read follows engine/weights/lora/layout.py, as the plan did."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from engine.schema.errors import BadFile
from engine.schema.message import Message
from engine.weights import header
from engine.weights.lora import layout
from engine.weights.lora.layout import Change

Weights = dict[str, torch.Tensor]
HALVES = {"transformer": "high", "transformer_2": "low"}


def read(path: Path, transformer: Any, part: str, name: str) -> Weights:
    """What the LoRA `name` in a file changes in a transformer, which is the pipeline's `part`. Raises BadFile."""
    try:
        tensors, notes = header.read(path)
        readings = layout.read({tensor: shape for tensor, shape, _ in tensors})
    except (*header.DAMAGE, layout.Unreadable) as error:
        raise misfit(name, str(error)) from error
    modules = dict(transformer.named_modules())
    reading = max(readings.values(), key=lambda one: sum(c.place.name in modules for c in one.changes), default=None)
    changes = reading.changes if reading else ()
    halves = {change.half for change in changes}  # one alone is worn where the plan says, whatever it is called
    mine = [change for change in changes if len(halves) == 1 or change.half == HALVES[part]]
    absent = [change for change in mine if change.place.name not in modules]
    if strange := [change for change in absent if not layout.special(change)]:
        raise misfit(name, f"no place for {strange[0].place.name}")
    found = [change for change in mine if change not in absent]
    if not found:
        raise misfit(name, "no layer of this model")
    weights: Weights = {}
    with safe_open(str(path), framework="pt") as file:
        for change in found:
            read_in = {role: _finite(file.get_tensor(tensor), name) for role, tensor in change.tensors.items()}
            weights |= _built(change, read_in, modules[change.place.name], _settings(notes, change))
    return _with_all_biases(weights)


def misfit(name: str, detail: str) -> BadFile:
    return BadFile(
        Message("A part of the LoRA '{name}' has no place in this model, so it was not used.", name=name),
        Message("Choose the model that it was made for, or leave the LoRA out."),
        detail,
    )


def _finite(tensor: torch.Tensor, name: str) -> torch.Tensor:
    """A tensor in float32. Raises BadFile where it carries NaN or infinity: every picture would be black."""
    tensor = tensor.float()
    if not torch.isfinite(tensor).all():
        raise BadFile(
            Message(
                "The LoRA '{name}' is broken: some of its numbers overflowed when it was trained or converted.",
                name=name,
            ),
            Message("Get its file again, or an earlier step of its training, or leave the LoRA out."),
        )
    return tensor


def _settings(notes: Mapping[str, str], change: Change) -> float | None:
    """The scale that a file's notes give a layer which has no alpha of its own."""
    said = _json(notes.get("lora_adapter_metadata"))
    said = {key.partition(".")[2] if key.startswith("transformer.") else key: value for key, value in said.items()}
    if "lora_alpha" in said and "r" in said:  # written by diffusers
        from peft.utils.other import get_pattern_key  # a worker knows peft once a job has a LoRA

        patterns = {kind: said.get(f"{kind}_pattern") or {} for kind in ("rank", "alpha")}
        rank, alpha = (
            patterns[kind].get(get_pattern_key(patterns[kind].keys(), change.place.name), said[plain])
            for kind, plain in (("rank", "r"), ("alpha", "lora_alpha"))
        )
        return float(alpha / (math.sqrt(rank) if said.get("use_rslora") else rank))
    said = _json(notes.get("kwargs"))  # written by Mochi's authors
    name = change.tensors.get("down", "")
    kind = "qkv_proj" if ".qkv_" in name else "out_proj" if ".proj_" in name else ""
    if f"{kind}_lora_alpha" in said and said.get(f"{kind}_lora_rank"):
        return float(said[f"{kind}_lora_alpha"] / said[f"{kind}_lora_rank"])
    return None


def _json(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _built(change: Change, tensors: Weights, module: Any, scale: float | None) -> Weights:
    """A layer's change in peft's names: low matrices, or Kronecker factors, and a bias."""
    place = change.place.name
    if layout.is_kronecker(change):
        return _kronecker(change, tensors)
    if "down" in tensors:
        down, up = tensors["down"], tensors["up"]
    elif "hada_w1_a" in tensors:
        down, up = _hadamard(tensors)
    elif "full" in tensors:
        down, up, scale = *_whole(tensors["full"]), None
    else:
        down, up = _nothing(module, len(tensors["bias" if "bias" in tensors else "up_bias"]))
    if "alpha" in tensors and ("down" in tensors or "hada_w1_a" in tensors):
        rank = tensors["hada_w1_b" if "hada_w1_b" in tensors else "down"].shape[0]
        scale = tensors["alpha"].item() / rank
    down, up = _shaped(*_scaled(down, up, scale), module)
    built = {"lora_A.weight": down, "lora_B.weight": up}
    if "full" in tensors and "down" in tensors:  # both for one layer: one below the other
        other_down, other_up = _shaped(*_whole(tensors["full"]), module)
        built = {"lora_A.weight": torch.cat([down, other_down]), "lora_B.weight": torch.cat([up, other_up], 1)}
    biases = [tensors["bias"]] if "bias" in tensors else []
    if "up_bias" in tensors:  # peft scales it with the matrices
        biases.append(tensors["up_bias"] * (1.0 if scale is None else scale))
    if biases:
        built["lora_B.bias"] = torch.stack(biases).sum(0)
    ours = {key: _rows(value, change) if key.startswith("lora_B") else value for key, value in built.items()}
    return {f"{place}.{key}": value.contiguous() for key, value in ours.items()}


def _rows(tensor: torch.Tensor, change: Change) -> torch.Tensor:
    """The rows that belong to this layer of a matrix which its authors keep for several."""
    if not change.place.rows:
        return tensor
    part = tensor.shape[0] / change.place.rows[0].of
    return torch.cat([tensor[round(rows.start * part) : round(rows.end * part)] for rows in change.place.rows])


def _scaled(down: torch.Tensor, up: torch.Tensor, scale: float | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Both with a scale folded in, shared between them by powers of two: a small one alone would lose digits in
    16 bits."""
    if scale in (None, 1.0):
        return down, up
    half = 2.0 ** (math.frexp(abs(scale))[1] // 2) if scale else 1.0
    return down * (scale / half), up * half


def _hadamard(tensors: Weights) -> tuple[torch.Tensor, torch.Tensor]:
    """(a1 b1) * (a2 b2), element by element, as one pair of matrices: its rank is at most the product of both."""
    a1, b1, a2, b2 = (tensors[f"hada_w{one}_{side}"] for one in (1, 2) for side in "ab")
    if a1.shape[1] * a2.shape[1] > min(a1.shape[0], b1.shape[1]):
        return _whole((a1 @ b1) * (a2 @ b2))
    up = (a1[:, :, None] * a2[:, None, :]).flatten(1)
    return (b1[:, None, :] * b2[None, :, :]).flatten(0, 1), up


def _whole(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A full matrix as two, one of which changes nothing."""
    rows, columns = weight.shape[0], weight[0].numel()
    if weight.ndim == 2 and rows <= columns:
        return weight, torch.eye(rows)
    flat = weight.reshape(rows, columns, *(1,) * (weight.ndim - 2))
    return torch.eye(columns).reshape(columns, *weight.shape[1:]), flat


def _nothing(module: Any, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Matrices that change nothing, beside a bias that does."""
    module = getattr(module, "base_layer", module)
    return torch.zeros(1, *module.weight.shape[1:]), torch.zeros(rows, 1, *(1,) * (module.weight.ndim - 2))


def _shaped(down: torch.Tensor, up: torch.Tensor, module: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """As the layer needs them: without the ones of a convolution, and for pictures beside the noise with zeros."""
    module = getattr(module, "base_layer", module)
    if isinstance(module, torch.nn.Linear) and down.ndim > 2 and down[0].numel() == down.shape[1]:
        return down.flatten(1), up.flatten(1)
    channels = getattr(module, "in_channels", 0)
    if down.ndim > 2 and down.shape[1] < channels:
        wide = down.new_zeros(down.shape[0], channels, *down.shape[2:])
        wide[:, : down.shape[1]] = down
        return wide, up
    return down, up


def _kronecker(change: Change, tensors: Weights) -> Weights:
    """The factors of a LoKr, with alpha in the second; two whole ones have none (LyCORIS, ai-toolkit)."""
    ranks = [tensors[role].shape[0] for role in ("lokr_w1_b", "lokr_w2_b") if role in tensors]
    scale = tensors["alpha"].item() / ranks[-1] if "alpha" in tensors and ranks else 1.0
    last = "lokr_w2" if "lokr_w2" in tensors else "lokr_w2_b"
    built = {role: tensor for role, tensor in tensors.items() if role.startswith("lokr")}
    built[last] = built[last] * scale
    return {f"{change.place.name}.{role}": tensor for role, tensor in built.items()}


def _with_all_biases(weights: Weights) -> Weights:
    """Peft gives every layer a bias or none."""
    ends = [key.removesuffix(".weight") for key in weights if key.endswith("lora_B.weight")]
    if not any(key.endswith("lora_B.bias") for key in weights):
        return weights
    none = {f"{end}.bias": torch.zeros(weights[f"{end}.weight"].shape[0]) for end in ends}
    return none | weights
