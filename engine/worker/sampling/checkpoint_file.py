"""Where a run of the sampler stands after a step, on disk: with it, the run goes on to exactly the result it would have
had. Tensors and numbers only, in one safetensors file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.durable_files import written
from engine.worker.families.family import Latents


@dataclass(frozen=True)
class State:
    """After `step` steps. `latents`: as the pipeline's loop has them; `history`: the scheduler's; `between`: what the
    loop hands from one step to the next; `before`, `after`: the generator when the pipeline was called, and now."""

    step: int
    latents: Latents
    history: dict[str, Any]
    between: dict[str, Any]
    before: torch.Tensor
    after: torch.Tensor


def history(scheduler: Any) -> dict[str, Any]:
    """What a scheduler remembers of the steps behind it: nothing, unless it is one of several steps, such as UniPC."""
    if not remembers(scheduler):
        return {}
    anew = ("timesteps", "sigmas")  # set for the whole run when it goes on
    return {name: value for name, value in vars(scheduler).items() if name not in anew and _plain(value)}


def remembers(scheduler: Any) -> bool:
    return hasattr(scheduler, "model_outputs")


def _plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_plain(part) for part in value)
    return value is None or isinstance(value, bool | int | float | str | torch.Tensor)


def save(state: State, key: str, path: Path) -> None:
    """The file is whole or not there, also after a power cut. `key` names what is being computed."""
    tensors: Latents = {f"latents.{name}": part.detach().cpu() for name, part in state.latents.items()}
    tensors |= {"before": state.before, "after": state.after}
    kept = _packed({"history": state.history, "between": state.between}, tensors)
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}  # dense, in the order that they have
    strides = {name: tensor.stride() for name, tensor in tensors.items() if not tensor.is_contiguous()}
    words = json.dumps({"key": key, "step": state.step, "strides": strides} | kept)
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    with written(path, lasting=True) as part:
        save_file(tensors, part, {"state": words})


def load(path: Path, key: str) -> State | None:
    """The state of this very computation; None where there is none, or none that can be read."""
    try:
        with safe_open(str(path), framework="pt") as file:
            words = json.loads(file.metadata()["state"])
            strides = words["strides"]
            tensors = {name: _copied(file.get_tensor(name), strides.get(name)) for name in file.keys()}  # noqa: SIM118
        if words["key"] != key or not all(bool(torch.isfinite(part).all()) for part in tensors.values()):
            return None
        latents = {name.removeprefix("latents."): part for name, part in tensors.items() if name.startswith("latents.")}
        history, between = (
            {name: _unpacked(value, tensors) for name, value in words[kept].items()} for kept in ("history", "between")
        )
        return State(int(words["step"]), latents, history, between, tensors["before"], tensors["after"])
    except (OSError, SafetensorError, LookupError, TypeError, ValueError):
        return None


def _copied(tensor: torch.Tensor, strides: list[int] | None) -> torch.Tensor:
    """In the order it had in memory, at an address of its own: kernels round by strides and by alignment."""
    return torch.empty_strided(tensor.shape, strides or tensor.stride(), dtype=tensor.dtype).copy_(tensor)


def _packed(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """The value as JSON, its tensors named and put aside."""
    if isinstance(value, torch.Tensor):
        name = f"part.{len(tensors)}"
        tensors[name] = value.detach().cpu()
        return {"tensor": name, "device": value.device.type}
    if isinstance(value, dict):
        return {name: _packed(part, tensors) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(part, tensors) for part in value]
    return value


def _unpacked(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, dict):
        return tensors[value["tensor"]].to(value["device"])
    if isinstance(value, list):
        return [_unpacked(part, tensors) for part in value]
    return value
