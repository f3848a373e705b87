"""What will run, fully resolved, and what runs before it took."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.schema.frozen_model import Argument, ContentId, Noun, Stage, Verdict
from engine.schema.placement import Placement
from engine.schema.request import Request

# Pipelines whose runs were seen to go on to the last bit after any step; of others nothing is saved.
RECORDED = frozenset({
    "CogVideoXImageToVideoPipeline", "CogVideoXPipeline", "CogVideoXVideoToVideoPipeline",
    "HunyuanVideo15ImageToVideoPipeline", "HunyuanVideo15Pipeline", "HunyuanVideoFramepackPipeline",
    "HunyuanVideoImageToVideoPipeline", "HunyuanVideoPipeline", "Kandinsky5I2VPipeline", "Kandinsky5T2VPipeline",
    "LTX2ConditionPipeline", "LTX2Pipeline", "LTXConditionPipeline", "LTXImageToVideoPipeline", "LTXPipeline",
    "MochiPipeline", "WanAnimatePipeline", "WanImageToVideoPipeline", "WanPipeline", "WanVACEPipeline",
})  # fmt: skip


class Pass(Noun):
    """One run of the sampler, fully resolved.

    `sigmas`: the exact noise level of every step, for a model distilled for these; empty: spaced by the flow shift.
    `forwards`: calls of the transformer a step; `operations`: floating-point operations it is forecast to take.
    `taken`: how many of the steps a render on its take takes, which are the last ones; None: all of them.
    `part`: which of the steps it takes, from and up to, where it is one part of a run that is continued.
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
    taken: int | None = None
    part: tuple[int, int] | None = None

    @property
    def steps(self) -> int:
        """Those that are taken."""
        return self.part[1] - self.part[0] if self.part else self.taken or self.num_inference_steps

    @property
    def first_step(self) -> int:
        """How many are behind it."""
        return self.part[0] if self.part else 0

    @property
    def stops_after(self) -> int | None:
        """How many there are at its end, when these are not all: then it is only looked at."""
        return self.part[1] if self.part and self.part[1] < self.num_inference_steps else None

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


class StepCache(Noun):
    """After `whole_steps`, one step in `interval` is computed whole and the others are foretold (TaylorSeer).

    A clip of sections counts its steps in each of them anew.
    """

    interval: int
    whole_steps: int

    def computes(self, step: int) -> bool:
        """Whether this step, counted from 0, is computed; the first one after the whole ones is foretold."""
        return step < self.whole_steps or (step - self.whole_steps - 1) % self.interval == 0

    def computed(self, steps: int) -> int:
        """How many of so many steps are computed."""
        return sum(self.computes(step) for step in range(steps))


class PlannedLora(Noun):
    """A LoRA as it is worn: `parts` names the file of each transformer. `licence` is empty where nothing is said."""

    name: str
    strength: float
    licence: str = ""
    parts: dict[str, ContentId]


class Forecast(Noun):
    """What a plan will need, said before it starts. `basis` says how sure it is, in words.

    `take_seconds` and `render_seconds` begin with the model ready; `loading_seconds`: until then, none where it is.
    `estimated_seconds`: take and render by arithmetic alone, which measured runs are compared to.
    """

    verdict: Verdict
    vram_gb: float
    ram_gb: float
    disk_gb: float
    download_gb: float
    take_seconds: tuple[float, float]
    render_seconds: tuple[float, float]
    loading_seconds: tuple[float, float] = (0.0, 0.0)
    estimated_seconds: tuple[float, float] = (0.0, 0.0)
    basis: str

    @property
    def measured(self) -> bool:
        """Whether runs of the model on this machine are behind it."""
        return not self.basis.startswith("estimated")


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
    def recorded(self) -> bool:
        """Whether a run is saved as it goes. What a step cache holds is not in the state."""
        return self.pipeline in RECORDED and self.step_cache is None

    @property
    def avoids(self) -> bool:
        """Whether a negative prompt is of any use: guidance away from it costs a second call at each step."""
        return any(run.forwards > 1 or run.guidance_scale > 1 for run in (self.take, self.render))

    @property
    def told(self) -> str:
        return self.prompt or self.request.prompt

    def stage(self, stage: Stage) -> Pass:
        return self.take if stage == "take" else self.render

    @property
    def loads(self) -> str:
        """What a worker loads for it, as text: it is warm for every plan that says the same."""
        merged = self.loras if self.fused else ()
        return "\n".join(
            [self.model, self.placement.lasting.model_dump_json(), *(one.model_dump_json() for one in merged)]
        )

    @property
    def when_warm(self) -> Plan:
        """The same after another job of the same model."""
        return self.model_copy(update={"forecast": self.forecast.model_copy(update={"loading_seconds": (0.0, 0.0)})})

    def seconds(self, stage: Stage) -> tuple[float, float]:
        """How long a stage is forecast to take when it is started now."""
        low, high = self.forecast.take_seconds if stage == "take" else self.forecast.render_seconds
        least, most = self.forecast.loading_seconds
        return round(low + least, 3), round(high + most, 3)


class Run(Noun):
    """One measured run on this machine: what forecasts learn from, and plans where memory ran out (`adjusted`).

    `seconds`: with the model ready; `loading_seconds`: until then, for `loaded_gb` of files. `pixels`: all frames
    together. `forecast_seconds`: the range that was promised for both; `estimated_seconds`: what arithmetic alone said
    of `seconds`. Both are empty in runs of older versions, which no forecast learns from.
    """

    model: str
    stage: Stage
    device: str
    operations: float
    seconds: float
    ram_gb: float
    loading_seconds: float = 0.0
    loaded_gb: float = 0.0
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
        took = self.seconds + self.loading_seconds
        return bool(self.forecast_seconds and self.forecast_seconds[0] <= took <= self.forecast_seconds[1])
