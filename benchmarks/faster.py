"""What "faster, a little less exact" saves and costs: renders with and without foretold steps, by turns in one process.

    python bootstrap.py -m benchmarks.faster [--model starter] [--prompts 6] [--json] [--write]

`speed_up` is the ratio of the processor's seconds of the sampling (on a graphics card: of the clock's), so that a busy
machine does not count. `ssim` is the likeness of the pixels to those of the same render drawn whole. A model may offer
the choice from 1.4 times at 0.95. Renders from scratch, where nothing of a take helps.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks import publishing
from benchmarks.likeness import Array, ssim
from engine import Engine, Request
from engine.schema import ShotPlan
from engine.worker import families
from engine.worker.families.family import Shot
from engine.worker.loading import pipeline_loader
from engine.worker.sampling import denoise

PROMPTS = (
    "a red ball rolls to the left on a blue background",
    "a yellow star spins in the night sky",
    "a green box goes up over the sea at sunset",
    "a purple cone grows in the desert by day",
    "a white ball moves to the right over the hills, the camera pans left",
    "an orange star falls on a white background, the camera zooms in",
)


@torch.no_grad()
def render(model: pipeline_loader.Model, plan: ShotPlan) -> tuple[Array, float]:
    """The frames of a render from scratch, and the seconds of its sampling."""
    family = families.of(plan.family)
    shot = Shot(plan, plan.render, torch.Generator("cpu").manual_seed(plan.seed))
    watch = denoise.StepReporter(lambda _: None, lambda: False)
    model.prompts.encoded(model.pipe, family, shot, watch.emit)  # reading the words is not what is measured
    clock = time.process_time if plan.placement.device == "cpu" else time.perf_counter
    started = clock()
    latents = denoise.draw(model, family, shot, watch)
    seconds = clock() - started
    return family.decode(model.pipe, latents, shot).frames, seconds


def measure(home: Path, name: str, count: int) -> dict[str, Any]:
    rows = []
    with Engine(home) as studio:
        shelf = pipeline_loader.PipelineCache(list(studio.places.model_roots))
        for seed, prompt in enumerate(PROMPTS[:count]):
            whole, faster = (
                studio.plan(Request(prompt=prompt, model=name, seed=seed, faster=on)) for on in (False, True)
            )
            model = shelf.get(whole, home)
            if not rows:
                render(model, whole)  # warms up
            (exact, exact_seconds), (near, near_seconds) = render(model, whole), render(model, faster)
            rows.append((exact_seconds / near_seconds, ssim(exact, near)))
    speeds, likenesses = zip(*rows, strict=True)
    return {
        "model": name,
        "prompts": len(rows),
        "steps": whole.render.num_inference_steps,
        "step_cache": faster.step_cache and faster.step_cache.model_dump(),
        "speed_up": round(median(speeds), 2),
        "ssim": round(median(likenesses), 3),
        "ssim_worst": round(min(likenesses), 3),
    }


def main() -> None:
    parser = publishing.parser(__doc__)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--prompts", type=int, default=len(PROMPTS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        result = measure(Path(home), options.model, options.prompts)
    publishing.publish("faster", result, options)


if __name__ == "__main__":
    main()
