"""Tiny LoRAs of rank 4, made by peft on a transformer and saved in the names of diffusers, with their settings."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import DiffusionPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

QUERIES = r".*blocks\.\d+\.(attn\d?\.(to_q|to_v)|self_attention\.to_(query|value))"


def make(
    model: Path, file: Path, seed: int = 1, notes: dict[str, str] | None = None, part: str = "transformer"
) -> Path:
    """A LoRA for a transformer of the checkpoint `model`, random and strong enough to be seen."""
    kind = DiffusionPipeline.from_pretrained(model, local_files_only=True).components[part]
    torch.manual_seed(seed)
    kind.add_adapter(LoraConfig(r=4, lora_alpha=8, target_modules=QUERIES, init_lora_weights=False))
    weights = {f"transformer.{name}": tensor for name, tensor in get_peft_model_state_dict(kind).items()}
    settings = {f"transformer.{name}": value for name, value in kind.peft_config["default"].to_dict().items()}
    told = {"format": "pt", "lora_adapter_metadata": json.dumps(settings, default=list)} | (notes or {})
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, file, metadata=told)
    return file


def renamed(file: Path, out: Path, names: dict[str, str]) -> Path:
    """The same LoRA with parts of its names replaced, its settings left behind."""
    weights = load_file(file)
    for old, new in names.items():
        weights = {name.replace(old, new): tensor for name, tensor in weights.items()}
    save_file(weights, out)
    return out
