"""A shot's plan, fully resolved: a take, and the render that would follow it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.schema.frozen_model import Argument, ContentId, FrozenModel
from engine.schema.plan import Forecast, Plan, Range, Stage
from engine.schema.request import Request

# Pipelines whose runs were seen to go on to the last bit after any step; of others nothing is saved.
RECORDED = frozenset({
    "CogVideoXImageToVideoPipeline", "CogVideoXPipeline", "CogVideoXVideoToVideoPipeline",
    "HunyuanVideo15ImageToVideoPipeline", "HunyuanVideo15Pipeline", "HunyuanVideoFramepackPipeline",
    "HunyuanVideoImageToVideoPipeline", "HunyuanVideoPipeline", "Kandinsky5I2VPipeline", "Kandinsky5T2VPipeline",
    "LTX2ConditionPipeline", "LTX2Pipeline", "LTXConditionPipeline", "LTXImageToVideoPipeline", "LTXPipeline",
    "MochiPipeline", "WanAnimatePipeline", "WanImageToVideoPipeline", "WanPipeline", "WanVACEPipeline",
})  # fmt: skip


class Pass(FrozenModel):
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


class LatentUpsampler(FrozenModel):
    """The second stage that a model brings along: a network that doubles the sides of a take's latents.

    Both numbers are the diffusers upsampling pipeline's own; 0 leaves the step out.
    """

    adain_factor: Annotated[float, Field(ge=0, le=10)] = 0.0
    tone_map_compression_ratio: Annotated[float, Field(ge=0, le=1)] = 0.0


class StepCache(FrozenModel):
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


class PlannedLora(FrozenModel):
    """A LoRA as it is worn: `parts` names the file of each transformer. `licence` is empty where nothing is said."""

    name: str
    strength: float
    licence: str = ""
    parts: dict[str, ContentId]


class ShotForecast(Forecast):
    """`take_seconds` and `render_seconds` begin with the model ready. `estimated_seconds`: both by arithmetic alone."""

    take_seconds: Range
    render_seconds: Range
    estimated_seconds: Range = (0.0, 0.0)


class ShotPlan(Plan):
    """Exactly what will run: the take, and the render that would follow it from level `sigma`.

    `prompt`: what the model is told, the words of look and camera among them (empty in plans from before there were
    any). `filtered_by`: the person's own content filter, stated when it is on.
    """

    request: Request
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
    loras: tuple[PlannedLora, ...] = ()
    forecast: ShotForecast
    filtered_by: str = ""
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

    def run(self, stage: str) -> Pass:
        """The pass of the sampler that a job of this stage takes."""
        return self.take if stage == "take" else self.render

    @property
    def title(self) -> str:
        return self.request.prompt

    @property
    def stages(self) -> tuple[Stage, ...]:
        seconds = self.forecast.take_seconds, self.forecast.render_seconds
        return tuple(
            Stage(
                name=name,
                steps=run.steps,
                pixels=run.pixels,
                operations=run.operations,
                seconds=spent,
                estimated_seconds=estimated,
            )
            for name, run, spent, estimated in zip(
                ("take", "render"), (self.take, self.render), seconds, self.forecast.estimated_seconds, strict=True
            )
        )

    @property
    def may_alter(self) -> bool:
        return self.request.make_it_fit

    @property
    def teaches(self) -> bool:
        """Not when steps were foretold, or it was compiled or moved on the way."""
        return not (self.step_cache or self.placement.compiled or self.adjusted)

    @property
    def loads(self) -> str:
        """What a worker loads for it, as text: it is warm for every plan that says the same."""
        merged = self.loras if self.fused else ()
        return "\n".join(
            [self.model, self.placement.lasting.model_dump_json(), *(one.model_dump_json() for one in merged)]
        )

    @property
    def when_warm(self) -> ShotPlan:
        """The same after another job of the same model."""
        return self.but(forecast=self.forecast.but(loading_seconds=(0.0, 0.0)))
