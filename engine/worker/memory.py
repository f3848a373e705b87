"""How a loaded model lies in memory: number formats, offloading, tiling. What the planner chose, done."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import PipelineQuantizationConfig
from diffusers.hooks.layerwise_casting import DEFAULT_SKIP_MODULES_PATTERN, apply_layerwise_casting

from engine.types import Placement, Precision

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
LARGE = ("transformer", "transformer_2", "text_encoder", "text_encoder_2")  # the parts that take a smaller format


def quantization(parts: dict[str, Any], placement: Placement) -> PipelineQuantizationConfig | None:
    """bitsandbytes for the parts, given by their classes; None for formats that need none while loading."""
    libraries = {name: diffusers if issubclass(kind, diffusers.ModelMixin) else transformers
                 for name, kind in parts.items() if placement.precision_of(name) in ("int8", "nf4")}  # fmt: skip
    bits = {name: _bits(library, placement.precision_of(name), placement) for name, library in libraries.items()}
    return PipelineQuantizationConfig(quant_mapping=bits) if bits else None


def classes(folder: Path, names: Iterable[str] = LARGE) -> dict[str, Any]:
    """The classes of the parts of these names, as a model's folder has them."""
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    libraries = {"diffusers": diffusers, "transformers": transformers}
    named = {name: index.get(name) or [None, None] for name in names}
    return {name: getattr(libraries[lib], kind) for name, (lib, kind) in named.items() if lib in libraries}


def _bits(library: Any, precision: Precision, placement: Placement) -> Any:
    """Both libraries have a BitsAndBytesConfig, and each wants its own."""
    if precision == "int8":
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


def compile_blocks(pipe: Any, placement: Placement) -> None:
    """Have the repeated blocks of the transformers compiled when they first run; what cannot be, runs as it is."""
    if not (placement.compiled and placement.whole):  # the ladder may have moved the weights since
        return
    torch._dynamo.config.suppress_errors = True
    for name in ("transformer", "transformer_2"):
        part = getattr(pipe, name, None)
        if part is not None:
            part.compile_repeated_blocks()


def attend(pipe: Any, placement: Placement) -> None:
    """Switch the transformers to the placement's way through the attention, whatever the shell set it to."""
    for name in ("transformer", "transformer_2"):
        part = getattr(pipe, name, None)
        if part is not None:
            part.set_attention_backend(placement.attention)


def store_small(pipe: Any, placement: Placement) -> None:
    """Keep the weights of the parts whose format is fp8 in it, and compute in the placement's, layer by layer.

    Left alone in a text encoder: embeddings, whose format its pipeline takes for the format of the whole; an output
    layer that shares their weights; and T5's `wo`, whose input is brought to the format that its weights are stored in.
    """
    dtype = DTYPES[placement.dtype]
    for name in LARGE:
        part = getattr(pipe, name, None)
        if part is None or placement.precision_of(name) != "fp8":
            continue
        if name.startswith("transformer"):
            part.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=dtype)
        else:
            apply_layerwise_casting(
                part, torch.float8_e4m3fn, dtype, skip_modules_classes=(torch.nn.Embedding,),
                skip_modules_pattern=(*DEFAULT_SKIP_MODULES_PATTERN, r"\bwo$", "lm_head"),
            )  # fmt: skip
