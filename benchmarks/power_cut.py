"""Power cuts after "finished": what the record says is there, is there; and what that costs a take.

    python -m benchmarks.power_cut [--cuts 20] [--seed 1] [--write]

The data folder lies on an ext4 disk in a file. A queue of takes runs on it; at drawn moments after one was said to be
finished, the file is copied as it is: what the file system still held back is lost, as when the plug is pulled. Each
copy is mounted, which repairs it as a start after the cut would, and asked for every take that was finished by then.
(Under `LD_PRELOAD=libeatmydata.so`, which swallows every flush, it finds takes that are lost.)

Needs root, a loop device and mkfs.ext4; says so where they are missing. The cost: takes of a warm worker, in turns as
they are and under libeatmydata, which makes every flush return at once, those of the database too.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av

from benchmarks.publishing import RESULTS, keep_lines
from engine import APP, Engine, Finished, Job, Overrides, Request
from engine.paths import open_home
from engine.storage.job_store import Store

RESULT = RESULTS / "power_cut.md"
PROMPT = "a red ball rolls to the left on a blue background"
DISK_BYTES = 96_000_000
LATEST_SECONDS = 1.0  # of a cut after "finished": the kernel writes back by itself after some 5 to 30
TAKES, ROUNDS = 8, 3
EAT_MY_DATA = "libeatmydata.so"


class Missing(Exception):
    """What this machine lacks for it, in a sentence."""


@contextlib.contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    place.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-o", "loop", str(image), str(place)], capture_output=True, text=True)
    if done.returncode:
        raise Missing(f"A file cannot be mounted as a disk here ({done.stderr.strip()}).")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def request(seed: int) -> Request:
    return Request(prompt=PROMPT, seed=seed, num_frames=9, take=Overrides(num_inference_steps=2))


def finished(engine: Engine, job: Job) -> Finished:
    *_, last = engine.watch(job.id)
    if not isinstance(last, Finished):
        raise RuntimeError(f"a take did not finish: {last}")
    return last


def cut(folder: Path, cuts: int, seed: int) -> list[str]:
    """So many cuts over one queue. A sentence for each take that was finished and is not whole after one."""
    drawn, image, lost = random.Random(seed), folder / "disk.img", []
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    if subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], capture_output=True).returncode:
        raise Missing("There is no mkfs.ext4 here.")
    with mounted(image, folder / "disk") as disk, Engine(disk / "home") as engine:
        engine.start()
        for number in range(cuts):
            (job,) = engine.make_takes(request(seed + number))
            finished(engine, job)
            time.sleep(drawn.uniform(0, LATEST_SECONDS))
            done = {one.id for one in engine.store.jobs("finished")}
            copy = folder / "copy.img"
            shutil.copyfile(image, copy)
            lost += [f"cut {number}: {what}" for what in after(copy, folder / "after", done)]
            for take in engine.library.takes()[3:]:  # room for the next ones
                engine.library.delete_take(take)
    return lost


def after(copy: Path, place: Path, done: set[str]) -> list[str]:
    """What is wrong on a disk after its cut, of the takes that were finished before."""
    with mounted(copy, place) as disk:
        places = open_home(disk / "home")
        known = Store(places.database)
        try:
            recorded = {job.id for job in known.jobs("finished")}
        finally:
            known.close()
        wrong = [f"{name} is not finished any more" for name in sorted(done - recorded)]
        for folder in places.takes.iterdir():
            try:
                with av.open(str(folder / "take.mp4")) as container:
                    frames = sum(1 for _ in container.decode(video=0))
                sizes = [path.stat().st_size for path in folder.iterdir()]
            except Exception as error:  # whatever it is, it is a take that is lost
                wrong.append(f"{folder.name}: {error!r}")
                continue
            if frames != 9 or not all(sizes) or len(sizes) < 4:
                wrong.append(f"{folder.name} has {frames} frames, files of {sizes} bytes")
        return wrong


def cost(folder: Path) -> tuple[float, float]:
    """Seconds of a take with its flushes and without them: medians over rounds in turns. Raises Missing."""
    seconds: dict[str, list[float]] = {"": [], EAT_MY_DATA: []}
    for number in range(ROUNDS):
        for loaded, found in seconds.items():
            words = [sys.executable, "-m", "benchmarks.power_cut", "--takes", str(folder / f"home{number}{loaded}")]
            done = subprocess.run(
                words, cwd=APP, env=os.environ | {"LD_PRELOAD": loaded}, capture_output=True, text=True
            )
            if done.returncode or "cannot be preloaded" in done.stderr:
                raise Missing(f"{EAT_MY_DATA} is not here (Debian: eatmydata), so the cost cannot be measured.")
            found += map(float, done.stdout.split())
    return statistics.median(seconds[""]), statistics.median(seconds[EAT_MY_DATA])


def takes(home: Path) -> None:
    """Print the seconds of some takes from the order to "finished", with the model ready."""
    with Engine(home) as engine:
        engine.start()
        for number in range(TAKES + 1):
            begun = time.perf_counter()
            finished(engine, engine.make_takes(request(number))[0])
            if number:  # the first one loads the model
                print(time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description="Cut the power after takes were finished, and look for them.")
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--takes", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help=f"Write {RESULT.relative_to(APP)}.")
    asked = parser.parse_args()
    if asked.takes:
        return takes(asked.takes)
    lines, lost = [], []
    with tempfile.TemporaryDirectory() as folder:
        try:
            lost = cut(Path(folder), asked.cuts, asked.seed)
            found = f"{asked.cuts} cuts up to {LATEST_SECONDS:g} s after a take was finished, seed {asked.seed}."
            lines += [found, *(lost or ["Every take that was said to be finished is there and whole after each."])]
        except Missing as missing:
            lines.append(str(missing))
        try:
            flushed, plain = cost(Path(folder))
            told = f"A take of the starter (9 frames, 2 steps, model ready) takes {flushed:.3f} s, without flushes"
            lines.append(f"{told} {plain:.3f} s: they cost {100 * (flushed / plain - 1):.1f} %.")
        except Missing as missing:
            lines.append(str(missing))
    print("\n".join(lines))
    if asked.write:
        keep_lines(RESULT, "Power cuts", f"python -m benchmarks.power_cut --cuts {asked.cuts}", lines)
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
