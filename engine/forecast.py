"""What a plan will need, as pure arithmetic: no files, no torch, no clock.

Time = operations / rate. The operations of a latent transformer are counted from the card; the rate comes from this
machine's own measured runs, or, before there are any, from a wide guess that says it is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles

from engine.card import ModelCard
from engine.placing import memory, tokens
from engine.types import Forecast, HardwareProfile, Pass, Placement, Run, Stage, Verdict

# Sustained operations a second before anything was measured here. A CPU core of the last ten years does 10 to 60
# GFLOP/s in torch's matmuls; a GPU 10 to 100 TFLOP/s. Wide on purpose: the first measured run replaces it.
GUESSED_RATE = {"cpu": (1.0e10, 6.0e10), "cuda": (1.0e13, 1.0e14), "mps": (2.0e12, 2.0e13)}


def operations(card: ModelCard, run: Pass) -> float:
    """Floating-point operations of one pass, decoding included; what `run.operations` says does not matter."""
    count, params = tokens(card, run), card.components["transformer"].params_b * 1e9
    forward = 2 * params * count + 4 * card.latent.layers * count**2 * card.latent.width
    calls = run.num_inference_steps * run.forwards
    pixels = run.width * run.height * run.num_frames
    return calls * forward + pixels * card.latent.vae_flops_per_pixel


def seconds(work: float, runs: Sequence[float], device: str, cpu_count: int) -> tuple[float, float]:
    """A range of seconds for `work` operations; `runs` are measured operations a second, newest last."""
    if len(runs) >= 4:
        slow, *_, fast = quantiles(runs[-20:], n=10)
        return 0.95 * work / fast, 1.1 * work / slow
    if runs:
        return 0.8 * work / max(runs), 1.4 * work / min(runs)
    slow, fast = GUESSED_RATE[device.partition(":")[0]]
    cores = cpu_count if device == "cpu" else 1
    return work / (fast * cores), work / (slow * cores)


def forecast(
    card: ModelCard, passes: dict[Stage, Pass], placement: Placement, hardware: HardwareProfile, runs: Sequence[Run]
) -> Forecast:
    """The forecast of a take and its render. `runs` are this machine's measured runs of the model, oldest first."""
    ranges = {}
    for stage, run in passes.items():
        rates = [r.operations / r.seconds for r in runs if r.stage == stage and r.device == placement.device]
        ranges[stage] = seconds(run.operations, rates, placement.device, hardware.cpu_count)
    vram_gb, ram_gb = (
        max(needs) for needs in zip(*(memory(card, run, placement) for run in passes.values()), strict=True)
    )
    measured = sum(r.device == placement.device for r in runs)
    return Forecast(
        verdict=_verdict(placement, vram_gb, ram_gb, hardware),
        vram_gb=round(vram_gb, 2),
        ram_gb=round(ram_gb, 2),
        disk_gb=round(card.size_gb, 3),
        download_gb=0.0 if not card.repo else round(card.size_gb, 3),
        take_seconds=_rounded(ranges["take"]),
        render_seconds=_rounded(ranges["render"]),
        basis=f"from {measured} runs on this machine" if measured else "estimated, nothing measured here yet",
    )


def _verdict(placement: Placement, vram_gb: float, ram_gb: float, hardware: HardwareProfile) -> Verdict:
    device = next((device for device in hardware.devices if device.id == placement.device), hardware.best)
    on_card = placement.device != "cpu"
    if ram_gb > hardware.ram_gb + hardware.page_file_gb or (on_card and vram_gb > device.vram_gb):
        return "unlikely"
    if ram_gb > 0.9 * hardware.ram_free_gb or (on_card and vram_gb > 0.92 * device.vram_free_gb):
        return "tight"
    return "comfortable" if placement.offload == "resident" else "offloads"


def _rounded(low_high: tuple[float, float]) -> tuple[float, float]:
    low, high = low_high
    return round(low, 1), round(high, 1)
