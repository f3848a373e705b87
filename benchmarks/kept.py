"""How well a render keeps its take, on the starter, through the engine.

    python bootstrap.py -m benchmarks.kept [--prompts 40] [--sigma S] [--json] [--write]

For each held-out scene: a take, its render, the render of another seed's take and the same seed rendered from scratch
(the floor), and the take merely enlarged through the VAE (the ceiling). Structure is the SSIM of the render, brought
back to the take's grid; motion is the distance between the subject's paths. The kept score of a clip is the mean of
both, each 0 at the median floor and 1 at the clip's own ceiling. Detail is measured against the drawn scene, so that
copying a blurry take cannot win.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import likeness
from engine import APP, Engine, Finished, Request
from starter import captions, judge, scenes, world

CEILING_SIGMA = 0.001  # hardly any noise: the take enlarged and encoded again


@dataclass(frozen=True)
class Clips:
    """All clips of one scene, as frames."""

    take: np.ndarray
    render: np.ndarray
    other_seed: np.ndarray
    scratch: np.ndarray
    ceiling: np.ndarray
    real: np.ndarray


@dataclass(frozen=True)
class Row:
    """What was measured on one scene."""

    prompt: str
    ssim: dict[str, float]
    path: dict[str, float | None]
    detail: dict[str, float]
    right: dict[str, dict[str, bool]]
    seconds: dict[str, float]


def made(studio: Engine, job: Any) -> tuple[str, float]:
    """The video of a finished job and the seconds it took."""
    final = list(studio.watch(job.id))[-1]
    if not isinstance(final, Finished):
        raise SystemExit(f"a job did not finish: {final}")
    found = studio.library.take(job.id) if job.stage == "take" else studio.library.clip(job.id)
    return found.video, final.seconds


def scene(studio: Engine, spec: world.Spec, prompt: str, options: argparse.Namespace, seed: int) -> Row:
    """Make and measure everything of one scene."""
    request = Request(prompt=prompt, seed=seed, aspect="square", sigma=options.sigma)
    take, other = studio.make_takes(request)[0], studio.make_takes(request.model_copy(update={"seed": seed + 5000}))[0]
    files = {"take": made(studio, take), "other_take": made(studio, other)}
    jobs = {
        "render": studio.render(take.id, sigma=options.sigma),
        "other_seed": studio.render(other.id, sigma=options.sigma),
        "scratch": studio.render(take.id, sigma=1.0),
        "ceiling": studio.render(take.id, sigma=CEILING_SIGMA),
    }
    files |= {name: made(studio, job) for name, job in jobs.items()}
    shown = {name: likeness.frames_of(video) for name, (video, _) in files.items() if name != "other_take"}
    height, width = shown["render"].shape[1:3]
    clips = Clips(**shown, real=scenes.draw(spec, scenes.Window(width, height))[0])
    return measured(spec, prompt, clips, {name: seconds for name, (_, seconds) in files.items()})


def measured(spec: world.Spec, prompt: str, clips: Clips, seconds: dict[str, float]) -> Row:
    height, width = clips.take.shape[1:3]
    names = ("render", "other_seed", "scratch", "ceiling")
    small = {name: likeness.shrunk(getattr(clips, name), height, width) for name in names}
    paths = {name: judge.path(getattr(clips, name)) for name in ("take", *names)}
    enlarged = likeness.enlarged(clips.take, *clips.render.shape[1:3])

    def error(name: str) -> float | None:
        both = paths[name] and paths["take"]
        return likeness.path_error(paths[name], paths["take"]) if both else None

    fine = {"render": clips.render, "scratch": clips.scratch, "enlarged": enlarged}
    return Row(
        prompt=prompt,
        ssim={name: likeness.ssim(small[name], clips.take) for name in names},
        path={name: error(name) for name in names},
        detail={name: likeness.detail(clip, clips.real) for name, clip in fine.items()},
        right={name: right(spec, getattr(clips, name)) for name in ("take", "render", "scratch")},
        seconds=seconds,
    )


def right(spec: world.Spec, clip: np.ndarray) -> dict[str, bool]:
    reading = judge.read(clip)
    return {name: getattr(reading, name) == getattr(spec, name) for name in world.ATTRIBUTES}


def kept(rows: list[Row]) -> list[float]:
    """The kept score of every scene. A lost subject keeps no motion."""
    floor_ssim = float(np.median([row.ssim[name] for row in rows for name in ("other_seed", "scratch")]))
    errors = [row.path[name] for row in rows for name in ("other_seed", "scratch")]
    floor_path = float(np.median([error for error in errors if error is not None]))
    scores = []
    for row in rows:
        structure = (row.ssim["render"] - floor_ssim) / max(row.ssim["ceiling"] - floor_ssim, 1e-6)
        error, least = row.path["render"], row.path["ceiling"] or 0.0
        motion = 0.0 if error is None else (floor_path - error) / max(floor_path - least, 1e-6)
        scores.append(float(np.mean(np.clip([structure, motion], 0, 1))))
    return scores


def report(rows: list[Row], sigma: float) -> dict[str, Any]:
    """The table that is published."""
    scores, errors = kept(rows), [1.0 if row.path["render"] is None else row.path["render"] for row in rows]

    def median(field: str, name: str) -> float:
        values = [getattr(row, field)[name] for row in rows]
        return round(float(np.median([value for value in values if value is not None])), 4)

    def middle_and_tail(values: list[float], tail: str, share: float) -> dict[str, float]:
        return {"median": round(float(np.median(values)), 4), tail: round(float(np.quantile(values, share)), 4)}

    def accuracy(name: str) -> dict[str, float]:
        return {what: round(float(np.mean([row.right[name][what] for row in rows])), 3) for what in world.ATTRIBUTES}

    names = ("render", "other_seed", "scratch", "ceiling")
    return {
        "model": "starter",
        "prompts": len(rows),
        "sigma": sigma,
        "kept": middle_and_tail(scores, "worst_tenth", 0.1),
        "path_error": middle_and_tail(errors, "nine_of_ten", 0.9),
        "ssim": {name: median("ssim", name) for name in names},
        "path": {name: median("path", name) for name in names},
        "detail": {name: median("detail", name) for name in ("render", "scratch", "enlarged")},
        "accuracy": {name: accuracy(name) for name in ("take", "render", "scratch")},
        "seconds": {name: median("seconds", name) for name in ("take", "render", "scratch")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=40)
    parser.add_argument("--sigma", type=float, default=None, help="start level; the card's default when left out")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="keep the result in benchmarks/results/")
    options = parser.parse_args()
    rng = np.random.default_rng(2026)
    rows = []
    with tempfile.TemporaryDirectory() as home, Engine(Path(home)) as studio:
        studio.start()
        if options.sigma is None:
            options.sigma = studio.catalog.card("starter").sigma.default
        for index in range(options.prompts):
            spec = world.random_spec(rng, held=True)
            prompt = captions.full_caption(spec, rng).text
            rows.append(scene(studio, spec, prompt, options, seed=index))
            print(f"{index + 1}/{options.prompts} {prompt}", file=sys.stderr)
    result = report(rows, options.sigma)
    if options.write:
        everything = result | {"scenes": [asdict(row) for row in rows]}
        (APP / "benchmarks" / "results" / "kept-starter.json").write_text(json.dumps(everything, indent=1) + "\n")
    print(json.dumps(result, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
