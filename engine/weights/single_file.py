"""Weights as one file, as ComfyUI and WanGP keep them: which part of a model a file can be, by its header alone."""

from __future__ import annotations

import re
from pathlib import Path

from engine.schema import FrozenModel
from engine.schema.card import SingleFileRule
from engine.schema.message import NOTHING, Message
from engine.weights import header, key_mappings

KINDS = (".safetensors", ".gguf")
REMEDY = Message("Choose another file; Rushes can download the model itself.")
PREFIX = "model.diffusion_model."  # before the transformer's names in a checkpoint that holds more
READABLE = {"F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"}
# Of GGUF files: what diffusers computes with (its quantizers/gguf/utils.py), and what gguf can bring back.
PACKED = {"F32", "F16", "BF16", "Q8_0", "Q5_0", "Q5_1", "Q4_0", "Q4_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K",
          "IQ4_NL", "IQ4_XS"}  # fmt: skip
UNPACKED = PACKED | {"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "TQ1_0", "TQ2_0", "MXFP4",
                     "NVFP4"}  # fmt: skip
SCALE = re.compile(r"\.(scale_weight|weight_scale)$")  # of the layer whose weight it stands beside
SCALES = re.compile(r"\.[a-z0-9_]*scales?(_[a-z0-9]+)?$")  # of any kind
NOTE = re.compile(r"(^|\.)(scaled_fp8|scale_input|input_scale|comfy_quant|spiece_model)$")  # nothing to load
LORA = re.compile(r"\.(lora_[AB]|lora_down|lora_up)\b")


class WeightFile(FrozenModel):
    """What a header says: shape and number format of each tensor, by the names that `key_mappings` gives them."""

    path: Path
    tensors: dict[str, tuple[tuple[int, ...], str]]

    @property
    def is_lora(self) -> bool:
        return any(LORA.search(name) for name in self.tensors)

    def prefix_of(self, rule: SingleFileRule) -> str:
        """What stands before a part's names here."""
        inside = f"{PREFIX}{next(iter(rule.holds))}" in self.tensors
        return rule.prefix or (PREFIX if inside else "")

    def is_part(self, rule: SingleFileRule) -> bool:
        """Whether its names and shapes are those of a part."""
        before = self.prefix_of(rule)
        nothing: tuple[tuple[int, ...], str] = ((), "")
        named = any(word in self.path.stem.casefold() for word in rule.named.split("|"))
        held = all(self.tensors.get(before + name, nothing)[0] == shape for name, shape in rule.holds.items())
        lacks = tuple(before + name for name in rule.lacks)
        return named and held and not any(name.startswith(lacks) for name in self.tensors if lacks)

    def is_scaled(self, prefix: str) -> bool:
        """Whether some weights under a prefix have a scale."""
        return any(SCALE.search(name) for name in self.tensors if name.startswith(prefix))

    def unreadable(self, prefix: str = "", reads: bool = False) -> Message:
        """Why Rushes does not read what is under a prefix; empty when it does. `reads`: as a text encoder."""
        readable = (UNPACKED if reads else PACKED) if header.is_gguf(self.path) else READABLE
        tensors = {name: tensor for name, tensor in self.tensors.items() if name.startswith(prefix)}
        if self.is_lora:
            return Message("it is a LoRA")
        # counters, word lists and the like are single numbers, or a row of them
        formats = {stored for shape, stored in tensors.values() if len(shape) > 1}
        if strange := sorted(formats - readable):
            return Message("its weights are stored as {formats}", formats=strange)
        if any(SCALES.search(name) and not NOTE.search(name) and not self._fits(name) for name in tensors):
            return Message("its weights are stored with scales of another kind")
        return NOTHING

    def _fits(self, scale: str) -> bool:
        """Whether a scale is one number for a layer of 8 bits, or one for each of its rows."""
        if not SCALE.search(scale):
            return False
        shape, stored = self.tensors.get(SCALE.sub(".weight", scale), ((), ""))
        rows = shape[:1]
        return stored.startswith("F8_") and self.tensors[scale][0] in ((), (1,), (1, 1), rows, (*rows, 1))


def read_header(path: Path) -> WeightFile:
    """Raises BadFile in one sentence when it is no weights file that can be read."""
    try:
        tensors, _ = header.read(path)
    except header.DAMAGE as error:
        raise header.refusal(path, error, REMEDY) from error
    names = key_mappings.plain((name for name, _, _ in tensors), packed=header.is_gguf(path))
    # quanto, whose files WanGP has, puts the numbers of a weight under it
    seen = {names[name].removesuffix("._data"): (shape, stored) for name, shape, stored in tensors}
    return WeightFile(path=path, tensors=seen)
