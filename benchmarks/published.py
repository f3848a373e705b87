"""What others published against the forecast: memory and seconds of 69 rows, each with its source.

    python -m benchmarks.published [--write]

A row of benchmarks/published.csv is asked for as its note says: its card, size, frames and steps from noise, its number
format and offloading. `diffusers` is diffusers itself, `same` the same arithmetic in other code; rows of `other
software` have another memory, and the `fitted` ones are where the constants of engine/planning/forecast.py come from.
Nothing was measured by us. --write keeps the table in benchmarks/results/published.md.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.publishing import RESULTS, publish_text
from engine import APP
from engine.planning.constraints import sampler_pass
from engine.planning.cost import CONTEXT_GB, KEPT, allocated_gb, operations
from engine.planning.forecast import Range, denoising, forecast
from engine.schema import Device, HardwareProfile, Overrides, Pass, Placement, Size
from engine.schema.card import ModelCard
from engine.storage.catalog import Catalog

ROWS = Path(__file__).with_name("published.csv")
RESULT = RESULTS / "published.md"
MACHINES = APP / "presets" / "machines"
# The files of the cards there, by their names in the rows.
GPUS = {
    "RTX 4090": "rtx-4090", "RTX 3090": "rtx-3090", "RTX 3060 12GB": "rtx-3060", "RTX 3070 8GB": "rtx-3070",
    "RTX 2080 Ti 11GB": "rtx-2080-ti", "RTX 3080 20GB": "rtx-3080-20gb", "RTX 5090": "rtx-5090",
    "RTX 5070 Ti 16GB": "rtx-5070-ti", "RTX 4060 Laptop 8GB": "rtx-4060-laptop",
    "RTX 4080 Laptop 12GB": "rtx-4080-laptop", "RTX PRO 6000": "rtx-pro-6000", "A100 80GB": "a100-80gb",
    "A800 80GB": "a800-80gb", "H100 80GB": "h100-80gb", "H800 80GB": "h800-80gb", "H200": "h200", "L20": "l20",
}  # fmt: skip
TITLE = """# Published rows against the forecast

`python -m benchmarks.published --write`. Rows, sources and notes: `benchmarks/published.csv`; the cards are as NVIDIA
tells them.
"""
HEAD = """| row | card | GB published | forecast | share | s published | forecast | |
|---|---|---|---|---|---|---|---|"""
KINDS = ("diffusers", "same", "fitted", "other software")
NEAR, FAR, WIDEST = 0.10, 0.25, 2.2  # of the memory; and how many times the longest of a range is its shortest


class Row(NamedTuple):
    """One published row and what the forecast says of it; a figure that was not published, or does not count, is 0."""

    name: str
    kind: str
    gpu: str
    vram_gb: float
    forecast_gb: float
    seconds: float
    forecast_seconds: Range

    @property
    def share(self) -> float:
        """Of the published memory that the forecast says."""
        return self.forecast_gb / self.vram_gb if self.vram_gb else 0.0

    @property
    def inside(self) -> bool:
        low, high = self.forecast_seconds
        return low <= self.seconds <= high


def rows() -> Iterator[Row]:
    cards = Catalog(APP / "presets" / "models").cards
    with ROWS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield _forecast(row, cards[row["model"]])


def _forecast(row: dict[str, str], card: ModelCard) -> Row:
    if row["kind"] == "diffusers" and card.family == "hunyuan_video15":  # which masks the padding that we leave out
        card = card.model_copy(update={"latent": card.latent.model_copy(update={"masked": True})})
    machine = machine_of(GPUS[row["gpu"]])
    device = machine.best
    run, placement = _run(row, card), _placement(row["note"], device)
    said = forecast(card, {"take": run, "render": run}, placement, machine, [])
    alone, counted = "denoising only" in row["note"], "torch's counter" in row["note"]
    seconds = denoising(card, run, placement, device, machine.cpu_count) if alone else said.render_seconds
    counts = "other software: the memory" not in row["note"]
    if "VAE in float32" in row["note"]:
        card = with_vae_in_float32(card, wide_tiles="tiles of 256" in row["note"])
    vram_gb = allocated_gb(card, run, placement) if counted else CONTEXT_GB + allocated_gb(card, run, placement, KEPT)
    return Row(
        name=row["id"], kind=row["kind"], gpu=row["gpu"],
        vram_gb=float(row["vram_gb_published"] or 0) * counts,
        forecast_gb=vram_gb,
        seconds=float(row["seconds_published"] or 0), forecast_seconds=seconds,
    )  # fmt: skip


def with_vae_in_float32(card: ModelCard, wide_tiles: bool) -> ModelCard:
    """The card of a run in 16 bits whose VAE takes 32; `wide_tiles`: in diffusers' own tiles of HunyuanVideo 1.5, twice
    as wide and high as ours."""
    vae, traced = card.components["vae"], card.traced
    assert traced
    decode, tiled = ({name: 2 * figure for name, figure in surface.model_dump().items()}
                     for surface in (traced.decode_gb, traced.tiled_gb))  # fmt: skip
    tiled["frames"] *= 4 if wide_tiles else 1
    figures = {"decode_gb": type(traced.decode_gb)(**decode), "tiled_gb": type(traced.tiled_gb)(**tiled)}
    parts = card.components | {"vae": vae.model_copy(update={"params_b": 2 * vae.params_b})}
    return card.model_copy(update={"components": parts, "traced": traced.model_copy(update=figures)})


def _run(row: dict[str, str], card: ModelCard) -> Pass:
    plain = 1.0 if re.search(r"no guidance|without guidance", row["note"]) else None
    asked = Overrides(num_inference_steps=int(row["steps"]), guidance_scale=plain)
    size = Size(width=int(row["width"]), height=int(row["height"]))
    run = sampler_pass(card, card.render, asked, size, int(row["frames"]))
    return run.model_copy(update={"operations": operations(card, run)})


def machine_of(file: str) -> HardwareProfile:
    return HardwareProfile.model_validate_json((MACHINES / f"{file}.json").read_text(encoding="utf-8"))


def _placement(note: str, device: Device) -> Placement:
    """As the end of a row's note says."""
    found = re.search(r"forecast for (.*)$", note)
    assert found, note
    return placement_of(found[1], device)


def placement_of(words: str, device: Device) -> Placement:
    """Of a row's words: format, offloading, and what more there is."""
    precision, offload, *more = words.split(", ")
    fields = {"precision": precision, "offload": offload, "pin_memory": offload == "group"}
    fields |= {"vae_tiling": "tiled" in more, "vae_slicing": "tiled" in more}
    dropped = "text encoder dropped" in more
    dtype = "bfloat16" if device.capabilities.bf16 else "float16"
    return Placement.model_validate(fields | {"device": device.id, "kind": "cuda", "dtype": dtype,
                                              "text_encoder": "dropped" if dropped else "resident"})  # fmt: skip


def table(found: list[Row]) -> str:
    lines = [TITLE]
    for kind in KINDS:
        of_kind = [row for row in found if row.kind == kind]
        lines += [f"## {kind}", "", _summary(of_kind), "", HEAD, *map(_line, of_kind), ""]
    return "\n".join(lines)


def _summary(of_kind: list[Row]) -> str:
    memory, timed = [row.share for row in of_kind if row.vram_gb], [row for row in of_kind if row.seconds]
    near, far = (sum(abs(share - 1) <= bar for share in memory) for bar in (NEAR, FAR))
    under = sum(share < 1 - NEAR for share in memory)
    inside = sum(row.inside for row in timed)
    said = f"Memory within 10 %: {near} of {len(memory)}, within 25 %: {far}, under by more than 10 %: {under}. "
    return (said if memory else "") + f"Time inside its range: {inside} of {len(timed)}."


def _line(row: Row) -> str:
    low, high = row.forecast_seconds
    memory = (
        f"{row.vram_gb:.1f} | {row.forecast_gb:.1f} | {row.share:.2f}" if row.vram_gb else f"| {row.forecast_gb:.1f} |"
    )
    timed = f"{row.seconds:g} | {low:.0f} to {high:.0f} | {'in' if row.inside else 'out'}" if row.seconds else "| |"
    return f"| {row.name} | {row.gpu} | {memory} | {timed} |"


def main() -> None:
    publish_text(__doc__, table(list(rows())), RESULT)


if __name__ == "__main__":
    main()
