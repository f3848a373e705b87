"""Every number format with every offload mode, for every family, on a real device: a take and its render.

    python -m benchmarks.gpu_smoke [--device cuda:0] [--only wan-2.1,ltx] [--full-size] [--json] [--out FILE]

Tiny random checkpoints; `--full-size` runs Wan with the widths of 1.3B and 30 layers, random too, at 832x480. A row is
good when the latents are finite, the frames have their exact size and more than one colour, and offloading changed them
by rounding at most. `difference` (mean, of 255) is against the same format whole on the device, and for that itself
against full precision. Wan and LTX then wear a LoRA: it must be seen, and gone without a trace . Combinations
that the planner refuses are not run. Exits with 1 when a row is not good.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from benchmarks.second_load import build
from engine import APP
from engine.planning.compatibility import obstacle
from engine.schema import Device, Offload, Pass, Placement, PlannedLora, Precision, ShotPlan
from engine.storage.catalog import Catalog
from engine.worker import families
from engine.worker.accelerator import Accelerator, described, kind_of
from engine.worker.loading import lora_adapters, pipeline_loader
from engine.worker.output.decode import vae_at_work
from engine.worker.sampling import denoise
from tests.engine import test_second_stage
from tests.engine.test_families import CASES, Case, planned, shot
from tests.tiny import gguf_weights, loras

GGUF = {"wan-2.1": gguf_weights.WAN_NAMES, "ltx": None, "mochi": None, "hunyuan-video": None, "ltx-2": None}


def build_full_size(folder: Path) -> None:
    build(folder, 1.4)


FULL_SIZE = Case(build_full_size, "wan", "WanPipeline", 16, 17)
LORAS, LORA = ("wan-2.1", "ltx"), "1" * 32
TWO_STAGES = {f"{name}-two-stages": case for name, case in test_second_stage.CASES.items()}
ALL = CASES | TWO_STAGES | {"wan-1.3b": FULL_SIZE}
ROUNDING = 1.0  # levels of 255, mean


def device_of(name: str) -> Device:
    kind = kind_of(name)
    if kind == "cpu":
        return Device(id=name, kind=kind, name=platform.processor() or name)
    return next(device for device in described() if device.id == name)


def placements(device: Device, is_gguf: bool) -> Iterator[Placement]:
    """Every combination that the planner allows, each streamed one with and without locked memory."""
    card = Catalog(APP / "presets" / "models").card("wan2.1-t2v-1.3b")
    if is_gguf:
        part = card.components["transformer"].model_copy(update={"gguf": "any.gguf"})
        card = card.model_copy(update={"components": card.components | {"transformer": part}})
    dtype: Any = "float32" if device.kind == "cpu" else "bfloat16" if device.capabilities.bf16 else "float16"
    for precision in get_args(Precision):
        for offload in get_args(Offload):
            if obstacle(card, device, precision, offload):
                continue
            for tiles, pins in ((False, True), (True, False)):
                yield Placement(
                    device=device.id, kind=device.kind, dtype=dtype, precision=precision, offload=offload,
                    vae_tiling=tiles, vae_slicing=tiles, pin_memory=pins and offload == "group",
                )  # fmt: skip


@torch.no_grad()
def run(case: Case, folder: Path, plan: ShotPlan, caches: Path) -> tuple[np.ndarray, dict[str, Any]]:
    """The frames of a render that started on a take, and what it cost."""
    card = Accelerator(plan.placement.device)
    card.forget_peak()
    family, watch = families.of(case.family), denoise.StepReporter(lambda event: None, lambda: False)
    started = time.perf_counter()
    model = pipeline_loader.load(folder, plan.placement, case.pipeline, pipeline_loader.Loading(family, caches=caches))
    loaded = time.perf_counter()
    take = denoise.draw(model, family, shot(plan, "take"), watch)
    render = shot(plan, "render")
    latents = denoise.refine(model, family, render, watch, take)
    if not all(part.isfinite().all() for part in latents.values()):
        raise ArithmeticError("the latents are not finite")
    with vae_at_work(model.pipe, plan.placement, latents) as reachable:
        frames = family.decode(model.pipe, reachable, render).frames
    given = folder.parent / "loras"
    if (given / f"{LORA}.safetensors").is_file():
        wear(case, model, plan, given)
    cost = {"load_seconds": round(loaded - started, 2), "seconds": round(time.perf_counter() - loaded, 2)}
    if card.peak_gb:
        cost["vram_gb"] = round(card.peak_gb, 3)
    return frames, cost


def wear(case: Case, model: pipeline_loader.Model, plan: ShotPlan, given: Path) -> None:
    """Put a LoRA on the loaded model and take it off. Raises ArithmeticError when it is not seen or leaves a trace."""
    worn = plan.model_copy(update={"loras": (PlannedLora(name="tiny", strength=1.0, parts={"transformer": LORA}),)})
    if worn.fused:  # put on while loading, which tests/engine/test_loras.py runs
        return
    family, watch = families.of(case.family), denoise.StepReporter(lambda event: None, lambda: False)

    def takes() -> torch.Tensor:
        return denoise.draw(model, family, shot(plan, "take"), watch)["latents"].cpu()

    none = takes()
    lora_adapters.wear(model.pipe, worn, given)
    seen = takes()
    lora_adapters.wear(model.pipe, plan, given)
    if torch.equal(seen, none) or not torch.equal(takes(), none):
        raise ArithmeticError("a LoRA was not seen, or left a trace")


def rows(
    name: str, device: Device, root: Path, references: dict[str, np.ndarray], is_gguf: bool
) -> Iterator[dict[str, Any]]:
    """The table's rows of one family. `references`: frames of each format that was run whole on the device."""
    case, folder = ALL[name], root / name
    if not folder.exists():
        case.build(folder)
        if name in LORAS:
            (root / "loras").mkdir()
            loras.make(folder, root / "loras" / f"{LORA}.safetensors")
    if is_gguf:
        folder = gguf_weights.packed_copy(folder, root / f"{name}-gguf", GGUF[name]).parents[1]
    for placement in placements(device, is_gguf):
        plan = planned(case).model_copy(update={"placement": placement})
        if name in TWO_STAGES:
            plan = plan.model_copy(update={"latent_upsampler": test_second_stage.HOW})
        if case is FULL_SIZE:
            plan = plan.model_copy(update={"take": sized(plan.take, 416, 240), "render": sized(plan.render, 832, 480)})
        row: dict[str, Any] = {"family": name, **placement.model_dump(include={"precision", "offload", "vae_tiling",
                                                                              "pin_memory"})}  # fmt: skip
        try:
            frames, cost = run(case, folder, plan, root / "caches")
            whole = placement.offload == "resident" and not placement.vae_tiling
            if whole:
                references[placement.precision] = frames
            difference = np.abs(frames.astype(float) - references["full" if whole else placement.precision]).mean()
            sized_right = frames.shape == (plan.render.num_frames, plan.render.height, plan.render.width, 3)
            near = whole or placement.vae_tiling or difference <= ROUNDING  # tiles overlap, and so blend
            good = bool(sized_right and frames.std() > 0 and near)
            yield row | cost | {"ok": good, "difference": round(float(difference), 3)}
        except Exception as error:  # one row is lost, not the table
            yield row | {"ok": False, "error": f"{type(error).__name__}: {error}"[:300]}


def sized(run: Pass, width: int, height: int) -> Pass:
    return run.model_copy(update={"width": width, "height": height})


def told(device: Device, found: list[dict[str, Any]]) -> str:
    failed = sum(not row["ok"] for row in found)
    return json.dumps({"device": device.name, "torch": torch.__version__, "rows": found, "failed": failed})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--only", default=",".join(CASES | TWO_STAGES))
    parser.add_argument("--full-size", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, help="write the rows there too, after each of them")
    options = parser.parse_args()
    device = device_of(options.device)
    found: list[dict[str, Any]] = []
    for name in ["wan-1.3b"] if options.full_size else options.only.split(","):
        root, references = Path(tempfile.mkdtemp()), {}
        try:
            for is_gguf in (False, True) if name in GGUF else (False,):
                for row in rows(name, device, root, references, is_gguf):
                    found.append(row)
                    print(row, file=sys.stderr, flush=True)
                    if options.out:
                        options.out.write_text(told(device, found))
        finally:
            shutil.rmtree(root, ignore_errors=True)
    failed = [row for row in found if not row["ok"]]
    if options.json:
        print(told(device, found))
    else:
        print(f"{device.name}: {len(found) - len(failed)} of {len(found)} combinations run")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
