"""Trace every card's architecture at legal sizes, and write the fitted figures into the card.

    python -m benchmarks.trace_cards trace     raw figures to benchmarks/results/traces.json (minutes; no weights)
    python -m benchmarks.trace_cards write     fit them and write [traced] into presets/models/*.toml

The parameters that an architecture builds must be the card's, or it is not traced.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import diffusers
import numpy as np
import tomlkit
import torch
from tomlkit.items import Table

from benchmarks.architectures import ARCHITECTURES
from benchmarks.tracing import Figures, build, fake, measured, parameters_b
from engine import APP
from engine.planning.cost import tokens
from engine.schema import Pass, Placement
from engine.schema.card import ModelCard
from engine.storage.catalog import Catalog
from engine.worker import families
from engine.worker.output import decode

Row = dict[str, float]
CARDS = APP / "presets" / "models"
TERMS: dict[str, Callable[[Row], float]] = {
    "fixed": lambda row: 1.0,
    "linear": lambda row: row["tokens"] / 1e3,
    "square": lambda row: (row["tokens"] / 1e3) ** 2,
    "frame": lambda row: row["width"] * row["height"] / 1e6,
    "clip": lambda row: row["width"] * row["height"] * row["frames"] / 1e6,
    "frames": lambda row: row["frames"],
}
RESULTS = Path(__file__).parent / "results" / "traces.json"
SMALL, MIDDLE, ROOMY, LARGE = (448, 256), (832, 480), (1024, 576), (1280, 704)
SHORT, LONG = 25, 49


def legal(card: ModelCard, side: tuple[int, int], frames: int) -> Pass:
    """A pass of about this size and length that the model allows."""
    rule, scale = card.frames, min(card.size.maximum / MIDDLE[0], 1)
    width, height = (card.render_size.below(int(length * scale)) for length in side)
    frames = max(rule.below(frames), rule.minimum)
    if card.size.only:  # learned positions: one size, and one length
        width, height, frames = card.size.only.width, card.size.only.height, max(frames, rule.minimum)
    return Pass(width=width, height=height, num_frames=frames, fps=rule.fps, num_inference_steps=1, guidance_scale=1,
                flow_shift=1, forwards=1, operations=0)  # fmt: skip


def batch_of(card: ModelCard) -> int:
    """How many prompts a call of the transformer takes: guidance is one call with two, or two calls."""
    return 2 if ARCHITECTURES[card.id].batched and card.render.guidance_scale > 1 else 1


def grid(card: ModelCard, run: Pass) -> tuple[int, int, int]:
    """The latents' frames, height and width."""
    stride = card.latent.stride_frames // (ARCHITECTURES[card.id].settings.get("patch_size_t") or 1)
    return (
        (run.num_frames - 1) // stride + 1,
        run.height // card.latent.stride_pixels,
        run.width // card.latent.stride_pixels,
    )


def trace_transformer(card: ModelCard) -> list[Row]:
    """One row for each size: what a call of the transformer takes."""
    architecture, rows = ARCHITECTURES[card.id], []
    with fake():
        model = built(card, "transformer", architecture.transformer, architecture.settings)
        if card.family == "hunyuan_video15":  # its masks, as the worker makes them
            families.of(card.family).prepare(SimpleNamespace(transformer=model))
        channels = model.config.get("in_channels") or 2 * model.config.in_visual_dim + 1
        for side, frames in (
            (SMALL, SHORT),
            (MIDDLE, SHORT),
            (MIDDLE, card.frames.default),
            (LARGE, card.frames.default),
        ):
            run = legal(card, side, frames)
            with in_bfloat16():
                inputs = architecture.inputs((batch_of(card), channels, *grid(card, run)), run)
            rows.append(where(card, run) | row(measured(model, functools.partial(model, **inputs)), batch_of(card)))
    return rows


def trace_vae(card: ModelCard) -> dict[str, list[Row]]:
    """Rows for decoding whole, decoding in tiles as the worker does, encoding, and decoding next to nothing."""
    architecture = ARCHITECTURES[card.id]
    plan = {"decode": ((SMALL, SHORT), (MIDDLE, SHORT), (SMALL, LONG)),
            "tiled": ((MIDDLE, SHORT), (ROOMY, SHORT), (MIDDLE, LONG), (ROOMY, LONG)),
            "encode": ((SMALL, SHORT),), "least": ((SMALL, SHORT),)}  # fmt: skip
    found: dict[str, list[Row]] = {name: [] for name in plan}
    with fake():
        vae = built(card, "vae", architecture.vae, architecture.vae_settings)
        channels = vae.config.get("latent_channels") or vae.config.z_dim
        noise = {"temb": torch.empty(1, dtype=torch.bfloat16)} if vae.config.get("timestep_conditioning") else {}
        for name, points in plan.items():
            tiled = name == "tiled"
            decode.arrange(vae, Placement(device="cpu", dtype="bfloat16", vae_tiling=tiled, vae_slicing=tiled))
            for side, frames in points:
                run = legal(card, side, frames)
                with in_bfloat16():
                    latents = torch.empty(1, channels, *((1, 2, 2) if name == "least" else grid(card, run)))
                    pixels = torch.empty(1, 3, run.num_frames, run.height, run.width)
                call = (
                    functools.partial(vae.encode, pixels)
                    if name == "encode"
                    else functools.partial(vae.decode, latents, **noise)
                )
                found[name].append(where(card, run) | row(measured(vae, call)))
    return found


def built(card: ModelCard, name: str, kind: str, settings: dict[str, Any]) -> Any:
    """A component, when it has the parameters that the card claims."""
    model = build(getattr(diffusers, kind), settings)
    claimed, found = card.components[name].params_b, parameters_b(model)
    if abs(found / claimed - 1) > 0.006:
        raise ValueError(f"{name} has {found:.3f} B parameters, the card says {claimed} B")
    return model


@contextmanager
def in_bfloat16() -> Iterator[None]:
    torch.set_default_dtype(torch.bfloat16)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def where(card: ModelCard, run: Pass) -> Row:
    return {"width": run.width, "height": run.height, "frames": run.num_frames, "tokens": tokens(card, run)}


def row(figures: Figures, prompts: int = 1) -> Row:
    """Memory of the call, and the work of one prompt of it."""
    return {"gb": figures.peak_gb, "operations": figures.operations / prompts, "moved_gb": figures.moved_gb / prompts,
            "kernels": figures.kernels}  # fmt: skip


def keys(card: ModelCard) -> tuple[str, str]:
    """What cards have in common, so that each is traced once: the transformer at its sizes, and the VAE."""
    it = ARCHITECTURES[card.id]
    grids = [grid(card, legal(card, side, frames)) for side, frames in ((SMALL, SHORT), (LARGE, card.frames.default))]
    vae = (it.vae, it.vae_settings, *filter(None, [decode.SMALLER_TILES.get(it.vae)]))
    return repr((it.transformer, it.settings, batch_of(card), grids)), repr(vae)


def trace_all(cards: dict[str, ModelCard], names: Sequence[str]) -> None:
    """Adds to the file as it goes; what it holds already is not traced again."""
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names:
        for part, trace in zip(keys(cards[name]), (trace_transformer, trace_vae), strict=True):
            if part in results:
                continue
            started = time.perf_counter()
            try:
                results[part] = trace(cards[name])
                print(f"{name} {trace.__name__}: {time.perf_counter() - started:.0f} s", flush=True)
            except Exception as error:  # what cannot be traced is left to the formula, and the reason is told
                print(f"{name} {trace.__name__}: {type(error).__name__}: {str(error)[:300]}", flush=True)
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def fit(rows: list[Row], columns: tuple[str, ...], what: str) -> tuple[dict[str, float], float]:
    """The figure `what` as a sum of columns with positive factors, never below a traced point; and its worst error.

    Least squares of the relative error, lifted to the highest point; of all choices of columns whose factors come out
    positive, the one with the smallest error.
    """
    truth = np.array([row[what] for row in rows])
    best: tuple[dict[str, float], float] = ({}, math.inf)
    for number in range(1, len(columns) + 1):
        for chosen in itertools.combinations(columns, number):
            table = np.array([[TERMS[name](row) for name in chosen] for row in rows]) / truth[:, None]
            factors, *_ = np.linalg.lstsq(table, np.ones(len(rows)), rcond=None)
            if (factors < 0).any():
                continue
            factors = factors / (table @ factors).min()
            error = float((table @ factors).max() - 1)
            if error < best[1] - 0.001:  # fewer terms, unless more are really better
                best = {name: float(f"{factor:.4g}") for name, factor in zip(chosen, factors, strict=True)}, error
    return best


def fitted(card: ModelCard, results: dict[str, Any]) -> Table | None:
    """The [traced] table of a card; None when a part of it could not be traced."""
    transformer, vae = (results.get(part) for part in keys(card))
    if transformer is None or vae is None:
        return None
    rows = [row | {"tflop": row["operations"] / 1e12} for row in transformer]
    fits = {
        "call_tflop": fit(rows, ("fixed", "linear", "square"), "tflop"),
        "call_gb": fit(rows, ("fixed", "linear", "square"), "moved_gb"),
        "denoise_gb": fit(rows, ("fixed", "linear", "square"), "gb"),
        "decode_gb": fit(vae["decode"], ("fixed", "frame", "clip"), "gb"),
        "tiled_gb": fit(vae["tiled"], ("fixed", "frame", "clip", "frames"), "gb"),
    }
    for name in ("decode_gb", "tiled_gb"):
        fits[name][0]["least"] = float(f"{vae['least'][0]['gb']:.3g}")
    shown = ", ".join(f"{row['width']}x{row['height']}x{row['frames']}" for row in transformer)
    table = tomlkit.table()
    table.add(
        tomlkit.comment(f"benchmarks/trace_cards.py, {date.today()}, diffusers {version('diffusers')}, bfloat16.")
    )
    table.add(tomlkit.comment(f"The transformer at {shown}; the VAE at up to four sizes of 25 and 49 frames."))
    for name, (factors, error) in fits.items():
        values = tomlkit.inline_table()
        values.update(factors)
        table.add(name, values)
        table[name].comment(f"fits within {error:.1%}")
    share = max(one["gb"] / vae["decode"][0]["gb"] for one in vae["encode"])
    table.add("encode_share", round(share, 2))
    table.add("kernels", max(row["kernels"] for row in rows))
    pixel = max(1e9 * row["moved_gb"] / (row["width"] * row["height"] * row["frames"]) for row in vae["decode"])
    table.add("vae_bytes_per_pixel", float(f"{pixel:.3g}"))
    table.add("error", round(max(error for _, error in fits.values()), 3))
    return table


def count_decoding(latent: Any, rows: list[Row]) -> None:
    """Put right what decoding computes for a pixel, where the card is wrong by more than a tenth."""
    pixel = max(row["operations"] / (row["width"] * row["height"] * row["frames"]) for row in rows)
    if abs(latent["vae_flops_per_pixel"] / pixel - 1) > 0.1:
        latent["vae_flops_per_pixel"] = tomlkit.value(f"{pixel:.2e}".replace("e+0", "e"))
        latent["vae_flops_per_pixel"].comment("counted by benchmarks/trace_cards.py")


def write(cards: dict[str, ModelCard], names: Sequence[str]) -> None:
    """Put the figures into the cards, and the work of decoding where the card has it."""
    results = json.loads(RESULTS.read_text())
    for name in names:
        path = CARDS / f"{name}.toml"
        document = tomlkit.parse(path.read_text())
        if (table := fitted(cards[name], results)) is None:
            print(f"{name}: not traced")
            continue
        document.pop("traced", None)
        count_decoding(document["latent"], results[keys(cards[name])[1]]["decode"])
        path.write_text(tomlkit.dumps(document).rstrip("\n") + "\n\n" + tomlkit.dumps({"traced": table}))
        print(f"{name}: worst {table['error']:.1%}")


if __name__ == "__main__":
    known = Catalog(CARDS).cards
    chosen = sys.argv[2:] or [name for name in ARCHITECTURES if name in known]
    (trace_all if sys.argv[1:2] == ["trace"] else write)(known, chosen)
