"""Weights from a single file, GGUF or safetensors, with the config of the model that they belong to.

The file is GGUF in the part's own folder, or one that another program keeps: the model's record says where, and it is
read there. Without the config diffusers guesses by the tensors' names, which takes Wan 2.2 5B for another model.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from accelerate import dispatch_model, init_empty_weights
from diffusers import GGUFQuantizationConfig
from diffusers.loaders.single_file_model import SINGLE_FILE_LOADABLE_CLASSES, _get_single_file_loadable_mapping_class
from diffusers.models.model_loading_utils import load_model_dict_into_meta
from diffusers.quantizers import DiffusersAutoQuantizer
from gguf import GGUFReader, dequantize
from safetensors import SafetensorError, safe_open
from transformers import PreTrainedModel

from engine.schema.errors import ModelProblem
from engine.schema.manifest import Borrowed, read_record
from engine.schema.message import Message
from engine.weights import header, key_mappings
from engine.weights.single_file import NOTE, SCALE
from engine.worker.loading.weight_cache import built_in

DAMAGE = (
    OSError, ValueError, LookupError, ArithmeticError, TypeError, AttributeError, RuntimeError, MemoryError,
    SafetensorError,
)  # fmt: skip
EIGHT_BITS = (torch.float8_e4m3fn, torch.float8_e5m2)
LOOKED_FOR = {"AutoencoderKLLTXVideo": "vae."}  # by diffusers' converter, before every name
Tensors = dict[str, torch.Tensor]


def borrowed(folder: Path) -> dict[str, Borrowed]:
    """The files of another program that parts of a model are read from. Raises ModelProblem when one is another now."""
    record = read_record(folder)
    found = record.borrowed if record else ()
    for one in found:
        if not one.there:
            raise ModelProblem(
                Message(
                    "{file} of another program, from which '{folder}' is read, is gone or changed.",
                    file=Path(one.path).name,
                    folder=folder.name,
                ),
                Message("Put it back, or remove the model and install it again."),
            )
    return {one.part: one for one in found}


def files(folder: Path) -> dict[str, Path]:
    """The parts of a model whose weights come as a single file, and where that is. Raises ModelProblem."""
    own = {path.parent.name: path for path in sorted(folder.glob("*/*.gguf"))}
    return own | {part: Path(one.path) for part, one in borrowed(folder).items()}


def load(folder: Path, parts: dict[str, Any], dtype: torch.dtype, quantizing: dict[str, Any]) -> dict[str, Any]:
    """Parts, given by their classes, from their single files. Raises ModelProblem.

    `quantizing`: by which config of its library the weights of a part are made smaller on the way.
    """
    there, lent = files(folder), borrowed(folder)
    return {
        name: _part(folder / name, kind, lent.get(name) or there[name], dtype, quantizing.get(name))
        for name, kind in parts.items()
    }


def _part(folder: Path, kind: Any, source: Borrowed | Path, dtype: torch.dtype, quantizing: Any) -> Any:
    path = Path(source.path) if isinstance(source, Borrowed) else source
    try:
        reads = issubclass(kind, PreTrainedModel)
        if header.is_gguf(path) and not reads:
            part = _packed(folder, kind, path, dtype)
        elif reads and header.is_gguf(path):
            part = _reads(folder, kind, _unpacked(path, dtype), dtype, quantizing)
        else:
            tensors = _tensors(path, source.prefix if isinstance(source, Borrowed) else "", dtype)
            load_tensors = _reads if reads else _draws
            part = load_tensors(folder, kind, tensors, dtype, quantizing)
        missing = [key for key, tensor in part.named_parameters() if tensor.is_meta]  # diffusers says nothing of them
        if missing:
            raise ValueError(f"{len(missing)} weights are missing, such as {missing[0]}")
    except DAMAGE as error:
        raise ModelProblem(
            Message("The weights in {file} are not those of this model.", file=path.name),
            Message("Install the model again, or correct the name of the file in its card."),
            str(error),
        ) from error
    return part


def _tensors(path: Path, prefix: str, dtype: torch.dtype) -> Tensors:
    """The tensors of one part of a file, those of 8 bits in `dtype`, each multiplied by its scale where it has one."""
    with safe_open(str(path), framework="pt") as file:
        names = [name for name in file.keys() if name.startswith(prefix) and not NOTE.search(name)]  # noqa: SIM118
        found = {name.removeprefix(prefix): file.get_tensor(name) for name in names}
    scales = {SCALE.sub(".weight", name): found.pop(name) for name in list(found) if SCALE.search(name)}
    plain = key_mappings.plain(found)
    return {plain[name]: _wide(tensor, scales.get(name), dtype) for name, tensor in found.items()}


def _unpacked(path: Path, dtype: torch.dtype) -> Tensors:
    """The tensors of a GGUF file, brought back from their blocks."""
    tensors = GGUFReader(str(path)).tensors
    names = key_mappings.plain((one.name for one in tensors), packed=True)
    return {names[one.name]: torch.tensor(dequantize(one.data, one.tensor_type), dtype=dtype) for one in tensors}


def _wide(tensor: torch.Tensor, scale: torch.Tensor | None, dtype: torch.dtype) -> torch.Tensor:
    if tensor.dtype not in EIGHT_BITS:
        return tensor
    if scale is None:
        return tensor.to(dtype)
    by_row = scale.float().reshape(-1, *[1] * (tensor.ndim - 1))  # one number, or one a row
    return (tensor.float() * by_row).to(dtype)


def _packed(folder: Path, kind: Any, path: Path, dtype: torch.dtype) -> Any:
    if not hasattr(kind, "from_single_file"):
        raise ModelProblem(
            Message("Models of the kind {name__} cannot be read from a single file.", name__=kind.__name__),
            Message("Choose another version."),
        )
    config = GGUFQuantizationConfig(compute_dtype=dtype)
    with _lower_ending(path) as named:
        return kind.from_single_file(
            str(named), config=str(folder.parent), subfolder=folder.name, dtype=dtype, quantization_config=config,
            local_files_only=True,
        )  # fmt: skip


@contextlib.contextmanager
def _lower_ending(path: Path) -> Iterator[Path]:
    """The file by a name that diffusers knows the kind of; `X.GGUF` it would take for a pickle."""
    lower = path.with_suffix(path.suffix.lower())
    if lower == path or (lower.exists() and lower.samefile(path)):  # disks that see no difference
        yield lower
        return
    with tempfile.TemporaryDirectory(prefix="rushes-") as folder:
        link = Path(folder) / lower.name
        link.symlink_to(path.resolve())
        yield link


def _reads(folder: Path, kind: Any, tensors: Tensors, dtype: torch.dtype, quantizing: Any) -> Any:
    """A text or image encoder."""
    config = kind.config_class.from_pretrained(str(folder), local_files_only=True)
    part, told = kind.from_pretrained(
        None, config=config, state_dict=tensors, dtype=dtype, quantization_config=quantizing, output_loading_info=True,
        local_files_only=True,
    )  # fmt: skip
    if lost := [*told["missing_keys"], *told["mismatched_keys"]]:  # which transformers would draw at random
        raise ValueError(f"{len(lost)} weights are missing, such as {lost[0]}")
    return part


def _draws(folder: Path, kind: Any, tensors: Tensors, dtype: torch.dtype, quantizing: Any) -> Any:
    """A transformer or a VAE, loaded as `from_pretrained` would.

    `from_single_file` rounds what is to stay in float32, and takes every file that is to be made smaller for one that
    was made smaller already.
    """
    settings = kind.load_config(str(folder), local_files_only=True)
    with built_in(dtype), init_empty_weights():
        part = kind.from_config(settings)
    named = _converted(kind, tensors, settings, part)
    quantizer = DiffusersAutoQuantizer.from_config(quantizing, pre_quantized=False) if quantizing else None
    kept = (kind._keep_in_fp32_modules or []) if _keeps(quantizer) else []
    where = {"": "cpu"}
    if quantizer:
        quantizer.validate_environment(torch_dtype=dtype, device_map=None)
        where = quantizer.update_device_map(None)
        quantizer.preprocess_model(model=part, device_map=where, keep_in_fp32_modules=list(kept))
    load_model_dict_into_meta(
        part, named, dtype=dtype, device_map=where, hf_quantizer=quantizer, keep_in_fp32_modules=kept
    )
    if quantizer:
        dispatch_model(part, device_map=where)
        quantizer.postprocess_model(part)
        part.hf_quantizer = quantizer
    return part.eval()


def _keeps(quantizer: Any) -> bool:
    return quantizer is None or getattr(quantizer, "use_keep_in_fp32_modules", False)


def _converted(kind: Any, tensors: Tensors, settings: Any, part: torch.nn.Module) -> Tensors:
    """The tensors by diffusers' own names."""
    known = _get_single_file_loadable_mapping_class(kind)
    if known is None or part.state_dict().keys() <= tensors.keys():
        return tensors
    before = LOOKED_FOR.get(known, "")
    convert = SINGLE_FILE_LOADABLE_CLASSES[known]["checkpoint_mapping_fn"]
    found: Tensors = convert(checkpoint={before + name: tensor for name, tensor in tensors.items()}, config=settings)
    return found
