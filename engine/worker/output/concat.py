"""The next stretch of a clip joined to what it goes on from: no picture twice, none missing, the colours held.

The first picture of a stretch and the last one before it are the same picture, so whatever differs between them is the
model's doing: each colour's mean and spread are brought back to what they were, all through the stretch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from engine.media import colours, continuation
from engine.media.resize import fitted
from engine.schema import Pass, Recipe, Stretch
from engine.schema.errors import BadFile
from engine.schema.message import Message
from engine.storage.recipe_file import read_recipe
from engine.worker.families.family import Footage
from engine.worker.output.mp4 import Picture

GAIN = (0.8, 1.25)  # of the spread; a model that is off by more did not redraw the picture
PATCH = 8  # pixels
Joined = tuple[Iterator[Picture], Footage, Recipe]


def join(start: Path, footage: Footage, recipe: Recipe) -> Joined:
    """The pictures before, the stretch without the shared ones, and the recipe with every stretch in it."""
    run = recipe.plan.render
    count, last = 0, None
    for picture in pictures(start, run):
        count, last = count + 1, picture
    if last is None:
        raise BadFile(
            Message("What this clip goes on from has no pictures in it."), Message("Choose another clip, take or file.")
        )
    shared = _pixels(last)
    overlap = recipe.plan.request.extends.overlap if recipe.plan.request.extends else 1
    stretch = footage.frames[overlap - 1 :]
    moved = _colours(stretch[0])[0] - _colours(shared)[0]
    sound, rate = _sound(start, footage, (count, overlap), run)
    rest = replace(footage, frames=held(stretch, shared)[1:], sound=sound, sample_rate=rate)
    stretches = (*_before(start, count), _stretch(recipe, len(rest.frames), moved))
    return pictures(start, run), rest, recipe.but(stretches=stretches)


def held(frames: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """The frames in the colours that make their first one look like `shared`."""
    mean, spread = _colours(frames[0])
    true_mean, true_spread = _colours(shared)
    gain = np.clip(true_spread / np.maximum(spread, 1e-3), *GAIN)
    result = np.empty_like(frames)
    for number, frame in enumerate(frames):  # one at a time: a stretch of floats would fill the memory
        result[number] = np.clip((frame - mean) * gain + true_mean, 0, 255).round()
    return result


def pictures(start: Path, run: Pass) -> Iterator[Picture]:
    """What comes before, as a pass shows it; untouched where size and frame rate are the same."""
    for shown in continuation.pictures(start, run.fps):
        if isinstance(shown, av.VideoFrame) and (shown.width, shown.height) == (run.width, run.height):
            shown.pict_type = av.video.frame.PictureType.NONE  # the encoder decides anew
            yield shown
            continue
        image = colours.picture(shown) if isinstance(shown, av.VideoFrame) else shown
        yield np.asarray(fitted(image, (run.width, run.height), "crop"))


def _pixels(picture: Picture) -> np.ndarray:
    return picture if isinstance(picture, np.ndarray) else np.asarray(colours.picture(picture))


def _colours(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of red, green and blue over patches: an encoder's loss of detail is no loss of colour."""
    height, width = (side // PATCH * PATCH for side in frame.shape[:2])
    grid = frame[:height, :width].reshape(height // PATCH, PATCH, width // PATCH, PATCH, 3)
    patches = grid.mean(axis=(1, 3), dtype=np.float32).reshape(-1, 3)
    return patches.mean(axis=0), patches.std(axis=0)


def _before(start: Path, count: int) -> tuple[Stretch, ...]:
    """The stretches that the file itself names; one without a recipe came from elsewhere."""
    try:
        recipe = read_recipe(start)
    except BadFile:
        return (Stretch(frames=count),)
    return recipe.stretches or (_stretch(recipe, count),)


def _stretch(recipe: Recipe, frames: int, moved: np.ndarray | None = None) -> Stretch:
    red, green, blue = (0.0, 0.0, 0.0) if moved is None else (round(float(level), 2) for level in moved)
    plan = recipe.plan
    return Stretch(id=recipe.id, frames=frames, model=plan.model, prompt=plan.told[:2000], seed=plan.seed,
                   licence=plan.rights, colours_moved=(red, green, blue))  # fmt: skip


def _sound(start: Path, footage: Footage, joint: tuple[int, int], run: Pass) -> tuple[np.ndarray | None, int]:
    """Both sounds in step with their pictures; silence where one has none. `joint`: frames before, and shared."""
    count, overlap = joint
    old, old_rate = _heard(start, footage.sample_rate)
    rate = footage.sample_rate or old_rate
    if not rate:
        return None, 0
    new = np.zeros((1, 0), np.float32) if footage.sound is None else np.atleast_2d(footage.sound).astype(np.float32)
    new = new[:, round(overlap * rate / run.fps) :]  # the rest was heard before
    lengths = round(count * rate / run.fps), round((run.num_frames - overlap) * rate / run.fps)
    channels = max(old.shape[0], new.shape[0])
    parts = [np.zeros((channels, length), np.float32) for length in lengths]
    for part, sound in zip(parts, (old, new), strict=True):
        span = min(part.shape[1], sound.shape[1])
        part[:, :span] = sound[:, :span]
    return np.concatenate(parts, axis=1), rate


def _heard(start: Path, rate: int) -> tuple[np.ndarray, int]:
    """The sound of a file at `rate`, or at its own where that is 0; empty when it has none."""
    with av.open(str(start)) as container:
        if not container.streams.audio:
            return np.zeros((1, 0), np.float32), 0
        stream = container.streams.audio[0]
        rate = rate or stream.rate
        resampler = av.AudioResampler(format="fltp", layout=stream.layout.name, rate=rate)
        heard = [part.to_ndarray() for frame in container.decode(stream) for part in resampler.resample(frame)]
        heard += [part.to_ndarray() for part in resampler.resample(None)]
        return np.concatenate(heard, axis=1) if heard else np.zeros((1, 0), np.float32), rate
