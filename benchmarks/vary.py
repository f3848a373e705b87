"""How far a variation goes from its take, beside how far another seed does, on the starter or any installed model.

    python bootstrap.py -m benchmarks.vary [--model starter] [--prompts 12] [--write]

For each prompt: a take, the takes of two other seeds, and a variation at each amount of the dial (other noise for each
prompt, the same along the dial). `rms` is the distance over all pixels of all frames, of 255; `unlike` is 1 minus the
SSIM. Shares are of the mean distance between seeds; `largest_share` is that of the prompt that moved the most.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import likeness, publishing
from benchmarks.kept import OPEN_WORLD, held_out, made
from engine import Engine, Request
from engine.jobs.kinds.vary import VaryRequest

AMOUNTS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
BAR = 0.5  # of the distance between seeds, at most, at the amount that Vary uses

Pictures = np.ndarray


def main() -> None:
    parser = publishing.parser(__doc__)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--prompts", type=int, default=12)
    options = parser.parse_args()
    home = tempfile.TemporaryDirectory() if options.model == "starter" else None  # others lie in the person's own
    with Engine(Path(home.name) if home else None) as studio:
        studio.start()
        rows = [measure(studio, options.model, number, prompt) for number, prompt in enumerate(asked(options))]
    publishing.publish("vary", report(options.model, rows), options, {"scenes": rows})
    if home:
        home.cleanup()


def asked(options: argparse.Namespace) -> list[str]:
    if options.model == "starter":
        return [scene.prompt for scene in held_out(options.prompts)]
    return list(OPEN_WORLD[: options.prompts])


def measure(studio: Engine, model: str, number: int, prompt: str) -> dict[str, Any]:
    """The distances of one prompt, by amount, and `seeds`: the mean of those between three seeds."""
    request = Request(prompt=prompt, model=model, seed=number)
    take, *others = (studio.make_takes(request.but(seed=number + more))[0] for more in (0, 5000, 6000))
    shown = [made(studio, job)[0] for job in (take, *others)]
    between = [(shown[0], shown[1]), (shown[0], shown[2]), (shown[1], shown[2])]
    told: dict[str, Any] = {"prompt": prompt}
    told["seeds"] = {name: float(np.mean([of(*pair) for pair in between])) for name, of in DISTANCES.items()}
    for amount in AMOUNTS:
        (job,) = studio.submit("vary", VaryRequest(take_id=take.id, amount=amount, seed=9000 + number))
        varied = made(studio, job)[0]
        told[f"{amount:g}"] = {name: of(shown[0], varied) for name, of in DISTANCES.items()}
    return told


def rms(one: Pictures, other: Pictures) -> float:
    return float(np.sqrt(np.mean((one.astype(np.float32) - other.astype(np.float32)) ** 2)))


def unlike(one: Pictures, other: Pictures) -> float:
    return 1 - likeness.ssim(one, other)


DISTANCES = {"rms": rms, "unlike": unlike}


def report(model: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means, and shares of the distance between seeds."""
    means = {name: {of: float(np.mean([row[name][of] for row in rows])) for of in DISTANCES}
             for name in rows[0] if name != "prompt"}  # fmt: skip
    table = {
        f"{amount:g}": {of: round(means[f"{amount:g}"][of], 4) for of in DISTANCES}
        | {f"{of}_share": round(means[f"{amount:g}"][of] / means["seeds"][of], 3) for of in DISTANCES}
        | {"largest_share": round(max(row[f"{amount:g}"]["rms"] / row["seeds"]["rms"] for row in rows), 3)}
        for amount in AMOUNTS
    }
    grows = all(
        means[f"{less:g}"][of] < means[f"{more:g}"][of]
        for less, more in itertools.pairwise(AMOUNTS)
        for of in DISTANCES
    )
    usual = VaryRequest(take_id="").amount
    kept = max(means[f"{usual:g}"][of] / means["seeds"][of] for of in DISTANCES) <= BAR
    return {"model": model, "prompts": len(rows), "default": usual, "grows_with_the_dial": grows,
            "half_of_seeds_at_default": kept, "seeds": {of: round(means["seeds"][of], 4) for of in DISTANCES},
            "amounts": table}  # fmt: skip


if __name__ == "__main__":
    main()
