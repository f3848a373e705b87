"""How a loaded model lies in memory: number formats, offloading, tiling. What the planner chose, done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import PipelineQuantizationConfig
from diffusers.hooks.layerwise_casting import DEFAULT_SKIP_MODULES_PATTERN, apply_layerwise_casting

from engine.types import Placement

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
LARGE = ("transformer", "transformer_2", "text_encoder", "text_encoder_2")  # the parts that take a smaller format


def quantization(parts: dict[str, Any], placement: Placement) -> PipelineQuantizationConfig | None:
    """bitsandbytes for the parts, given by their classes; None for formats that need none while loading."""
    if placement.precision not in ("int8", "nf4") or not parts:
        return None
    libraries = {name: diffusers if issubclass(kind, diffusers.ModelMixin) else transformers
                 for name, kind in parts.items()}  # fmt: skip
    return PipelineQuantizationConfig(quant_mapping={name: _bits(lib, placement) for name, lib in libraries.items()})


def large_parts(folder: Path) -> dict[str, Any]:
    """The classes of the parts that take a smaller format, by their names in a model's folder."""
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    libraries = {"diffusers": diffusers, "transformers": transformers}
    named = {name: index.get(name) or [None, None] for name in LARGE}
    return {name: getattr(libraries[lib], kind) for name, (lib, kind) in named.items() if lib in libraries}


def _bits(library: Any, placement: Placement) -> Any:
    """Both libraries have a BitsAndBytesConfig, and each wants its own."""
    if placement.precision == "int8":
        return library.BitsAndBytesConfig(load_in_8bit=True)
    return library.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=DTYPES[placement.dtype]
    )


def settle(pipe: Any, placement: Placement) -> None:
    """Bring a freshly loaded pipeline to where the plan wants it."""
    if placement.vae_tiling and pipe.vae:
        pipe.vae.enable_tiling()
    if placement.vae_slicing and pipe.vae:
        pipe.vae.enable_slicing()
    match placement.offload:
        case "resident":
            pipe.to(placement.device)
        case "model":
            pipe.enable_model_cpu_offload(device=placement.device)
        case "group":
            on_cuda = placement.device.startswith("cuda")  # streams, which hide the transfers, are CUDA's
            # The VAE stays on the card: streams learn the order of its layers from the first clip, and tiles change it.
            pipe.enable_group_offload(
                onload_device=torch.device(placement.device), offload_type="leaf_level", use_stream=on_cuda,
                record_stream=on_cuda, non_blocking=on_cuda, low_cpu_mem_usage=not placement.pin_memory,
                exclude_modules=["vae"],
            )  # fmt: skip


def store_small(pipe: Any, dtype: torch.dtype) -> None:
    """Keep the weights of the large parts in fp8 and compute in `dtype`, layer by layer.

    Left alone in a text encoder: embeddings, whose format its pipeline takes for the format of the whole; an output
    layer that shares their weights; and T5's `wo`, whose input is brought to the format that its weights are stored in.
    """
    for name in LARGE:
        part = getattr(pipe, name, None)
        if part is None:
            continue
        if name.startswith("transformer"):
            part.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=dtype)
        else:
            apply_layerwise_casting(
                part, torch.float8_e4m3fn, dtype, skip_modules_classes=(torch.nn.Embedding,),
                skip_modules_pattern=(*DEFAULT_SKIP_MODULES_PATTERN, r"\bwo$", "lm_head"),
            )  # fmt: skip
