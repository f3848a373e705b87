"""Where a model runs and how it lies in memory."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from engine.schema.frozen_model import Attention, DeviceKind, Dtype, FrozenModel, Offload, Precision, Readers
from engine.schema.machine import OF_KIND, Capabilities, with_kind

BYTES: dict[str, float] = {"float32": 4, "bfloat16": 2, "float16": 2, "fp8": 1.05, "int8": 1.05, "nf4": 0.56}


ANEW = {
    "vae_tiling": False,
    "vae_slicing": False,
    "vae_on_cpu": False,
    "text_encoder": "resident",
    "attention": "native",
    "layer_by_layer": False,
    "compiled": False,
}


class Placement(FrozenModel):
    """Where the model runs and how it lies in memory.

    `kind`: of the device. `dtype`: what it computes in. `precision`: how the weights of its large parts are stored,
    "full" meaning in `dtype`, "gguf" as the model's file has them; `text_precision`: those of the text encoder, where
    they differ. `offload`: whole on the device, one part at a time, or streamed from RAM block by block, out of
    page-locked memory where `pin_memory`, but for the last blocks of each transformer, of `resident_gb` together, which
    stay on the device. The VAE works on a few frames at a time (`vae_slicing`), in tiles, or on the
    CPU. `text_encoder`: kept for new words, with the rest or in RAM beside a model that is whole on the device,
    or dropped once they are read. `attention`: the way that the transformer
    takes through it, by diffusers' name. `compiled`: the blocks of the transformer, before they run.
    `layer_by_layer`: how weights are made smaller while loading, where a whole part of them has no room on the card.
    """

    device: str
    kind: DeviceKind
    dtype: Dtype
    precision: Precision = "full"
    text_precision: Precision | None = None
    offload: Offload = "resident"
    pin_memory: bool = False
    resident_gb: float = 0.0
    vae_tiling: bool = False
    vae_slicing: bool = False
    vae_on_cpu: bool = False
    text_encoder: Readers = "resident"
    attention: Attention = "native"
    compiled: bool = False
    layer_by_layer: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_before_kinds(cls, fields: Any) -> Any:
        return with_kind(fields, "device")

    @property
    def capabilities(self) -> Capabilities:
        """Of its device, as far as its kind tells."""
        return OF_KIND[self.kind]

    def precision_of(self, part: str) -> Precision:
        """How the weights of a component are stored: only transformers and text encoders are ever made smaller."""
        if part.startswith("text_encoder"):
            return self.text_precision or self.precision
        return self.precision if part.startswith("transformer") else "full"

    @property
    def whole(self) -> bool:
        """All weights lie on the device, as they are computed with."""
        return self.offload == "resident" and self.precision == "full"

    @property
    def bits(self) -> bool:
        """Whether bitsandbytes makes any part smaller, which it does on the device."""
        return bool({self.precision, self.text_precision} & {"int8", "nf4"})

    @property
    def reader_may_wait(self) -> bool:
        """Whether a text encoder on the device could wait in RAM beside the rest; 8 bits cannot be streamed."""
        beside = self.offload == "resident" and self.text_encoder == "resident" and self.kind not in ("cpu", "mps")
        return beside and self.precision_of("text_encoder") != "int8"

    @property
    def lasting(self) -> Placement:
        """What of it a loaded model keeps; the rest is set anew for each job."""
        return self.but(**ANEW)
