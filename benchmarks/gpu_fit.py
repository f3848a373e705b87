"""Do the forecasts fit? Full-size architectures with random weights, straight on the device; nothing is downloaded.

    python -m benchmarks.gpu_fit      every traced model on cuda:0, whole and as a card of 12, 16 and 24 GB
    python -m benchmarks.gpu_fit --models wan2.1-t2v-1.3b --caps 12
    python -m benchmarks.gpu_fit --device cpu --layers 4 --small      the harness itself, at small sizes

A row is a model, a plan and a size, in a process of its own: what the plan promised, and the peak of VRAM (as NVML
sees it, which counts CUDA's context as the forecast does, and what torch allocated and reserved of that) and RAM,
seconds a call of the transformer, seconds of decoding. A smaller card is emulated by capping the process's memory. Half
of the rows set how much slower than arithmetic the device is; the other half says how wrong that leaves the forecast.
Writes benchmarks/results/gpu_fit-<device>.json, after every row.
"""

from __future__ import annotations

import argparse
import functools
import inspect
import json
import multiprocessing
import re
import statistics
import time
from pathlib import Path
from typing import Any

import diffusers
import psutil
import torch

from benchmarks.architectures import ARCHITECTURES
from benchmarks.trace_cards import CARDS, batch_of, grid
from engine.machine import hardware
from engine.planning.cost import TORCH_RAM_GB, call_operations, memory
from engine.planning.forecast import corrected, paces
from engine.planning.planner import plan
from engine.schema import Device, HardwareProfile, Overrides, PictureRole, Request, ShotPlan, ShotStage
from engine.schema.card import ModelCard
from engine.schema.errors import RushesError
from engine.storage.catalog import Catalog
from engine.worker.accelerator import Accelerator
from engine.worker.loading.device_placement import DTYPES
from engine.worker.memory_limits import Gauge
from engine.worker.output import decode

RESULTS = Path(__file__).parent / "results"
CALLS = 3  # the first one warms up
LAYERS = ("num_layers", "num_visual_blocks")  # what transformers call their depth
Row = dict[str, Any]


def machine(device: str, cap_gb: float) -> HardwareProfile:
    """This machine, its card no larger than the cap."""
    found = hardware.read(Path.cwd())
    chosen = next(other for other in found.devices if other.id == device)
    if cap_gb:
        chosen = chosen.model_copy(update={"vram_gb": cap_gb, "vram_free_gb": min(chosen.vram_free_gb, 0.96 * cap_gb)})
    return found.model_copy(update={"devices": (chosen, *(o for o in found.devices if o.id == "cpu" != device))})


def planned(card: ModelCard, there: HardwareProfile, small: bool) -> ShotPlan:
    pictures: dict[PictureRole, str] = {"image": "0" * 32} if "image" in card.needs else {}
    square = Overrides(width=card.render_size.least, height=card.render_size.least)
    sizes = {"take": square, "render": square, "num_frames": card.frames.minimum + card.frames.step} if small else {}
    asked = {"prompt": "a", "seed": 0, "model": card.id, "aspect": "wide", "device": there.best.id} | sizes
    return plan(Request.model_validate(asked | {"pictures": pictures}), card, there)


def built(card: ModelCard, layers: int) -> tuple[ModelCard, dict[str, Any]]:
    """The card and the settings of its transformer; with `layers`, a shallow one and a card that says so."""
    settings = dict(ARCHITECTURES[card.id].settings)
    if not layers:
        return card, settings
    kind = getattr(diffusers, ARCHITECTURES[card.id].transformer)
    name = next(name for name in LAYERS if name in inspect.signature(kind).parameters)
    with torch.device("meta"):
        params_b = sum(part.numel() for part in kind(**{**settings, name: layers}).parameters()) / 1e9
    parts = {"transformer": card.components["transformer"].model_copy(update={"params_b": params_b}),
             "vae": card.components["vae"]}  # fmt: skip
    return card.model_copy(update={"components": parts}), {**settings, name: layers}


def measure(job: tuple[str, str, float, ShotStage, int, bool]) -> Row | None:
    """One row, in a process of its own; None, and a word, for what cannot be planned."""
    try:
        return measured(job)
    except RushesError as refusal:
        print(f"{job[0]}: {refusal.cause}", flush=True)
        return None


def measured(job: tuple[str, str, float, ShotStage, int, bool]) -> Row:
    model, device, cap_gb, stage, layers, small = job
    card, settings = built(Catalog(CARDS).card(model), layers)
    there, before_gb = machine(device, cap_gb), used_gb(device)
    made = planned(card, there, small)
    parts = {name: part for name, part in card.components.items() if name in ("transformer", "vae")}
    run, placement = made.run(stage), made.placement
    alone = card.model_copy(update={"components": parts})  # the prompt is read before, and its readers are gone
    vram_gb, ram_gb = memory(alone, run, placement)
    # A worker also has the libraries of text encoders and of video files in memory; this process does not.
    ram_gb += psutil.Process().memory_info().rss / 1e9 - TORCH_RAM_GB
    row: Row = {"model": model, "stage": stage, "size": run.size, "frames": run.num_frames, "cap_gb": cap_gb,
                "placement": placement.model_dump(mode="json"), "verdict": made.forecast.verdict, "layers": layers,
                "forecast_vram_gb": vram_gb, "forecast_ram_gb": ram_gb}  # fmt: skip
    if device != "cpu" and cap_gb:
        torch.cuda.set_per_process_memory_fraction(cap_gb * 1e9 / torch.cuda.get_device_properties(device).total_memory)
    try:
        with Gauge(Accelerator(device)) as gauge, torch.no_grad():
            row |= _performed(alone, made, stage, settings)
        row |= vram(device, before_gb) | {"ram_gb": gauge.ram_gb, "ran": True}
    except torch.OutOfMemoryError as error:
        row |= {"ran": False, "error": str(error)[:200]}
    slow, fast = (pace.products for pace in paces(there.best, there.cpu_count))
    return row | {"estimated_call_seconds": _call_operations(card, run, layers) / (slow * fast) ** 0.5}


def vram(device: str, before_gb: float) -> Row:
    """The peak on the card. torch's pool gives nothing back on the way, so what NVML sees at the end is the most."""
    if device == "cpu":
        return {"vram_gb": 0.0}
    return {"vram_gb": round(used_gb(device) - before_gb, 3),
            "allocated_gb": round(torch.cuda.max_memory_allocated(device) / 1e9, 3),
            "reserved_gb": round(torch.cuda.max_memory_reserved(device) / 1e9, 3)}  # fmt: skip


def used_gb(device: str) -> float:
    """What NVML counts as used, by whomever."""
    card = machine(device, 0).best
    return card.vram_gb - card.vram_free_gb


def _call_operations(card: ModelCard, run: Any, layers: int) -> float:
    return call_operations(card, run) * (layers / card.latent.layers if layers else 1)


def _performed(card: ModelCard, made: ShotPlan, stage: ShotStage, settings: dict[str, Any]) -> Row:
    architecture, run, placement = ARCHITECTURES[card.id], made.run(stage), made.placement
    device, dtype = torch.device(placement.device), DTYPES[placement.dtype]
    torch.set_default_dtype(dtype)
    streamed = placement.offload == "group"
    with torch.device("cpu" if streamed else device):
        transformer = getattr(diffusers, architecture.transformer)(**settings).eval()
    transformer.set_attention_backend(placement.attention)
    with device:
        vae = getattr(diffusers, architecture.vae)(**architecture.vae_settings).eval()
        channels = transformer.config.get("in_channels") or 2 * transformer.config.in_visual_dim + 1
        inputs = architecture.inputs((batch_of(card), channels, *grid(card, run)), run)
        latents = torch.zeros(1, vae.config.get("latent_channels") or vae.config.z_dim, *grid(card, run))
    if streamed:
        transformer.enable_group_offload(
            onload_device=device, offload_type="leaf_level", use_stream=device.type == "cuda",
            low_cpu_mem_usage=not placement.pin_memory,
        )  # fmt: skip
    calls = [_timed(device, functools.partial(transformer, **inputs)) for _ in range(CALLS)]
    if placement.offload != "resident":  # what computes next takes its place
        transformer.to("meta")
    decode.arrange(vae, placement)
    noise = {"temb": torch.zeros(1, device=device)} if vae.config.get("timestep_conditioning") else {}
    decode_seconds = _timed(device, functools.partial(vae.decode, latents, **noise))
    return {"call_seconds": statistics.median(calls[1:]), "decode_seconds": decode_seconds}


def _timed(device: torch.device, call: Any) -> float:
    started = time.perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return round(time.perf_counter() - started, 4)


def judged(rows: list[Row]) -> Row:
    """How far the forecasts are off: the memory of every row, the time of one half as the other half sets it."""
    ran = [row for row in rows if row["ran"]]
    if len(ran) < 2:
        return {}
    on_card = [row["vram_gb"] / row["forecast_vram_gb"] for row in ran if row["forecast_vram_gb"]]
    slowness = [row["call_seconds"] / row["estimated_call_seconds"] for row in ran]
    fitted, held_out = slowness[::2], slowness[1::2]
    low, high = corrected((1.0, 1.0), fitted, [])
    set_by = statistics.median(fitted)
    broken = [row["model"] for row in rows if row["verdict"] == "comfortable" and not row["ran"]]
    return {"rows": len(rows),
            "vram_used_of_forecast": [round(share, 3) for share in on_card],
            "vram_within_10_percent_and_never_5_over": (
                all(0.9 <= share <= 1.05 for share in on_card) if on_card else None
            ),
            "ram_used_of_forecast": [round(row["ram_gb"] / row["forecast_ram_gb"], 3) for row in ran],
            "slower_than_arithmetic": round(set_by, 3),
            "time_error_on_the_other_half": [round(other / set_by - 1, 3) for other in held_out],
            "time_in_the_range_on_the_other_half": round(sum(low <= o <= high for o in held_out) / len(held_out), 3),
            "comfortable_but_did_not_run": broken}  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--device", default="cuda:0")
    options.add_argument("--models", nargs="*", default=[])
    options.add_argument("--caps", nargs="*", type=float, default=[0, 12.9, 17.2, 25.8], help="GB; 0: the whole card")
    options.add_argument("--layers", type=int, default=0, help="make the transformers shallow")
    options.add_argument("--out", type=Path, help="where the rows go instead of benchmarks/results/")
    options.add_argument("--small", action="store_true", help="at the smallest clips")
    asked = options.parse_args()
    cards = Catalog(CARDS).cards
    models = asked.models or [name for name in ARCHITECTURES if name in cards and cards[name].traced]
    caps = asked.caps if asked.device != "cpu" else [0]
    device: Device = machine(asked.device, 0).best
    path = asked.out or RESULTS / f"gpu_fit-{re.sub(r'[^a-z0-9]+', '-', device.name.casefold()).strip('-')}.json"
    rows: list[Row] = []
    stages: tuple[ShotStage, ...] = ("take",) if asked.small else ("take", "render")
    for job in (
        (m, asked.device, cap, stage, asked.layers, asked.small) for m in models for cap in caps for stage in stages
    ):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            row = pool.apply(measure, (job,))
        if row is None:
            continue
        rows.append(row)
        print(json.dumps({name: value for name, value in rows[-1].items() if name != "placement"}), flush=True)
        path.write_text(json.dumps({"device": device.name, "judged": judged(rows), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
