"""How well a render keeps its take, through the engine: the starter fully, any installed model by structure alone.

    python bootstrap.py -m benchmarks.kept [--model starter] [--prompts 60] [--sigma S] [--sweep 12] [--json] [--write]

For each scene: a take, its render, the render of another seed's take and the same seed rendered from scratch (the
floor), and the take merely enlarged through the VAE (the ceiling). Structure is the SSIM of the render, brought back to
the take's grid; motion is the distance between the subject's paths, which can be read in the starter's world only. The
kept score of a clip is the mean of both, each 0 at the median floor and 1 at the clip's own ceiling. Detail is measured
against the drawn scene (elsewhere against the render from scratch), so that copying a blurry take cannot win. The sweep
does it for every level of the dial and for a render that continues its take, on the first of the scenes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import kept_table, likeness, publishing
from engine import Engine, Finished, Request
from starter import captions, judge, scenes, world

CEILING_SIGMA = 0.001  # hardly any noise: the take enlarged and encoded again
FLOOR = ("other_seed", "scratch")
OPEN_WORLD = (  # for models that know more than the starter
    "a golden retriever runs along a beach towards the camera, waves behind it",
    "a woman in a yellow raincoat crosses a busy street at night, neon signs reflected in puddles",
    "a small wooden boat drifts on a still mountain lake at sunrise, mist over the water",
    "steam rises from a cup of coffee on a window sill while rain runs down the glass",
    "a red vintage car drives through autumn woods, leaves whirl up behind it",
    "a potter's hands shape a bowl on a turning wheel, close-up",
    "a hot-air balloon rises over a valley of terraced fields, slow aerial shot",
    "a cat jumps from a bookshelf onto a sofa in a sunlit living room",
    "an old fisherman mends a net on a pier, gulls circle above him",
    "a steam train crosses a stone viaduct in the snow",
    "a ballet dancer turns on an empty stage in a single beam of light",
    "lanterns float up into the night sky above a river",
)


@dataclass(frozen=True)
class Scene:
    """What is asked for, and the drawn truth where there is one."""

    prompt: str
    seed: int
    spec: world.Spec | None = None


@dataclass(frozen=True)
class Row:
    """What was measured on one scene, by the names of its clips."""

    prompt: str
    ssim: dict[str, float]
    path: dict[str, float | None]
    detail: dict[str, float]
    right: dict[str, dict[str, bool]]
    seconds: dict[str, float]


def held_out(count: int) -> Iterator[Scene]:
    rng = np.random.default_rng(2026)
    for index in range(count):
        spec = world.random_spec(rng, held=True)
        yield Scene(captions.full_caption(spec, rng).text, index, spec)


def made(studio: Engine, job: Any) -> tuple[np.ndarray, float]:
    """The frames of a finished job and the seconds it took."""
    final = list(studio.watch(job.id))[-1]
    if not isinstance(final, Finished):
        raise SystemExit(f"a job did not finish: {final}")
    found = studio.library.take(job.id) if job.stage == "take" else studio.library.clip(job.id)
    return likeness.frames_of(found.video), final.seconds


def measure(studio: Engine, scene: Scene, model: str, levels: dict[str, float], continues: bool) -> Row:
    """Make and measure everything of one scene; `levels`: the start levels of its renders, by name."""
    request = Request(prompt=scene.prompt, model=model, seed=scene.seed, aspect="square")
    take, other = (studio.make_takes(request.model_copy(update={"seed": scene.seed + n}))[0] for n in (0, 5000))
    clips = {"take": made(studio, take), "other_take": made(studio, other)}
    renders = levels | {"scratch": 1.0, "ceiling": CEILING_SIGMA}
    clips |= {name: made(studio, studio.render(take.id, sigma=sigma)) for name, sigma in renders.items()}
    clips["other_seed"] = made(studio, studio.render(other.id, sigma=levels["render"]))
    if continues:
        first = studio.make_takes(request.model_copy(update={"mode": "continue"}))[0]
        clips["glimpse"] = made(studio, first)
        clips["continue"] = made(studio, studio.render(first.id))
    return measured(scene, {name: clip for name, (clip, _) in clips.items()}, {n: s for n, (_, s) in clips.items()})


def measured(scene: Scene, clips: dict[str, np.ndarray], seconds: dict[str, float]) -> Row:
    """Every render beside the take that it should keep."""
    of = {
        name: "glimpse" if name == "continue" else "take" for name in clips.keys() - {"take", "other_take", "glimpse"}
    }
    paths = {name: judge.path(clip) if scene.spec else None for name, clip in clips.items()}
    height, width = clips["render"].shape[1:3]

    def error(name: str) -> float | None:
        one, other = paths[name], paths[of[name]]
        return likeness.path_error(one, other) if one and other else None

    def alike(name: str) -> float:
        take = clips[of[name]]
        return likeness.ssim(likeness.shrunk(clips[name], *take.shape[1:3]), take)

    spec = scene.spec
    real = scenes.draw(spec, scenes.Window(width, height))[0] if spec else clips["scratch"]
    fine = {name: clips[name] for name in of.keys() - {"other_seed", "ceiling"}}
    fine["enlarged"] = likeness.enlarged(clips["take"], height, width)
    judged = {name: clips[name] for name in fine.keys() - {"enlarged"} | {"take"}} if spec else {}
    return Row(
        prompt=scene.prompt,
        ssim={name: alike(name) for name in of},
        path={name: error(name) for name in of},
        detail={name: likeness.detail(clip, real) for name, clip in fine.items()},
        right={name: right(spec, clip) for name, clip in judged.items() if spec},
        seconds=seconds,
    )


def right(spec: world.Spec, clip: np.ndarray) -> dict[str, bool]:
    reading = judge.read(clip)
    return {name: getattr(reading, name) == getattr(spec, name) for name in world.ATTRIBUTES}


def kept(rows: list[Row], render: str = "render", motion: bool = True) -> list[float]:
    """The kept score of every scene. A lost subject keeps no motion."""
    floor_ssim = float(np.median([row.ssim[name] for row in rows for name in FLOOR]))
    errors = [row.path[name] for row in rows for name in FLOOR]
    floor_path = float(np.median([error for error in errors if error is not None] or [0.0]))
    scores = []
    for row in rows:
        parts = [(row.ssim[render] - floor_ssim) / max(row.ssim["ceiling"] - floor_ssim, 1e-6)]
        error, least = row.path[render], row.path["ceiling"] or 0.0
        if motion:
            parts.append(0.0 if error is None else (floor_path - error) / max(floor_path - least, 1e-6))
        scores.append(float(np.mean(np.clip(parts, 0, 1))))
    return scores


def middle(rows: list[Row], field: str, name: str) -> float | None:
    values = [getattr(row, field)[name] for row in rows]
    known = [value for value in values if value is not None]
    return round(float(np.median(known)), 4) if known else None


def line(rows: list[Row], render: str, motion: bool) -> dict[str, Any]:
    """What is published of one way to render."""
    scores = kept(rows, render, motion)
    errors = [1.0 if row.path[render] is None else row.path[render] for row in rows] if motion else []
    said: dict[str, Any] = {
        "kept": {"median": round(float(np.median(scores)), 4), "worst_tenth": round(float(np.quantile(scores, 0.1)), 4)}
    }
    if errors:
        said["path_error"] = {"median": round(float(np.median(errors)), 4),
                              "nine_of_ten": round(float(np.quantile(errors, 0.9)), 4)}  # fmt: skip
    said |= {"ssim": middle(rows, "ssim", render), "detail": middle(rows, "detail", render)}
    return said | {"accuracy": accuracy(rows, render), "seconds": middle(rows, "seconds", render)}


def accuracy(rows: list[Row], name: str) -> dict[str, float]:
    judged = [row.right[name] for row in rows if row.right]
    return {what: round(float(np.mean([row[what] for row in judged])), 3) for what in (judged[0] if judged else ())}


def report(model: str, rows: list[Row], sigma: float) -> dict[str, Any]:
    """The table that is published."""
    motion = model == "starter"
    names = ("other_seed", "scratch", "ceiling")
    return {"model": model, "prompts": len(rows), "sigma": sigma} | line(rows, "render", motion) | {
        "beside": {name: {"ssim": middle(rows, "ssim", name), "path": middle(rows, "path", name)} for name in names},
        "detail_beside": {name: middle(rows, "detail", name) for name in ("scratch", "enlarged")},
        "accuracy_beside": {name: accuracy(rows, name) for name in ("take", "scratch")},
        "seconds_beside": {name: middle(rows, "seconds", name) for name in ("take", "scratch")},
    }  # fmt: skip


def main() -> None:
    parser = publishing.parser(__doc__)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--prompts", type=int, default=60)
    parser.add_argument("--sigma", type=float, default=None, help="start level; the card's default when left out")
    parser.add_argument("--minutes", type=float, default=600.0, help="no scene is begun after these")
    parser.add_argument("--sweep", type=int, default=0, help="scenes at every level of the dial, and continued")
    options = parser.parse_args()
    home = tempfile.TemporaryDirectory() if options.model == "starter" else None  # others lie in the person's own
    with Engine(Path(home.name) if home else None) as studio:
        studio.start()
        result, rows = run(studio, options)
    publishing.publish(f"kept-{options.model}", result, options, {"scenes": [asdict(row) for row in rows]})
    if options.write:
        kept_table.write()
    if home:
        home.cleanup()


def run(studio: Engine, options: argparse.Namespace) -> tuple[dict[str, Any], list[Row]]:
    rule = studio.models.card(options.model).sigma
    sigma = rule.default if options.sigma is None else options.sigma
    world_of_one = (Scene(prompt, index) for index, prompt in enumerate(OPEN_WORLD[: options.prompts]))
    asked = held_out(options.prompts) if options.model == "starter" else world_of_one
    sweep = {"close": rule.close, "detail": rule.detail}
    rows: list[Row] = []
    began = time.monotonic()
    for scene in asked:
        if time.monotonic() - began > 60 * options.minutes:
            break
        swept = len(rows) < options.sweep
        rows.append(measure(studio, scene, options.model, {"render": sigma} | (sweep if swept else {}), swept))
        print(f"{len(rows)} {scene.prompt}", file=sys.stderr)
    result = report(options.model, rows, sigma)
    if options.sweep:
        some, motion = rows[: options.sweep], options.model == "starter"
        named = {"close": rule.close, "render": sigma, "detail": rule.detail}
        result["sweep"] = {"prompts": len(some)} | {
            f"sigma {level}": line(some, name, motion) for name, level in named.items()
        } | {"continue": line(some, "continue", motion)}  # fmt: skip
    return result, rows


if __name__ == "__main__":
    main()
