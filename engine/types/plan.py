"""What will run, fully resolved, and what runs before it took."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.types.noun import Argument, ContentId, Dtype, Noun, Offload, Precision, Stage, Verdict
from engine.types.request import Request


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
