"""One tiny model of a family on the pretend card, in one placement, through everything a person does with it.

Each action's frames (or latents) are compared with the CPU's, of the same number format and tiles.
"""

from __future__ import annotations

import dataclasses
import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from engine.schema import Placement, PlannedLora, ShotPlan
from engine.worker import families
from engine.worker.families.family import Latents
from engine.worker.loading import pipeline_loader
from engine.worker.output.decode import vae_at_work
from engine.worker.sampling import denoise, preview
from engine.worker.sampling.checkpointing import Checkpointer
from tests.accelerator.pretend import CARDS, Card
from tests.engine.test_families import CASES, planned, shot
from tests.tiny import loras

LORA = "1" * 32
# What the planner can choose, and the memory fallback come to.
WAYS: dict[str, dict[str, Any]] = {
    "resident": {},
    "resident, encoder dropped": {"text_encoder": "dropped"},
    "resident, encoder streamed": {"text_encoder": "streamed"},
    "resident, tiles": {"vae_tiling": True, "vae_slicing": True},
    "resident, fp8": {"precision": "fp8"},
    "model": {"offload": "model"},
    "model, encoder dropped": {"offload": "model", "text_encoder": "dropped"},
    "model, tiles": {"offload": "model", "vae_tiling": True, "vae_slicing": True},
    "model, VAE on the CPU": {"offload": "model", "vae_on_cpu": True},
    "group, pinned": {"offload": "group", "pin_memory": True},
    "group, a block resident": {"offload": "group", "text_encoder": "dropped", "resident_gb": 1e-4},
    "group, pinned, tiles": {"offload": "group", "pin_memory": True, "vae_tiling": True, "vae_slicing": True},
    "group, pinned, fp8": {"offload": "group", "pin_memory": True, "precision": "fp8"},
    "group, VAE on the CPU": {"offload": "group", "vae_on_cpu": True},
}
# The same weights run in another way: from words and from a picture, a video, conditions.
OTHERS = {
    "wan-2.2-5b": "wan-2.2-5b-image", "wan-2.2-5b-image": "wan-2.2-5b", "ltx": "ltx-image", "ltx-image": "ltx-video",
    "ltx-conditions": "ltx", "ltx-video": "ltx", "ltx-2": "ltx-2-conditions", "ltx-2-conditions": "ltx-2",
    "ltx-2-video": "ltx-2", "cogvideox": "cogvideox-video", "cogvideox-video": "cogvideox",
}  # fmt: skip
Frames = dict[str, np.ndarray]


@functools.cache
def checkpoint(name: str) -> tempfile.TemporaryDirectory[str]:
    """A case's tiny weights, the same for all its walks: not every builder makes the same ones twice."""
    folder = tempfile.TemporaryDirectory()
    CASES[name].build(Path(folder.name) / "tiny")
    return folder


class Walk:
    """One case in one placement; `root` is its own folder."""

    def __init__(self, name: str, placement: Placement, root: Path) -> None:
        self.case, self.name, self.root = CASES[name], name, root
        self.placement, self.family = placement, families.of(self.case.family)
        if not (root / "tiny").exists():
            shutil.copytree(Path(checkpoint(name).name) / "tiny", root / "tiny")
        self.shelf = pipeline_loader.PipelineCache([root])

    def plan(self, name: str = "", **changes: Any) -> ShotPlan:
        made = planned(CASES[name or self.name])
        return made.model_copy(update={"placement": self.placement} | changes)

    def watch(self) -> denoise.StepReporter:
        return denoise.StepReporter(lambda event: None, lambda: False)

    def model(self, plan: ShotPlan) -> pipeline_loader.Model:
        return self.shelf.get(plan, self.root)

    def take(self, plan: ShotPlan, watch: denoise.StepReporter | None = None) -> Latents:
        return denoise.draw(self.model(plan), self.family, shot(plan, "take"), watch or self.watch())

    def decoded(self, plan: ShotPlan, latents: Latents, stage: str = "take") -> np.ndarray:
        model = self.model(plan)
        with vae_at_work(model.pipe, plan.placement, latents) as reachable:
            return self.family.decode(model.pipe, reachable, shot(plan, stage)).frames  # type: ignore[arg-type]

    def render(self, plan: ShotPlan) -> np.ndarray:
        """Of the take that was saved."""
        take = denoise.load(self.root / "take.safetensors", plan.placement.device)
        latents = denoise.refine(self.model(plan), self.family, shot(plan, "render"), self.watch(), take)
        return self.decoded(plan, latents, "render")

    # ---- what a person does, by name ----

    def made(self) -> Frames:
        """A take, looked at on the way, saved, and its render on the warm model; then both once more."""
        plan, watch, seen = self.plan(), self.watch(), []
        shown = preview.peeker(self.model(plan), self.family, shot(plan, "take"), self.root, lambda event: None)
        if shown:  # nobody looks where that would move the model
            watch.peeker = Album(shown.look, plan, seen)  # type: ignore[assignment]
        latents = self.take(plan, watch)
        denoise.save(latents, self.root / "take.safetensors")
        return {"take": self.decoded(plan, latents), "render": self.render(plan),
                **dict(zip(("peek",), seen, strict=False)),
                "take again": self.decoded(plan, self.take(plan)), "render again": self.render(plan)}  # fmt: skip

    def fresh(self) -> Frames:
        self.shelf = pipeline_loader.PipelineCache([self.root])
        return {"render": self.render(self.plan())}

    def switched(self) -> Frames:
        """Another pipeline over the same weights, and back."""
        if self.name not in OTHERS:
            return {}
        other, plan = self.plan(OTHERS[self.name]), self.plan()
        there = self.decoded(other, self.take(other))
        return {"other": there, "back": self.decoded(plan, self.take(plan))}

    def extended(self) -> Frames:
        """The next stretch: what was drawn last is the picture that it starts from."""
        name = next((one for one in (self.name, OTHERS.get(self.name)) if one and "image" in CASES[one].gives), None)
        if name is None:
            return {}
        before, plan = self.decoded(self.plan(), self.take(self.plan())), self.plan(name)
        pictures = plan.request.pictures | {"image": "e" * 32}
        plan = plan.model_copy(update={"request": plan.request.model_copy(update={"pictures": pictures})})
        start = shot(plan, "take")
        last = {"image": Image.fromarray(before[-1]).resize((start.run.width, start.run.height))}
        start = dataclasses.replace(start, given=dataclasses.replace(start.given, pictures=start.given.pictures | last))
        latents, model = denoise.draw(self.model(plan), self.family, start, self.watch()), self.model(plan)
        with vae_at_work(model.pipe, plan.placement, latents) as reachable:
            return {"stretch": self.family.decode(model.pipe, reachable, start).frames}

    def dressed(self) -> Frames:
        """A LoRA, merged where the placement streams, and off again."""
        if not (self.root / f"{LORA}.safetensors").exists():
            loras.make(self.root / "tiny", self.root / f"{LORA}.safetensors")
        worn = self.plan(loras=(PlannedLora(name="tiny", strength=1.0, parts={"transformer": LORA}),))
        return {"on": self.decoded(worn, self.take(worn)), "off": self.decoded(self.plan(), self.take(self.plan()))}

    def continued(self) -> Frames:
        """A run that stops after its first step to be looked at, and goes on from what was saved."""
        plan = self.plan()
        if not plan.recorded:
            return {}
        state, found = self.root / f"{self.placement.kind}.state", []
        state.unlink(missing_ok=True)
        for stop_after in (1, None):
            watch = self.watch()
            watch.recording = Checkpointer(state, "same", stop_after)
            found.append(self.decoded(plan, self.take(plan, watch)))
        return {"first part": found[0], "whole": found[1]}


@dataclasses.dataclass
class Album:
    """Stands where a Peeker stands and keeps every look."""

    look: preview.Look
    plan: ShotPlan
    seen: list[np.ndarray]

    def after_step(self, done: int, steps: int, seconds: float, estimate: preview.Estimate) -> None:
        self.seen.append(self.look.frames(estimate(), shot(self.plan, "take")))


ACTIONS: dict[str, Callable[[Walk], Frames]] = {
    "made": Walk.made, "fresh": Walk.fresh, "switched": Walk.switched, "dressed": Walk.dressed,
    "continued": Walk.continued, "extended": Walk.extended,
}  # fmt: skip
ROUNDING = 1  # levels of 255
SAME = (
    "precision",
    "vae_tiling",
    "vae_slicing",
)  # of a placement, in numbers; and whether LoRAs are merged, which streaming decides


def placement(way: str, device: str) -> Placement:
    """`way` on a device; on the CPU what of it changes numbers: formats and tiles."""
    fields = WAYS[way]
    if device == "cpu":
        fields = {name: value for name, value in fields.items() if name in SAME or value == "group"}
    return Placement(device=device, dtype="float32", **fields)


@functools.lru_cache(maxsize=8)
def on_cpu(name: str, there: Placement, actions: tuple[str, ...]) -> dict[str, Frames]:
    """What the actions give on the CPU: the same for many placements, so some of the last are remembered."""
    with tempfile.TemporaryDirectory() as root:
        alone = Walk(name, there, Path(root))
        return {action: ACTIONS[action](alone) for action in actions}


def steps(
    name: str, way: str, root: Path, actions: tuple[str, ...] = tuple(ACTIONS), card: Card = CARDS[0]
) -> Iterator[tuple[str, str]]:
    """(action, what is wrong with it), empty where nothing is, one after another on one warm model of one card."""
    other = next(one for one in CARDS if one is not card)
    there = Walk(name, placement(way, card.device), root)
    for action, expected in on_cpu(name, placement(way, "cpu"), actions).items():
        if not expected:
            continue
        card.reset()
        other.reset()
        before = other.peak
        try:
            found = ACTIONS[action](there)
        except Exception as error:  # one cell of the table
            yield action, f"{type(error).__name__}: {error}"[:200]
            return
        torch.accelerator.synchronize()
        apart = {part: int(np.abs(frames.astype(int) - expected[part]).max()) for part, frames in found.items()}
        far = {part: levels for part, levels in apart.items() if levels > ROUNDING}
        racing = f"{card.races} blocks of memory were given back too early" if card.races else ""
        astray = "memory was taken on the other card" if other.peak > before else ""
        yield action, f"differs: {far}" if far else racing or astray
