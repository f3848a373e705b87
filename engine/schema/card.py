"""One model, as presets/models/<id>.toml says it. A new model of a known family is one such file and no code.

Sizes are in pixels, component sizes in GB (10^9 bytes) and billions of parameters.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from engine.schema import Argument, Aspect, FrozenModel, LatentUpsampler, MediaRole, Size
from engine.schema.legal_sizes import FrameRule, SizeRule
from engine.schema.message import Message
from engine.schema.shot import RECORDED


class SingleFileRule(FrozenModel):
    """How one part's weights look in a single file, by the names that `key_mappings` gives them.

    `holds`: tensors that it has, with their shapes; `lacks`: beginnings of names that only other models have. `named`:
    what its file's name must contain (this|or that), where another model's weights look the same. `prefix`: what stands
    before the part's names, where it lies in one file with the transformer.
    """

    holds: dict[str, tuple[int, ...]]
    lacks: tuple[str, ...] = ()
    named: str = ""
    prefix: str = ""


class LatentRule(FrozenModel):
    """The latent grid a forecast counts operations on: strides of the VAE and patch of the transformer.

    `section`: how many latent frames a call of the transformer draws, where it draws a clip section by section.
    `masked`: whether its own tokens attend through a mask. `vae_flops_per_pixel`: what decoding computes for each pixel
    of the clip; encoding takes about as much again.
    """

    stride_frames: int
    stride_pixels: int
    patch_pixels: int = 1
    layers: int
    width: int
    vae_flops_per_pixel: float
    section: int | None = None
    masked: bool = False


Figure = Annotated[float, Field(ge=0)]


class Curve(FrozenModel):
    """A figure that grows with the tokens: fixed + linear x + square x^2, x in thousands of tokens."""

    fixed: Figure = 0.0
    linear: Figure = 0.0
    square: Figure = 0.0

    def at(self, kilotokens: float) -> float:
        return self.fixed + self.linear * kilotokens + self.square * kilotokens**2


class Surface(FrozenModel):
    """A figure that grows with the size of a frame and of the whole clip, both in millions of pixels, and with the
    number of frames (that of a tile, whose size is fixed). It is never below `least`, that of the smallest clip, where
    a copy of the largest weights is all that counts."""

    fixed: Figure = 0.0
    frame: Figure = 0.0
    clip: Figure = 0.0
    frames: Figure = 0.0
    least: Figure = 0.0

    def at(self, frame_mp: float, num_frames: int) -> float:
        grown = self.frame * frame_mp + self.clip * frame_mp * num_frames + self.frames * num_frames
        return max(self.least, self.fixed + grown)


class Traced(FrozenModel):
    """What the real architecture takes, traced on fake tensors by benchmarks/trace_cards.py and fitted.

    `call_tflop`: 10^12 operations of one call of the transformer for one prompt; `call_gb`: what its `kernels` read and
    write outside products of matrices, `vae_bytes_per_pixel`: those of decoding, both in a 2-byte format. The memory is
    GB at the peak beside the weights, in a 2-byte format: of that call, of decoding whole, and of decoding in tiles;
    `encode_share`: the peak of encoding, of that of decoding.
    `error`: how far the worst traced point lies from these formulas.
    """

    call_tflop: Curve
    call_gb: Curve = Curve()
    kernels: int = 0
    vae_bytes_per_pixel: Figure = 0.0
    denoise_gb: Curve
    decode_gb: Surface
    encode_share: Annotated[float, Field(ge=0.1, le=10)] = 1.0
    tiled_gb: Surface
    error: Figure


# ---- the card ----

Input = Literal["text", "audio"] | MediaRole


class Licence(FrozenModel):
    """May I use it here, may I sell the clip? With conditions, `conditions` names them in a sentence.

    `excluded`: countries and regions whose people get no licence at all.
    """

    name: str
    url: str = ""
    commercial_use: Literal["yes", "with conditions", "no"]
    conditions: str = ""
    excluded: tuple[str, ...] = ()

    @property
    def line(self) -> Message:
        if self.commercial_use == "yes":
            return Message("{licence}: commercial use yes", licence=self.name)
        if self.commercial_use == "no":
            return Message("{licence}: commercial use no", licence=self.name)
        conditions, places = Message.known(self.conditions), [Message.known(place) for place in self.excluded]
        if not places:
            return Message(
                "{licence}: commercial use with conditions ({conditions})", licence=self.name, conditions=conditions
            )
        return Message(
            "{licence}: commercial use with conditions ({conditions}); not licensed in {places}",
            licence=self.name,
            conditions=conditions,
            places=places,
        )


class Component(FrozenModel):
    """One part of the model on disk.

    `gguf`: the one file that holds this part's weights, in `repo`; its config is still the model's own.
    `repo`: the hub repository it comes from when that is not the model's own; `folder`: where it lies there ("" is the
    top). `files`: the names to take there (such as "*Q4_K_M.gguf"); empty: its safetensors, configs and vocabulary.
    `optional`: the model runs without it too, so nothing fails where it cannot be had.
    """

    size_gb: Annotated[float, Field(ge=0)]
    params_b: Annotated[float, Field(ge=0)] = 0.0
    repo: str = ""
    revision: str | None = None
    folder: str = ""
    files: tuple[str, ...] = ()
    optional: bool = False
    gguf: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,120}\.gguf)?$")] = ""


class PassRule(FrozenModel):
    """How one stage of this model is sampled unless the person says otherwise.

    `arguments`: what this model's pipeline call takes beyond what every pipeline takes, by diffusers' names.
    `sigmas`: the noise levels of a model distilled for exactly these steps; `flow_shift` then serves other step counts.
    `forwards`: calls of the transformer a step, where that is not two with guidance above 1 and one without.
    """

    sizes: dict[Aspect, Size]
    num_inference_steps: Annotated[int, Field(ge=1, le=200)]
    guidance_scale: Annotated[float, Field(ge=0, le=30)]
    flow_shift: Annotated[float, Field(gt=0, le=30)] = 1.0
    sigmas: tuple[Annotated[float, Field(gt=0, le=1)], ...] = ()
    arguments: dict[str, Argument] = {}
    forwards: Annotated[int, Field(ge=1, le=8)] | None = None

    @model_validator(mode="after")
    def _a_level_for_every_step(self) -> Self:
        falling = all(first > second for first, second in pairwise(self.sigmas))
        if self.sigmas and not (falling and len(self.sigmas) == self.num_inference_steps):
            raise ValueError("sigmas must fall, and be as many as num_inference_steps")
        return self


class SigmaRule(FrozenModel):
    """Where a render starts on its take: the range of the dial, 0 = the take itself, 1 = pure noise.

    `kept`: how well renders keep their takes, in a sentence, by benchmarks/kept.py; empty where nobody measured it.
    """

    close: Annotated[float, Field(gt=0, lt=1)]
    default: Annotated[float, Field(gt=0, lt=1)]
    detail: Annotated[float, Field(gt=0, le=1)]
    kept: str = ""


class StrengthRule(FrozenModel):
    """How far a clip may leave a video that it starts from: 0 keeps the video's pictures, 1 forgets them.

    `continues`: whether the model goes on where a video ends that is shorter than the clip.
    """

    minimum: Annotated[float, Field(ge=0, le=1)]
    default: Annotated[float, Field(ge=0, le=1)]
    continues: bool = False


class PromptRule(FrozenModel):
    """`words`: every word the model was trained on; empty for a model of the open world.

    `languages`: those its text encoder was trained for. `style`: how a prompt for it is best written.
    """

    max_tokens: int
    negative: bool
    default_negative: str = ""
    languages: tuple[str, ...] = ("English",)
    style: str = ""
    words: tuple[str, ...] = ()

    def unknown(self, text: str) -> list[str]:
        """Words of a text that this model never saw, in order, each once. Empty for a model of the open world."""
        if not self.words:
            return []
        known = set(self.words)
        return list(dict.fromkeys(word for word in re.findall(r"[^\W_]+", text.casefold()) if word not in known))


class FasterRule(FrozenModel):
    """How this model bears foretold steps, where it does: see `StepCache`.

    `measured`: what they save and cost, in a sentence; empty where nobody measured it.
    """

    interval: Annotated[int, Field(ge=2, le=8)] = 2
    whole_steps: Annotated[int, Field(ge=2, le=20)] = 3  # a line goes through two
    measured: str = ""


class Guide(FrozenModel):
    """Something cheaper that can draw a model's takes: a model of the same latent space, or a LoRA of few steps.

    `name`: the model's id or the LoRA's name; `repo`, `file` and the two numbers are a LoRA's. `kept`: how well renders
    keep such a take, in a sentence; empty where nobody measured it.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$")]
    repo: str = ""
    file: str = ""
    num_inference_steps: Annotated[int, Field(ge=1, le=100)] | None = None
    guidance_scale: Annotated[float, Field(ge=0, le=30)] | None = None
    kept: str = ""


class ModelCard(FrozenModel):
    """One model. It lies in the folder `id` of a models root; `repo` is empty for a model that ships with the app.

    `pipeline`: the diffusers class that runs it; `image_pipeline`: the one for a request with a first picture,
    `guided_pipeline`: the one for more than that, over the same weights, where they are others. `attention`: free to
    be chosen, with a mask that flash kernels do not know, or fixed in the transformer; `compiles`: whether its blocks
    can be compiled; `float16`: whether it bears to be computed in it, by its authors' or maintainers' word (elsewhere
    numbers overflow and pictures turn black); `vae_slices`: whether its VAE decodes a few frames at a time when told
    to, and not anyway.
    `inputs`: what it can take; `needs`: what it cannot do without. `revision` is null until it was resolved at an
    install. `variant`: the precision suffix of the files to fetch. `loras`: whether it takes LoRAs;
    `lora_family`: whose they are, where of another family. `single_files`: the parts that diffusers reads from one file
    too, GGUF or safetensors, and how those look. `latent_upsampler`: a render starts through the component of that
    name, on a take of half its size. `not_yet`: why this version cannot run it, when it cannot. `translations`: by
    language ("de"), what the card says, where the app's own catalogues do not have it.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    name: str
    summary: str
    good_at: str = ""
    family: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    pipeline: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]{0,63}$")]
    attention: Literal["free", "masked", "fixed"] = "masked"
    float16: bool = False
    compiles: bool = False
    vae_slices: bool = False
    image_pipeline: Annotated[str, Field(pattern=r"^([A-Z][A-Za-z0-9]{0,63})?$")] = ""
    guided_pipeline: Annotated[str, Field(pattern=r"^([A-Z][A-Za-z0-9]{0,63})?$")] = ""
    repo: str = ""
    revision: str | None = None
    variant: str | None = None
    inputs: tuple[Input, ...]
    needs: tuple[Input, ...] = ("text",)
    sound: bool = False
    not_yet: str = ""
    licence: Licence
    components: dict[str, Component]
    single_files: dict[str, SingleFileRule] = {}
    size: SizeRule
    frames: FrameRule
    latent: LatentRule
    traced: Traced | None = None
    prompt: PromptRule
    faster: FasterRule | None = None
    take: PassRule
    render: PassRule
    sigma: SigmaRule
    guides: tuple[Guide, ...] = ()
    latent_upsampler: LatentUpsampler | None = None
    strength: StrengthRule | None = None
    translations: dict[str, dict[str, str]] = {}
    loras: bool = False
    lora_family: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,31})?$")] = ""

    @model_validator(mode="after")
    def _an_upsampler_has_weights(self) -> Self:
        if self.latent_upsampler and "latent_upsampler" not in self.components:
            raise ValueError("latent_upsampler needs a component of that name")
        return self

    @field_validator("loras", mode="before")
    @classmethod
    def _kinds_of_lora(cls, value: object) -> object:
        """Cards of older versions named the layouts that diffusers reads."""
        return bool(value) if isinstance(value, list | tuple) else value

    def said(self) -> tuple[str, ...]:
        """What a person reads of the card, in English."""
        kept = (guide.kept for guide in self.guides)
        faster = self.faster.measured if self.faster else ""
        texts = (self.summary, self.good_at, self.prompt.style, self.not_yet, self.sigma.kept, faster, *kept)
        return tuple(text for text in (*texts, self.licence.conditions, *self.licence.excluded) if text)

    @property
    def render_size(self) -> SizeRule:
        """The rule of its renders, where its upsampler doubles a take that keeps `size`."""
        return self.size.doubled if self.latent_upsampler else self.size

    @property
    def continues(self) -> bool:
        """Whether a run by words, or by a first picture, can be cut in two and go on."""
        return self.pipeline in RECORDED

    @property
    def is_gguf(self) -> bool:
        return any(component.gguf for component in self.components.values())

    @property
    def size_gb(self) -> float:
        return sum(component.size_gb for component in self.components.values())
