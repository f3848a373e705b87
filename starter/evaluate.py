"""Score clips of held-out combinations: which attributes of the prompt does the judge read back from the pixels?

python -m starter.evaluate --source real --count 200            # the judge itself: 1.0 everywhere
python -m starter.evaluate --source vae --count 200             # the ceiling: drawn clips through the autoencoder
python -m starter.evaluate --source take --count 200            # with the card's settings for takes
python -m starter.evaluate --source scratch --count 200         # with those for renders, from noise
python -m starter.evaluate --source render --count 200          # the studio's: a take, approved and rendered
python -m starter.evaluate --source files --folder DIR    # NAME.npy or NAME.mp4, each beside its NAME.json (a Spec)
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import numpy as np
import torch
from diffusers import DiffusionPipeline

from engine import APP, Engine, Finished, Request
from engine.schema import Job
from engine.storage.catalog import Catalog
from starter.captions import full_caption
from starter.judge import read
from starter.scenes import Window, draw
from starter.vae import decode_latents, encode_clip, make_one_pass
from starter.world import ATTRIBUTES, FRAMES, RENDER_SIZES, TAKE_SIZES, Spec, random_spec

CARD = Catalog(APP / "presets" / "models").card("starter")


@dataclass(frozen=True)
class Case:
    """A held-out specification, its sentence, its frame size in pixels and its seed."""

    spec: Spec
    prompt: str
    width: int
    height: int
    seed: int


def cases(count: int, sizes: dict[str, tuple[int, int]], seed: int = 11) -> list[Case]:
    """The same held-out combinations and sentences for every source; the three aspects take turns."""
    rng = np.random.default_rng(seed)
    aspects = list(sizes.values())
    specs = [random_spec(rng, held=True) for _ in range(count)]
    return [
        Case(spec, full_caption(spec, rng).text, *aspects[i % len(aspects)], seed=1000 + i)
        for i, spec in enumerate(specs)
    ]


def real_clip(case: Case) -> np.ndarray:
    return draw(case.spec, Window(case.width, case.height))[0]


def vae_clips(todo: list[Case], model: Path) -> Iterator[tuple[Spec, np.ndarray]]:
    vae = make_one_pass(DiffusionPipeline.from_pretrained(model).vae)
    for case in todo:
        pixels = torch.from_numpy(real_clip(case)).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        with torch.no_grad():
            decoded = decode_latents(vae, encode_clip(vae, pixels))[0]
        yield case.spec, ((decoded.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 3, 0).numpy()


def generated_clips(todo: list[Case], options: argparse.Namespace) -> Iterator[tuple[Spec, np.ndarray]]:
    """Clips by the unmodified pipeline, one call per clip as the studio makes them, with the card's settings."""
    rule = CARD.take if options.source == "take" else CARD.render
    pipeline = DiffusionPipeline.from_pretrained(options.model)
    scheduler = pipeline.scheduler
    pipeline.scheduler = type(scheduler).from_config(scheduler.config, flow_shift=options.shift or rule.flow_shift)
    pipeline.set_progress_bar_config(disable=True)
    for case in todo:
        frames = pipeline(
            case.prompt,
            width=case.width,
            height=case.height,
            num_frames=FRAMES,
            num_inference_steps=options.steps or rule.num_inference_steps,
            guidance_scale=options.guidance or rule.guidance_scale,
            max_sequence_length=64,
            generator=torch.Generator().manual_seed(case.seed),
            output_type="np",
        ).frames[0]
        yield case.spec, (np.asarray(frames) * 255).round().astype(np.uint8)


def approved_clips(todo: list[Case]) -> Iterator[tuple[Spec, np.ndarray]]:
    """Renders as a person gets them: by the studio, with the card's settings, each from a take of the same words."""
    aspects = {size: name for name, size in RENDER_SIZES.items()}
    with tempfile.TemporaryDirectory() as home, Engine(Path(home)) as studio:
        studio.start()
        for case in todo:
            asked = Request(prompt=case.prompt, seed=case.seed, aspect=aspects[case.width, case.height])
            (take,) = studio.make_takes(asked)
            finish(studio, take)
            clip = studio.render(take.id)
            finish(studio, clip)
            yield case.spec, frames_of(Path(studio.library.clip(clip.id).video))


def finish(studio: Engine, job: Job) -> None:
    final = list(studio.watch(job.id))[-1]
    if not isinstance(final, Finished):
        raise SystemExit(f"a job did not finish: {final}")


def frames_of(video: Path) -> np.ndarray:
    with av.open(str(video)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def clips_in(folder: Path) -> Iterator[tuple[Spec, np.ndarray]]:
    """Clips that something else made, each beside the JSON of its specification (other keys are ignored)."""
    for path in sorted(folder.glob("*.json")):
        said = json.loads(path.read_text())
        spec = Spec(**{name: said[name] for name in ATTRIBUTES})
        array, video = path.with_suffix(".npy"), path.with_suffix(".mp4")
        if array.exists():
            yield spec, np.load(array)
        elif video.exists():
            yield spec, frames_of(video)


def clips(options: argparse.Namespace) -> Iterator[tuple[Spec, np.ndarray]]:
    """(what was asked for, RGB uint8 of shape (25, height, width, 3)) from the chosen source."""
    if options.source == "files":
        return clips_in(options.folder)
    todo = cases(options.count, TAKE_SIZES if options.source == "take" or options.size == "take" else RENDER_SIZES)
    if options.source == "render":
        return approved_clips(todo)
    if options.source == "real":
        return ((case.spec, real_clip(case)) for case in todo)
    return vae_clips(todo, options.model) if options.source == "vae" else generated_clips(todo, options)


def chance(attribute: str) -> float:
    """What always answering the most frequent value would score on held-out combinations."""
    rng = np.random.default_rng(11)
    values = [getattr(random_spec(rng, held=True), attribute) for _ in range(2000)]
    return max(values.count(value) for value in set(values)) / len(values)


def score(options: argparse.Namespace) -> dict:
    """Accuracy per attribute over all clips, and the share whose two colours changed places."""
    started, hits, swapped, swappable, count = time.monotonic(), dict.fromkeys(ATTRIBUTES, 0), 0, 0, 0
    for spec, clip in clips(options):
        seen = read(clip)
        for name in ATTRIBUTES:
            hits[name] += getattr(spec, name) == getattr(seen, name)
        swappable += " " not in spec.background
        swapped += (seen.colour, seen.background) == (spec.background, spec.colour)
        count += 1
        if options.verbose:
            print(asdict(spec), asdict(seen), file=sys.stderr, flush=True)
    return {
        "source": options.source,
        "clips": count,
        "accuracy": {name: round(hit / count, 3) for name, hit in hits.items()},
        "chance": {name: round(chance(name), 3) for name in ATTRIBUTES},
        "swapped": round(swapped / max(1, swappable), 3),
        "seconds_per_clip": round((time.monotonic() - started) / count, 2),
    }


def table(result: dict) -> str:
    rows = [f"{name:12} {result['accuracy'][name]:6.3f}   chance {result['chance'][name]:.3f}" for name in ATTRIBUTES]
    swaps = f"colours swapped {result['swapped']:.3f} of the clips on a plain background"
    return "\n".join([f"{result['source']}, {result['clips']} held-out clips", *rows, swaps])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", choices=("real", "vae", "take", "scratch", "render", "files"), default="take")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--size", choices=("take", "render"), default="render", help="frame size for real and vae")
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--steps", type=int, default=0, help="instead of the card's, as --guidance and --shift")
    parser.add_argument("--guidance", type=float, default=0.0)
    parser.add_argument("--shift", type=float, default=0.0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="every clip's specification and reading, on stderr")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    result = score(options)
    print(json.dumps(result) if options.json else table(result))


if __name__ == "__main__":
    main()
