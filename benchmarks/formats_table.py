"""What number formats cost, for people: docs/number-formats.md, from benchmarks/results/number_formats.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.publishing import RESULTS
from engine import APP, Request
from engine.planning.cost import CONTEXT_GB, KEPT, allocated_gb, part_gb
from engine.planning.planner import plan
from engine.schema import Device, HardwareProfile, Placement
from engine.storage.catalog import Catalog

GGUF_BITS = {"Q8_0": 8.5, "Q5_0": 5.5, "Q4_0": 4.5}  # a weight, by the layout of their blocks of 32
MODEL = "wan2.1-t2v-14b"
HEAD = """# What number formats cost

Written by `python bootstrap.py -m benchmarks.number_formats --write`, which says what is measured: {prompts} scenes of
the starter, on the CPU, both halves of the model in the format. Alike: SSIM of a render on its take to the same one in
full precision, the median and the worst tenth. Kept: how well a render keeps its own take, 0 to 1. Right: how often
colour, shape, motion, background and camera are seen as they were asked for. The starter is small, and its layers are
192 wide: take the order of the formats from here. None was measured on a larger model yet.

Weights and peak are shares of those in full precision, by the forecast for {name} whole on a card
({clip}).

| Format | Alike, median | Worst tenth | Kept, median | Worst tenth | Right | Weights | Peak |
|---|---|---|---|---|---|---|---|"""
FOOT = """
- fp8, int8 and nf4: transformer and text encoder; GGUF: the transformer, told in full precision. Before both become
  smaller, a plan makes the text encoder smaller beside a full transformer, and the other way round.
- Q4_K_M, Q5_K_M and Q6_K mix formats in blocks of 256 weights, which the starter's layers do not have: not measured.
- EXL2 is a format for language models; no video model comes in it, so it is not here.
"""


def shares() -> Iterator[tuple[str, float, float]]:
    """(format, share of the weights, share of the peak) by the forecast."""
    card = Catalog(APP / "presets" / "models").card(MODEL)
    seen = Device(id="cuda:0", name="a card", vram_gb=80, vram_free_gb=80, compute_capability="9.0")
    roomy = HardwareProfile(system="Linux", devices=(seen,), cpu_count=8, ram_gb=256, ram_free_gb=250, page_file_gb=0,
                            disk_free_gb=1000)  # fmt: skip
    run = plan(Request(prompt="a red ball", seed=1, model=MODEL), card, roomy).render
    whole = Placement(device="cuda:0", kind="cuda", dtype="bfloat16", text_encoder="resident")
    full = 0.0, 0.0
    for name in ("full", "fp8", "int8", "nf4", *GGUF_BITS):
        placement, parts = whole, dict(card.components)
        if name in GGUF_BITS:
            size_gb = parts["transformer"].params_b * GGUF_BITS[name] / 8
            parts["transformer"] = parts["transformer"].model_copy(update={"gguf": "file", "size_gb": size_gb})
        else:
            placement = whole.model_copy(update={"precision": name})
        made = card.model_copy(update={"components": parts})
        weights = sum(part_gb(part, of, placement) for part, of in parts.items())
        peak = CONTEXT_GB + allocated_gb(made, run, placement, KEPT)
        full = full if full[0] else (weights, peak)
        yield name, weights / full[0], peak / full[1]


def write() -> None:
    found: dict[str, Any] = json.loads((RESULTS / "number_formats.json").read_text(encoding="utf-8"))
    card = Catalog(APP / "presets" / "models").card(MODEL)
    size = card.render.sizes[next(iter(card.render.sizes))]
    clip = f"{size.width}x{size.height}, {card.frames.default} frames"
    lines = [HEAD.format(prompts=found["prompts"], name=card.name, clip=clip)]
    for name, weights, peak in shares():
        of = found["formats"][name]
        shown = [f"{of[key]:.2f}" for key in ("ssim", "ssim_worst_tenth", "kept", "kept_worst_tenth", "right")]
        lines.append("| " + " | ".join([name, *shown, f"{weights:.2f}", f"{peak:.2f}"]) + " |")
    (APP / "docs" / "number-formats.md").write_text("\n".join(lines) + "\n" + FOOT, encoding="utf-8")


if __name__ == "__main__":
    write()
