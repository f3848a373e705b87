"""The nouns. Frozen, checked, and the only things that cross a module border; no dict does.

Sizes are in pixels, memory and disk in GB (10^9 bytes), times in seconds, sampling fields in diffusers' words.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Stage = Literal["take", "render"]
JobState = Literal["queued", "running", "asking", "finished", "failed", "cancelled"]
Verdict = Literal["comfortable", "tight", "offloads", "unlikely", "unknown"]
Aspect = Literal["square", "wide", "tall"]
Outcome = Literal["draft", "standard", "best"]
Phase = Literal["loading", "prompt", "sampling", "decoding", "writing"]
Shortage = Literal["vram", "fragmented", "pinned", "ram", "page_file"]  # what can run out
Work = Literal["loading", "denoising", "decoding"]  # and meanwhile; decoding is all work of the VAE


Argument = bool | int | float | str  # what a card may hand to its pipeline's call


class Noun(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


# ---- the machine ----------------------------------------------------------------------------------------------------


class Tenant(Noun):
    """Another program that holds memory of a card."""

    name: str
    vram_gb: float


class Device(Noun):
    """One thing that can run a model. `id` is torch's name for it: cpu, cuda:0, mps.

    `cuda`: the newest CUDA that its driver allows; `cores` and `clock_mhz`: what its driver says of its speed;
    `tenants`: who else uses its memory, the largest first.
    """

    id: str
    name: str
    vram_gb: float = 0.0
    vram_free_gb: float = 0.0
    compute_capability: str = ""
    driver: str = ""
    cuda: str = ""
    cores: int = 0
    clock_mhz: int = 0
    pcie_generation: int = 0
    pcie_width: int = 0
    tenants: tuple[Tenant, ...] = ()


class HardwareProfile(Noun):
    """The machine as it is now. `devices` always ends with the CPU; the first one is the one to use."""

    system: str
    devices: tuple[Device, ...]
    cpu_count: int
    ram_gb: float
    ram_free_gb: float
    page_file_gb: float
    disk_free_gb: float
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> Device:
        return self.devices[0]


# ---- what is asked for, and what will run ---------------------------------------------------------------------------


class Size(Noun):
    """Pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


class Overrides(Noun):
    """What an expert, or a recipe, fixes in one stage. None means: as the card says."""

    width: int | None = None
    height: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    flow_shift: float | None = None


Dtype = Literal["float32", "bfloat16", "float16"]
Precision = Literal["full", "fp8", "int8", "nf4", "gguf"]
Offload = Literal["resident", "model", "group"]
PictureRole = Literal["image", "last_image", "mask"]
VideoRole = Literal["video", "control_video", "face_video", "mask"]
MediaRole = Literal["image", "last_image", "keyframes", "references", "video", "control_video", "face_video", "mask"]
ContentId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]  # the beginning of a sha256
MediaId = ContentId
Fit = Literal["crop", "pad"]
Noise = Literal["", "high", "low"]
PresetId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class Wording(Noun):
    """What a model is told, to the letter."""

    prompt: str
    negative_prompt: str = ""


class LoraUse(Noun):
    """A kept LoRA (`Engine.keep_lora`) in a request. `low`: the other half of a pair, with the same strength."""

    id: ContentId
    strength: float = 1.0
    low: ContentId | None = None
    name: Annotated[str, Field(max_length=120)] = ""


class Beginning(Noun):
    """What a clip goes on from: a clip or a take of the library, or a kept video (`Engine.keep_video`).

    `overlap`: how many pictures at its end the next stretch begins with.
    """

    kind: Literal["clip", "take", "video"]
    id: Annotated[str, Field(pattern=r"^[^/\\:\x00-\x1f]{1,200}$")]
    overlap: Annotated[int, Field(ge=1, le=100)] = 1


class Request(Noun):
    """What the person asked for. `dial` runs from 0 (stay close to the take) to 1 (add detail).

    `pictures`, `references`, `keyframes` (by frame, from 0): ids of kept pictures (`Engine.keep_picture`); `videos`: of
    kept videos (`Engine.keep_video`). `fit`: how they are brought to the clip's shape. `strength`: how far the clip may
    leave a video that it starts from, 0 to 1. `look`, `camera`: presets whose words are added. `wording`: the final
    words of a recipe that is repeated; then look and camera are not asked again. `make_it_fit`: when memory runs out,
    change the picture without asking where nothing else helps.
    `outcome`: draft, standard or best, as the machine's tier means it for what is not said by number.
    `faster`: foretell steps where the model bears it, a little less exact.
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
    dial: float = 0.5
    sigma: float | None = None
    device: str | None = None
    precision: Precision | None = None
    offload: Offload | None = None
    pictures: dict[PictureRole, MediaId] = {}
    references: tuple[MediaId, ...] = ()
    keyframes: dict[int, MediaId] = {}
    videos: dict[VideoRole, MediaId] = {}
    fit: Fit = "crop"
    strength: float | None = None
    loras: tuple[LoraUse, ...] = ()
    make_it_fit: bool = False
    faster: bool = False
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


class VideoFacts(Noun):
    """What is known of a kept video: its size, upright, and its length."""

    width: int
    height: int
    seconds: float

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"


class Pass(Noun):
    """One run of the sampler, fully resolved.

    `sigmas`: the exact noise level of every step, for a model distilled for these; empty: spaced by the flow shift.
    `forwards`: calls of the transformer a step; `operations`: floating-point operations it is forecast to take.
    """

    width: int
    height: int
    num_frames: int
    fps: int
    num_inference_steps: int
    guidance_scale: float
    flow_shift: float
    sigmas: tuple[float, ...] = ()
    forwards: int
    arguments: dict[str, Argument] = {}
    operations: float

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def seconds(self) -> float:
        return self.num_frames / self.fps

    @property
    def pixels(self) -> int:
        return self.width * self.height * self.num_frames


class LatentUpsampler(Noun):
    """The second stage that a model brings along: a network that doubles the sides of a take's latents.

    Both numbers are the diffusers upsampling pipeline's own; 0 leaves the step out.
    """

    adain_factor: Annotated[float, Field(ge=0, le=10)] = 0.0
    tone_map_compression_ratio: Annotated[float, Field(ge=0, le=1)] = 0.0


class Placement(Noun):
    """Where the model runs and how it lies in memory.

    `dtype`: what it computes in. `precision`: how the weights of its large parts are stored, "full" meaning in `dtype`,
    "gguf" as the model's file has them. `offload`: whole on the device, one part at a time, or streamed from RAM block
    by block, out of page-locked memory where `pin_memory`. The VAE works on a few frames at a time (`vae_slicing`), in
    tiles, or on the CPU.
    """

    device: str
    dtype: Dtype
    precision: Precision = "full"
    offload: Offload = "resident"
    pin_memory: bool = False
    vae_tiling: bool = False
    vae_slicing: bool = False
    vae_on_cpu: bool = False


class StepCache(Noun):
    """TaylorSeer: after `whole_steps`, one step in `interval` is computed whole and the others are foretold."""

    interval: int
    whole_steps: int


class PlannedLora(Noun):
    """A LoRA as it is worn: `parts` names the file of each transformer. `licence` is empty where nothing is said."""

    name: str
    strength: float
    licence: str = ""
    parts: dict[str, ContentId]


class Forecast(Noun):
    """What a plan will need, said before it starts. `basis` says how sure it is, in words.

    `estimated_seconds`: take and render by arithmetic alone, which measured runs are compared to.
    """

    verdict: Verdict
    vram_gb: float
    ram_gb: float
    disk_gb: float
    download_gb: float
    take_seconds: tuple[float, float]
    render_seconds: tuple[float, float]
    estimated_seconds: tuple[float, float] = (0.0, 0.0)
    basis: str


class Plan(Noun):
    """Exactly what will run: the take, and the render that would follow it from level `sigma`.

    `prompt`: what the model is told, the words of look and camera among them (empty in plans from before there were
    any). `filtered_by`: the person's own content filter, stated when it is on. `adjusted`: what was changed since
    because memory ran out, oldest first.
    """

    request: Request
    model: str
    family: str
    pipeline: str
    revision: str | None
    licence: str
    seed: int
    prompt: str = ""
    negative_prompt: str = ""
    take: Pass
    render: Pass
    sigma: float
    latent_upsampler: LatentUpsampler | None = None
    max_tokens: int
    placement: Placement
    loras: tuple[PlannedLora, ...] = ()
    forecast: Forecast
    reasons: tuple[str, ...]
    filtered_by: str = ""
    adjusted: tuple[str, ...] = ()
    strength: float | None = None
    step_cache: StepCache | None = None

    @property
    def rights(self) -> str:
        """The licence of the model, and of each LoRA that was worn."""
        worn = (f"LoRA '{lora.name}': {lora.licence or 'licence not said'}" for lora in self.loras if lora.strength)
        return "; ".join((self.licence, *worn))

    @property
    def fused(self) -> bool:
        """Whether the LoRAs are merged while loading: streamed beside every block, they would cost more than steps do.

        The smallest formats cannot take them in. It follows the placement wherever the ladder takes that.
        """
        mergeable = self.placement.offload == "group" and self.placement.precision in ("full", "fp8")
        return mergeable and any(lora.strength for lora in self.loras)

    @property
    def told(self) -> str:
        return self.prompt or self.request.prompt

    def stage(self, stage: Stage) -> Pass:
        return self.take if stage == "take" else self.render

    def seconds(self, stage: Stage) -> tuple[float, float]:
        """How long a stage is forecast to take."""
        return self.forecast.take_seconds if stage == "take" else self.forecast.render_seconds


class Run(Noun):
    """One measured run on this machine: what forecasts learn from, and plans where memory ran out (`adjusted`).

    `pixels`: all frames together. `forecast_seconds`: the range that was promised; `estimated_seconds`: what arithmetic
    alone said. Both are empty in runs of older versions, which no forecast learns from.
    """

    model: str
    stage: Stage
    device: str
    operations: float
    seconds: float
    ram_gb: float
    pixels: int = 0
    placement: Placement | None = None
    adjusted: bool = False
    vram_gb: float = 0.0
    forecast_seconds: tuple[float, float] | None = None
    estimated_seconds: float = 0.0

    @property
    def slowness(self) -> float:
        """How many times longer it took than arithmetic said."""
        return self.seconds / self.estimated_seconds

    @property
    def kept(self) -> bool:
        """Whether it took as long as was promised."""
        return bool(self.forecast_seconds and self.forecast_seconds[0] <= self.seconds <= self.forecast_seconds[1])


# ---- jobs, takes, clips ---------------------------------------------------------------------------------------------


class Job(Noun):
    """One plan on its way to a take or a clip. `take_id` names the approved take of a render."""

    id: str
    stage: Stage
    plan: Plan
    take_id: str | None = None
    state: JobState = "queued"
    created: str = ""
    attempts: int = 0


class Stretch(Noun):
    """One part of an extended clip and the frames it brought. Without an id: a file from elsewhere.

    `colours_moved`: how far red, green and blue (of 255) had moved at its joint, before they were brought back.
    """

    id: str = ""
    frames: int
    model: str = ""
    prompt: str = ""
    seed: int | None = None
    licence: str = ""
    colours_moved: tuple[float, float, float] = (0.0, 0.0, 0.0)


class Recipe(Noun):
    """Everything that made a take or a clip. It lies inside the MP4 and beside it, and names no path and no person.

    `stretches`: the parts of a clip that goes on from another, the first one first; `plan` made the last of them.
    """

    format: Literal[1] = 1
    kind: Stage
    id: str
    take_id: str | None = None
    plan: Plan
    seconds: float
    versions: dict[str, str]
    created: str
    stretches: tuple[Stretch, ...] = ()

    @property
    def rights(self) -> str:
        """Every licence that the video stands under."""
        return "; ".join(dict.fromkeys((*(part.licence for part in self.stretches if part.licence), self.plan.rights)))


class Take(Noun):
    """A preview on disk, with the latents that its render starts from. Paths are absolute."""

    id: str
    recipe: Recipe
    video: str
    poster: str
    latents: str


class Clip(Noun):
    """A finished video on disk."""

    id: str
    recipe: Recipe
    video: str
    poster: str
