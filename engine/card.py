"""One model, as presets/models/<id>.toml says it. A new model of a known family is one such file and no code.

Sizes are in pixels, component sizes in GB (10^9 bytes) and billions of parameters.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.types import Aspect, Noun, Size


class Licence(Noun):
    """`commercial_use`: may a finished clip be sold? With conditions, `conditions` names them."""

    name: str
    url: str = ""
    commercial_use: Literal["yes", "with conditions", "no"]
    conditions: str = ""

    @property
    def line(self) -> str:
        conditions = f" ({self.conditions})" if self.conditions else ""
        return f"{self.name}: commercial use {self.commercial_use}{conditions}"


class Component(Noun):
    """One part of the model on disk."""

    size_gb: Annotated[float, Field(ge=0)]
    params_b: Annotated[float, Field(ge=0)] = 0.0


class SizeRule(Noun):
    """Width and height are multiples of `multiple`, each between `minimum` and `maximum` pixels."""

    multiple: Annotated[int, Field(ge=1)]
    minimum: Annotated[int, Field(ge=1)]
    maximum: int


class FrameRule(Noun):
    """Legal frame counts are `step` x k + 1, from `minimum` to `maximum`, shown at `fps` frames a second."""

    step: Annotated[int, Field(ge=1)]
    minimum: Annotated[int, Field(ge=1)]
    maximum: int
    default: int
    fps: Annotated[int, Field(ge=1, le=120)]


class PassRule(Noun):
    """How one stage of this model is sampled unless the person says otherwise."""

    sizes: dict[Aspect, Size]
    num_inference_steps: Annotated[int, Field(ge=1, le=200)]
    guidance_scale: Annotated[float, Field(ge=0, le=30)]
    flow_shift: Annotated[float, Field(gt=0, le=30)]


class SigmaRule(Noun):
    """Where a render starts on its take: the range of the dial, 0 = the take itself, 1 = pure noise."""

    close: Annotated[float, Field(gt=0, lt=1)]
    default: Annotated[float, Field(gt=0, lt=1)]
    detail: Annotated[float, Field(gt=0, le=1)]


class LatentRule(Noun):
    """The latent grid a forecast counts operations on: strides of the VAE and patch of the transformer."""

    stride_frames: int
    stride_pixels: int
    patch_pixels: int = 1
    layers: int
    width: int
    vae_flops_per_pixel: float


class PromptRule(Noun):
    """`words`: every word the model was trained on; empty for a model of the open world."""

    max_tokens: int
    negative: bool
    style: str = ""
    words: tuple[str, ...] = ()


class ModelCard(Noun):
    """One model. `folder` is where it lies below a models root; `repo` is empty for a model that ships with the app."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    name: str
    summary: str
    family: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    repo: str = ""
    revision: str | None = None
    inputs: tuple[Literal["text", "image", "last_image", "video", "audio", "mask", "references"], ...]
    licence: Licence
    components: dict[str, Component]
    size: SizeRule
    frames: FrameRule
    latent: LatentRule
    prompt: PromptRule
    take: PassRule
    render: PassRule
    sigma: SigmaRule

    @property
    def size_gb(self) -> float:
        return sum(component.size_gb for component in self.components.values())
