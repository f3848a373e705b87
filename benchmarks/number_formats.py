"""What each number format costs: the starter's takes and renders in every one, beside full precision.

    python bootstrap.py -m benchmarks.number_formats [--prompts 24] [--json] [--write]

`ssim`: the likeness of a render on its take to the same one in full precision. `kept`: how well it keeps its own take,
as benchmarks/kept.py scores it, against the floor of full precision. `right`: how often what was asked for is seen in
the render. Both halves of the model take the format, as in a plan that must make both smaller. GGUF files of
Q4_0, Q5_0 and Q8_0 are written here; the mixed formats (Q4_K_M and others) need layers wider than the starter's.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import formats_table, kept, publishing
from benchmarks.likeness import Array, ssim
from engine import APP, Engine, Request
from engine.schema import Placement, Precision, ShotPlan, ShotStage
from engine.worker import families
from engine.worker.families.family import Shot
from engine.worker.loading import pipeline_loader
from engine.worker.sampling import denoise
from tests.tiny import gguf_weights

STARTER = APP / "models" / "starter"
STORED: tuple[Precision, ...] = ("full", "fp8", "int8", "nf4")
GGUF = ("Q8_0", "Q5_0", "Q4_0")


class Artist:
    """Draws with the starter in one number format."""

    def __init__(self, folder: Path, precision: Precision) -> None:
        # by layer: diffusers has bitsandbytes make whole parts smaller on a card only
        self.placement = Placement(device="cpu", kind="cpu", dtype="float32", precision=precision,
                                   layer_by_layer=precision in ("int8", "nf4"))  # fmt: skip
        self.model = pipeline_loader.load(folder, self.placement, "WanPipeline")
        self.family = families.of("wan")

    def clips(self, studio: Engine, scene: kept.Scene, floor: bool) -> dict[str, Array]:
        """What benchmarks/kept.py measures, by its names, with the floor or without it."""
        asked = Request(prompt=scene.prompt, model="starter", seed=scene.seed, aspect="square")
        levels = {"render": None, "ceiling": kept.CEILING_SIGMA} | ({"scratch": 1.0} if floor else {})
        found = self.take(studio, asked, "take", levels)
        if floor:
            other = asked.model_copy(update={"seed": scene.seed + 5000})
            found |= self.take(studio, other, "other_take", {"other_seed": None})
        return found

    def take(self, studio: Engine, asked: Request, name: str, levels: dict[str, float | None]) -> dict[str, Array]:
        """A take and its renders from several start levels, by name; None: where the card's dial stands."""
        plan = self.placed(studio, asked)
        latents = denoise.draw(self.model, self.family, self.shot(plan, "take"), self.watch())
        found = {name: self.frames(latents, plan, "take")}
        for render, sigma in levels.items():
            leveled = self.placed(studio, asked.model_copy(update={"sigma": sigma}))
            drawn = denoise.refine(self.model, self.family, self.shot(leveled, "render"), self.watch(), latents)
            found[render] = self.frames(drawn, leveled, "render")
        return found

    def placed(self, studio: Engine, request: Request) -> ShotPlan:
        return studio.plan(request).model_copy(update={"placement": self.placement})

    def shot(self, plan: ShotPlan, stage: ShotStage) -> Shot:
        return Shot(plan, plan.run(stage), torch.Generator("cpu").manual_seed(plan.seed))

    def frames(self, latents: Any, plan: ShotPlan, stage: ShotStage) -> Array:
        return self.family.decode(self.model.pipe, latents, self.shot(plan, stage)).frames

    def watch(self) -> denoise.StepReporter:
        return denoise.StepReporter(lambda _: None, lambda: False)


@torch.no_grad()
def measure(home: Path, count: int) -> dict[str, Any]:
    folders: dict[str, tuple[Path, Precision]] = {name: (STARTER, name) for name in STORED}
    for kind in GGUF:
        gguf_weights.packed_copy(STARTER, home / kind, gguf_weights.WAN_NAMES, kind)
        folders[kind] = (home / kind, "gguf")
    scenes = list(kept.held_out(count))
    whole: list[dict[str, Array]] = []
    rows: dict[str, list[kept.Row]] = {}
    alike: dict[str, list[float]] = {}
    with Engine(home) as studio:
        for name, (folder, precision) in folders.items():
            print(name, file=sys.stderr)
            artist = Artist(folder, precision)
            drawn = [artist.clips(studio, scene, floor=name == "full") for scene in scenes]
            whole = whole or drawn
            floors = ("other_take", "other_seed", "scratch")
            drawn = [{**{key: full[key] for key in floors}, **clips} for full, clips in zip(whole, drawn, strict=True)]
            rows[name] = [kept.measured(scene, clips, {}) for scene, clips in zip(scenes, drawn, strict=True)]
            alike[name] = [ssim(full["render"], clips["render"]) for full, clips in zip(whole, drawn, strict=True)]
    return {"model": "starter", "prompts": count, "formats": {name: _said(rows[name], alike[name]) for name in rows}}


def _said(rows: list[kept.Row], alike: list[float]) -> dict[str, Any]:
    scores = kept.kept(rows)
    right = [value for row in rows for value in row.right["render"].values()]
    return {
        "ssim": round(float(np.median(alike)), 3), "ssim_worst_tenth": round(float(np.quantile(alike, 0.1)), 3),
        "kept": round(float(np.median(scores)), 3), "kept_worst_tenth": round(float(np.quantile(scores, 0.1)), 3),
        "right": round(float(np.mean(right)), 3),
    }  # fmt: skip


def main() -> None:
    parser = publishing.parser(__doc__)
    parser.add_argument("--prompts", type=int, default=24)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        result = measure(Path(home), options.prompts)
    publishing.publish("number_formats", result, options)
    if options.write:
        formats_table.write()


if __name__ == "__main__":
    main()
