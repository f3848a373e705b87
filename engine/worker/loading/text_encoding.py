"""What a model is told, encoded once: remembered in memory and on disk, and only else by its text encoders.

The text encoders are half of many models, and a second take of the same words needs none of it. So they lie in a
pipeline of their own, which is loaded when words come that were never encoded here.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.durable_files import written
from engine.schema import Placement, Readers
from engine.schema.events import Event, Progress
from engine.worker.accelerator import Accelerator
from engine.worker.families.family import LatentVideo, Shot
from engine.worker.loading import single_file_loader

KEPT_BYTES = 1_000_000_000  # of encoded prompts of one model, in RAM
DISK_BYTES = 2_000_000_000  # a prompt of T5-XXL takes 4 MB, one of LTX-2 up to 400
SAMPLE_BYTES, SAMPLES = 65_536, 16
Encoded = dict[str, Any]  # arguments of the pipeline's call: tensors, or None


class PromptCache:
    """Encoded prompts on disk, the least recently used dropped beyond `limit_bytes`. No file says what the words were.

    It only saves time: a file that is damaged is dropped, and one that cannot be written is done without.
    """

    def __init__(self, folder: Path, limit_bytes: int = DISK_BYTES) -> None:
        self._folder, self._limit_bytes = folder, limit_bytes

    def get(self, key: str) -> Encoded | None:
        path = self._folder / f"{key}.safetensors"
        try:
            with safe_open(str(path), framework="pt") as file:
                found: Encoded = dict.fromkeys(json.loads(file.metadata()["none"]))
                found |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
            path.touch()
            return found
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, ValueError, LookupError, TypeError):
            with contextlib.suppress(OSError):
                path.unlink()
            return None

    def put(self, key: str, encoded: Encoded) -> None:
        tensors = {name: part.cpu().contiguous() for name, part in encoded.items() if part is not None}
        none = json.dumps([name for name, part in encoded.items() if part is None])
        with contextlib.suppress(OSError, SafetensorError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with written(self._folder / f"{key}.safetensors") as path:
                save_file(tensors, path, metadata={"none": none})
            self._prune()

    def _prune(self) -> None:
        newest_first = sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for path in newest_first:
            total += path.stat().st_size
            if total > self._limit_bytes:
                path.unlink()


class Prompts:
    """The encoded prompts of one loaded model.

    `load_encoders`, given the pipeline that draws and where the encoders are to be, loads one that has these instead.
    """

    def __init__(self, load_encoders: Callable[[Any, Readers], Any], identity: str) -> None:
        self._load_encoders, self._identity = load_encoders, identity
        self._encoders: Any = None
        self._where: Readers = "resident"
        self._kept: dict[str, Encoded] = {}
        self.cache: PromptCache | None = None
        self.counted: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext  # while they are loaded

    def encoded(self, pipe: Any, family: LatentVideo, shot: Shot, emit: Callable[[Event], None]) -> Encoded:
        """The shot's words as arguments of the call of `pipe`, on the device. Encoding them now is told."""
        key = self._key(pipe, family, shot)
        if key not in self._kept:
            found = self.cache.get(key) if self.cache else None
            if found is None:
                emit(Progress(phase="prompt"))
                found = self._encode(pipe, family, shot)
                if self.cache:
                    self.cache.put(key, found)
            self._keep(key, {name: part if part is None else part.cpu() for name, part in found.items()})
        device = shot.plan.placement.device
        return {name: part if part is None else part.to(device) for name, part in self._kept[key].items()}

    def make_room(self, placement: Placement) -> None:
        """Let encoders go that lie on the device, where another plan counts on them not to."""
        if self._encoders is not None and self._where == "resident" and placement.text_encoder != "resident":
            self._encoders = None
            Accelerator(placement.device).free()

    def _keep(self, key: str, encoded: Encoded) -> None:
        """In RAM: a prompt of LTX-2 takes 0.4 GB, which the card needs for the clip."""
        self._kept[key] = encoded
        while len(self._kept) > 1 and sum(map(_bytes, self._kept.values())) > KEPT_BYTES:
            del self._kept[next(iter(self._kept))]

    def _encode(self, pipe: Any, family: LatentVideo, shot: Shot) -> Encoded:
        if self._encoders is None:
            with self.counted():
                self._where = shot.plan.placement.text_encoder
                self._encoders = self._load_encoders(pipe, self._where)
        try:
            return family.encode(self._encoders, shot, pipe.transformer)
        finally:
            self._encoders.maybe_free_model_hooks()
            if shot.plan.placement.text_encoder == "dropped":
                self._encoders = None
                Accelerator(shot.plan.placement.device).free()

    def _key(self, pipe: Any, family: LatentVideo, shot: Shot) -> str:
        asked = shot.plan.request
        seen = [*sorted(asked.pictures.items()), asked.fit, shot.run.size] if family.encodes_pictures else []
        avoided = shot.plan.negative_prompt if shot.plan.avoids else None
        said = [self._identity, type(pipe).__name__, shot.plan.told, avoided, shot.plan.max_tokens]
        return hashlib.sha256(json.dumps([*said, *seen]).encode()).hexdigest()


def _bytes(encoded: Encoded) -> int:
    return sum(part.nbytes for part in encoded.values() if part is not None)


def identity(folder: Path, placement: Placement) -> str:
    """What besides the words decides how they are encoded: the files of the text encoders, formats, the software."""
    digest = hashlib.sha256()
    own = [path for part in ("text_encoder*", "tokenizer*") for path in folder.glob(f"{part}/*")]
    lent = [
        Path(one.path) for part, one in single_file_loader.borrowed(folder).items() if part.startswith("text_encoder")
    ]
    for path in sorted(own) + sorted(lent):
        digest.update(f"{path.parent.name}/{path.name} {path.stat().st_size}".encode())
        _sample(path, digest)
    software = [f"{name} {version(name)}" for name in ("diffusers", "transformers", "tokenizers")]
    kind = placement.device.partition(":")[0]
    return " ".join(
        [
            digest.hexdigest(),
            placement.dtype,
            placement.precision_of("text_encoder"),
            kind,
            torch.__version__,
            *software,
        ]
    )


def _sample(path: Path, digest: Any) -> None:
    """A small file whole; of a large one pieces all over it, which no other training has alike."""
    size = path.stat().st_size
    with path.open("rb") as file:
        for number in range(SAMPLES):
            file.seek(max(size - SAMPLE_BYTES, 0) * number // (SAMPLES - 1))
            digest.update(file.read(SAMPLE_BYTES))
