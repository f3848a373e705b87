"""Weights that were made smaller are kept on disk, so that the next start reads them as they are.

<caches>/<model>/<part>-<key>/ holds one part in safetensors, and whole.json, written last, with the size and the
checksum of every file. The key names the weights, the number format and the libraries that made them. A copy that is
not exactly as it was written is thrown away and made again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import shutil
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from huggingface_hub import split_torch_state_dict_into_shards
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from engine.schema import Placement
from engine.worker.loading.device_placement import DTYPES, LARGE

log = logging.getLogger(__name__)

WHOLE = "whole.json"
MADE_HERE = ("fp8", "int8", "nf4")
LIMIT_BYTES = 80_000_000_000  # of all copies together: four or five large models
MARGIN_BYTES = 20_000_000_000  # of the disk stay free for what a person makes
SHARD = "2GB"  # files are checked side by side
STALE_SECONDS = 3600
CHUNK_BYTES = 16_000_000
LIBRARIES = ("diffusers", "transformers", "torch", "bitsandbytes")


class KeptWeights:
    """Copies of one model's large parts in one number format, made here; `root` is the folder of all copies."""

    def __init__(self, root: Path, model: Path, fingerprint: str, placement: Placement) -> None:
        words = (fingerprint, placement.precision, placement.dtype, *(f"{name} {_version(name)}" for name in LIBRARIES))
        self._key = hashlib.sha256("\n".join(words).encode()).hexdigest()[:20]
        self._root, self._model, self._placement = root, model, placement

    def folder(self, name: str) -> Path:
        return self._root / self._model.name / f"{name}-{self._key}"

    def read(self, parts: dict[str, Any]) -> dict[str, Any]:
        """Those of the parts, given by their classes, that there is a sound copy of. A damaged one is thrown away."""
        ready = {}
        for name, kind in parts.items():
            folder = self.folder(name)
            if self._placement.precision_of(name) not in MADE_HERE or not folder.exists():
                continue
            try:
                _check(folder)
                ready[name] = self._load(folder, kind)
                os.utime(folder)  # the copy that was used last is thrown away last
            except Exception as error:  # whatever is wrong with a copy, the original is there
                log.warning("the kept weights in %s are damaged and are made again: %s", folder, error)
                shutil.rmtree(folder, ignore_errors=True)
        return ready

    def write(self, pipe: Any) -> None:
        """Keep the pipeline's large parts that are not kept yet and that nothing has run. No room is not an error."""
        parts = {name: getattr(pipe, name, None) for name in LARGE if self._placement.precision_of(name) in MADE_HERE}
        for name, part in parts.items():
            if part is None or self.folder(name).exists():
                continue
            making = self._root / f".making-{secrets.token_hex(6)}"
            try:
                self._make_room(_bytes(part))
                self._save(part, making)
                (making / WHOLE).write_text(json.dumps(_sums(making)), encoding="utf-8")
                self.folder(name).parent.mkdir(parents=True, exist_ok=True)
                making.rename(self.folder(name))
            except (OSError, SafetensorError) as error:
                log.warning("the smaller weights of %s are not kept: %s", self._model.name, error)
            finally:
                shutil.rmtree(making, ignore_errors=True)

    def _save(self, part: Any, folder: Path) -> None:
        if self._placement.precision != "fp8":
            part.save_pretrained(folder, max_shard_size=SHARD)
            return
        # By the names that the loaded model has: what transformers saves has those of its first checkpoint.
        part.save_config(folder) if hasattr(part, "save_config") else part.config.save_pretrained(folder)
        stored = part.state_dict()
        first_names = {tensor.data_ptr(): name for name, tensor in reversed(stored.items())}  # of tied weights, one
        weights = {name: stored[name].contiguous() for name in first_names.values()}
        shards = split_torch_state_dict_into_shards(weights, max_shard_size=SHARD).filename_to_tensors
        for file, names in shards.items():
            save_file({name: weights[name] for name in names}, folder / file)

    def _load(self, folder: Path, kind: Any) -> Any:
        dtype = DTYPES[self._placement.dtype]
        if self._placement.precision != "fp8":  # bitsandbytes: its libraries read what they wrote
            return kind.from_pretrained(str(folder), dtype=dtype, local_files_only=True, use_safetensors=True)
        with built_in(dtype), init_empty_weights():
            settings = kind.load_config(str(folder)) if hasattr(kind, "load_config") else None
            part = kind.from_config(settings) if settings else kind(kind.config_class.from_pretrained(str(folder)))
        weights = {key: value for path in folder.glob("*.safetensors") for key, value in load_file(path).items()}
        unknown = part.load_state_dict(weights, strict=False, assign=True).unexpected_keys
        if hasattr(part, "tie_weights"):
            part.tie_weights()
        if unknown or any(tensor.is_meta for tensor in (*part.parameters(), *part.buffers())):
            raise ValueError("the weights do not fit their config")
        return part.eval().requires_grad_(False)

    def _make_room(self, needed: int) -> None:
        """Throw away the copies used longest ago until this one fits. Raises OSError when it cannot."""
        self._root.mkdir(parents=True, exist_ok=True)
        for left in self._root.glob(".making-*"):  # by a worker that was ended in the middle
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        copies = sorted(
            (path.parent for path in self._root.glob(f"*/*/{WHOLE}")), key=lambda path: path.stat().st_mtime
        )
        sizes = {copy: sum(path.stat().st_size for path in copy.rglob("*") if path.is_file()) for copy in copies}
        for copy in copies:
            if (
                sum(sizes.values()) + needed <= LIMIT_BYTES
                and shutil.disk_usage(self._root).free >= needed + MARGIN_BYTES
            ):
                break
            shutil.rmtree(copy)
            del sizes[copy]
        if needed > LIMIT_BYTES or shutil.disk_usage(self._root).free < needed + MARGIN_BYTES:
            raise OSError(f"{needed / 1e9:.1f} GB do not fit")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _bytes(part: torch.nn.Module) -> int:
    return sum(tensor.nbytes for tensor in (*part.parameters(), *part.buffers()))


def _check(folder: Path) -> None:
    """Raises when the files are not exactly those that were written."""
    if _sums(folder) != json.loads((folder / WHOLE).read_text(encoding="utf-8")):
        raise ValueError("the files are not as they were written")


def _sums(folder: Path) -> dict[str, list[int]]:
    """Size and CRC-32 of each file, by its name below the folder. Reading warms the disk's cache for the loader."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / WHOLE)
    with ThreadPoolExecutor() as readers:
        return dict(zip((path.relative_to(folder).as_posix() for path in files), readers.map(_sum, files), strict=True))


def _sum(path: Path) -> list[int]:
    found = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            found = zlib.crc32(chunk, found)
        return [file.tell(), found]


@contextmanager
def built_in(dtype: torch.dtype) -> Iterator[None]:
    """As diffusers does it: what a model computes when it is built comes out in the format it runs in."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
