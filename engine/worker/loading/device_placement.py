"""How a loaded model lies in memory: number formats, offloading, tiling. What the planner chose, done."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers.hooks.layerwise_casting import DEFAULT_SKIP_MODULES_PATTERN, apply_layerwise_casting

from engine.schema import Placement, Precision
from engine.worker import attention
from engine.worker.loading.streaming import stream

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
LARGE = ("transformer", "transformer_2", "text_encoder", "text_encoder_2")  # the parts that take a smaller format


def quantization(parts: dict[str, Any], placement: Placement) -> dict[str, Any]:
    """By which config bitsandbytes makes those of the parts smaller whose format is its own."""
    libraries = {name: diffusers if issubclass(kind, diffusers.ModelMixin) else transformers
                 for name, kind in parts.items() if placement.precision_of(name) in ("int8", "nf4")}  # fmt: skip
    return {name: _bits(library, placement.precision_of(name), placement) for name, library in libraries.items()}


def shrunk_by_layer(part: Any, how: Any, placement: Placement) -> Any:
    """A part that was loaded whole into RAM, made smaller one layer after another: only that is on the card meanwhile.

    The numbers are those that the part would have had, made smaller as a whole.
    """
    from bitsandbytes.nn.modules import Int8Params, Linear4bit, Linear8bitLt, Params4bit

    left_alone = (*tuple(getattr(part, "_keep_in_fp32_modules", None) or ()), "lm_head")
    for name, layer in list(part.named_modules()):
        if type(layer) is not torch.nn.Linear or any(word in name.split(".") for word in left_alone):
            continue
        size, bias, weight = (layer.in_features, layer.out_features), layer.bias is not None, layer.weight.data
        made: Any
        with torch.device("meta"):
            if how.load_in_4bit:
                made = Linear4bit(*size, bias, how.bnb_4bit_compute_dtype, how.bnb_4bit_use_double_quant, "nf4")
            else:
                made = Linear8bitLt(*size, bias, has_fp16_weights=False, threshold=how.llm_int8_threshold)
        made.weight = (
            Params4bit(weight, requires_grad=False, quant_type="nf4",
                       compress_statistics=how.bnb_4bit_use_double_quant) if how.load_in_4bit
            else Int8Params(weight, requires_grad=False, has_fp16_weights=False)
        )  # fmt: skip
        made.bias = layer.bias
        made.to(placement.device).to("cpu")
        part.set_submodule(name, made)
    part.is_loaded_in_4bit, part.is_loaded_in_8bit = how.load_in_4bit, how.load_in_8bit
    part.config.quantization_config = how
    return part


def goes_straight(name: str, placement: Placement) -> bool:
    """Whether a part that stays on the card is read from the disk to there: RAM need not hold it whole."""
    return name.startswith("transformer") or placement.text_encoder == "resident"


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
    if placement.kind == "mps":
        without_float64(pipe)
    match placement.offload:
        case "resident" if only_reads(pipe) and placement.text_encoder != "resident" and placement.kind != "cpu":
            stream_parts(pipe, placement)  # beside what draws, which need not make room
        case "resident":
            pipe.to(placement.device)
        case "model":
            pipe.enable_model_cpu_offload(device=placement.device)
        case "group":
            stream_parts(pipe, placement)


def without_float64(pipe: Any) -> None:
    """Metal has no 64-bit floats, in which LTX-2 computes its positions unless told otherwise."""
    for part in pipe.components.values():
        for layer in part.modules() if isinstance(part, torch.nn.Module) else ():
            if getattr(layer, "double_precision", False):
                layer.double_precision = False  # type: ignore[assignment]


def only_reads(pipe: Any) -> bool:
    """Whether it is the half of a model that reads the words."""
    return getattr(pipe, "transformer", None) is None


def stream_parts(pipe: Any, placement: Placement) -> None:
    """The VAE stays on the card: streams learn the order of its layers from the first clip, and tiles change it."""
    for name, part in pipe.components.items():
        if name == "vae" and part is not None:
            part.to(placement.device)
        elif isinstance(part, torch.nn.Module):
            stream(part, placement, placement.resident_gb if name.startswith("transformer") else 0.0)


def compile_blocks(pipe: Any, placement: Placement) -> None:
    """Have the repeated blocks of the transformers compiled when they first run; what cannot be, runs as it is."""
    if not (placement.compiled and placement.whole):  # the ladder may have moved the weights since
        return
    torch._dynamo.config.suppress_errors = True
    for part in _transformers(pipe):
        if not _is_compiled(part):
            part.compile_repeated_blocks()


def as_they_are(pipe: Any, placement: Placement) -> AbstractContextManager[Any]:
    """Blocks that were compiled for another job run as they are, where this one is to be drawn so."""
    if placement.compiled or not any(map(_is_compiled, _transformers(pipe))):
        return nullcontext()
    return torch.compiler.set_stance("force_eager")


def _transformers(pipe: Any) -> list[Any]:
    parts = (getattr(pipe, name, None) for name in ("transformer", "transformer_2"))
    return [part for part in parts if part is not None]


def _is_compiled(part: torch.nn.Module) -> bool:
    return any(getattr(module, "_compiled_call_impl", None) for module in part.modules())


def attend(pipe: Any, placement: Placement) -> None:
    """Switch the transformers to the placement's way through the attention, whatever the shell set it to."""
    for part in _transformers(pipe):
        width = getattr(part.config, "attention_head_dim", 128)
        attention.check(placement.attention, placement.device, DTYPES[placement.dtype], width)
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
