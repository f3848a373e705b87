"""What a person asks for."""

from __future__ import annotations

import operator
from typing import Annotated, Literal

from pydantic import Field

from engine.schema.frozen_model import (
    Aspect,
    Attention,
    ContentId,
    Fit,
    FrozenModel,
    MediaId,
    MediaRole,
    Mode,
    Offload,
    Outcome,
    PictureRole,
    Precision,
    PresetId,
    VideoRole,
)


class Size(FrozenModel):
    """Pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


class Overrides(FrozenModel):
    """What an expert, or a recipe, fixes in one stage. None means: as the card says."""

    width: int | None = None
    height: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    flow_shift: float | None = None


class Wording(FrozenModel):
    """What a model is told, to the letter."""

    prompt: str
    negative_prompt: str = ""


class LoraUse(FrozenModel):
    """A kept LoRA (`Engine.keep_lora`) in a request. `low`: the other half of a pair, with the same strength."""

    id: ContentId
    strength: float = 1.0
    low: ContentId | None = None
    name: Annotated[str, Field(max_length=120)] = ""


class Beginning(FrozenModel):
    """What a clip goes on from: a clip or a take of the library, or a kept video (`Engine.keep_video`).

    `overlap`: how many pictures at its end the next stretch begins with. `content`: the hash of that video, which a
    recipe names it by as well: an id alone could be another's.
    """

    kind: Literal["clip", "take", "video"]
    id: Annotated[str, Field(pattern=r"^[^/\\:\x00-\x1f]{1,200}$")]
    overlap: Annotated[int, Field(ge=1, le=100)] = 1
    content: ContentId | Literal[""] = ""


class Variation(FrozenModel):
    """A little other noise in a shot's own. `seed`: of the other noise; `amount`: 0 is the shot itself, 1 only that."""

    seed: int
    amount: float = 0.3


class Request(FrozenModel):
    """What the person asked for. `dial` runs from 0 (stay close to the take) to 1 (add detail).

    `pictures`, `references`, `keyframes` (by frame, from 0): ids of kept pictures (`Engine.keep_picture`); `videos`: of
    kept videos (`Engine.keep_video`). `fit`: how they are brought to the clip's shape. `strength`: how far the clip may
    leave a video that it starts from, 0 to 1. `look`, `camera`: presets whose words are added. `wording`: the final
    words of a recipe that is repeated; then look and camera are not asked again. `make_it_fit`: when memory runs out,
    change the picture without asking where nothing else helps.
    `mode`: a render refines its take, a small clip of its own, or continues it, which is then its own first part.
    `takes_by`: a guide of the model's card that draws the takes in its place; `few_steps_by`: one that is a LoRA of few
    steps, for the take and the render.
    `outcome`: draft, standard or best, as the machine's tier means it for what is not said by number.
    `drop_text_encoder`, `vae_tiling`, `vae_on_cpu`: not left to Rushes, as the fields of a placement. `vram_gb`: of the
    device's memory, the plan takes no more.
    `variations`: each turns the noise of the seed, and of those before it, a little towards other noise.
    `faster`: foretell steps where the model bears it, a little less exact. `compiled`: compile the model's blocks.
    """

    prompt: str
    negative_prompt: str = ""
    look: PresetId | None = None
    camera: PresetId | None = None
    wording: Wording | None = None
    model: str = "starter"
    aspect: Aspect = "square"
    outcome: Outcome | None = None
    seconds: float | None = None
    num_frames: int | None = None
    seed: int | None = None
    variations: Annotated[
        tuple[Variation, ...], Field(exclude_if=operator.not_)
    ] = ()  # recipes of others stay as short
    mode: Mode = "refine"
    takes_by: Annotated[str, Field(max_length=120)] | None = None
    few_steps_by: Annotated[str, Field(max_length=120)] | None = None
    dial: float = 0.5
    sigma: float | None = None
    device: str | None = None
    precision: Precision | None = None
    offload: Offload | None = None
    attention: Attention | None = None
    drop_text_encoder: bool = False
    vae_tiling: bool = False
    vae_on_cpu: bool = False
    vram_gb: float | None = None
    pictures: dict[PictureRole, MediaId] = {}
    references: tuple[MediaId, ...] = ()
    keyframes: dict[int, MediaId] = {}
    videos: dict[VideoRole, MediaId] = {}
    fit: Fit = "crop"
    strength: float | None = None
    loras: tuple[LoraUse, ...] = ()
    make_it_fit: bool = False
    faster: bool = False
    compiled: bool = False
    extends: Beginning | None = None
    take: Overrides = Overrides()
    render: Overrides = Overrides()

    @property
    def given(self) -> tuple[MediaRole, ...]:
        """What pictures and videos are given for, each role once."""
        many: tuple[tuple[MediaRole, object], ...] = (("keyframes", self.keyframes), ("references", self.references))
        return (*self.pictures, *(role for role, some in many if some), *self.videos)

    @property
    def picture_ids(self) -> tuple[MediaId, ...]:
        return (*self.pictures.values(), *self.references, *self.keyframes.values())


class VideoFacts(FrozenModel):
    """What is known of a kept video: its size, upright, its length, whether its colours were brought down from HDR."""

    width: int
    height: int
    seconds: float
    from_hdr: bool = False

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"
