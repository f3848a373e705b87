"""Which files of a repository a model needs: pure, from names alone.

Safetensors, GGUF, configs and vocabulary; one precision, never a second copy, never anything that can hold code.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath, PureWindowsPath

from engine.schema.errors import ModelProblem
from engine.schema.message import Message

WEIGHTS = (".safetensors", ".gguf")
SMALL = (".json", ".txt", ".model", ".jinja")  # configs and vocabulary
MAX_SMALL_BYTES = 100_000_000
STEMS = ("diffusion_pytorch_model", "model")  # what diffusers and transformers look for
INDEX = ".safetensors.index"
_WEIGHT = re.compile(
    r"(?P<stem>[A-Za-z0-9_-]+?)(\.(?P<variant>[A-Za-z0-9_]+))?(-\d{5}-of-(?P<shards>\d{5}))?"
    r"(\.(?P<late>[A-Za-z0-9_]+))?\.safetensors"
)
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ ()+,=@.-]{0,120}")
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # no file on Windows may be called so


def check_names(names: Iterable[str], where: str) -> None:
    """Raises ModelProblem when any name would leave its folder, on any system: one such name damns the whole list."""
    for name in names:
        pure = (PurePosixPath(name), *(PureWindowsPath(part) for part in name.split("/")))
        outside = ".." in name.replace("\\", "/").split("/") or any(path.drive or path.root for path in pure)
        if outside or not name or "\0" in name:
            raise ModelProblem(
                Message(
                    "{where} lists a file called {name}, which would be written outside the model's folder.",
                    where=where,
                    name=repr(name[:80]),
                ),
                Message("Nothing was downloaded. Do not use this source; tell its owner."),
            )


def check_wanted(names: Iterable[str], where: str) -> None:
    """Raises ModelProblem unless each name is plain on every system, and no two are one file where case is ignored."""
    seen: set[str] = set()
    for name in names:
        parts = name.split("/")
        plain = all(_PART.fullmatch(p) and not _DEVICE.fullmatch(p) and p[-1] not in ". " for p in parts)
        if not plain or len(parts) > 4 or len(name) > 200 or name.casefold() in seen:
            raise ModelProblem(
                Message(
                    "{where} lists a file called {name}, which not every computer can store.",
                    where=where,
                    name=repr(name[:80]),
                ),
                Message("Nothing was downloaded. Choose another source for this model."),
            )
        seen.add(name.casefold())


def files_of_part(names: Iterable[str], variant: str, patterns: tuple[str, ...] = ()) -> list[str]:
    """The files that one folder's part of the model needs, from the bare names in that folder.

    `variant` is taken where the folder has it, else the files without a variant. Raises ModelProblem when the weights
    are only there as pickles, or shards of them are missing.
    """
    names = sorted(name for name in names if "/" not in name)
    if patterns:
        safe = [name for name in names if name.endswith(WEIGHTS + SMALL)]
        chosen = [name for name in safe if any(fnmatchcase(name, pattern) for pattern in patterns)]
        if not chosen:
            raise ModelProblem(
                Message("None of {patterns} is in the repository.", patterns=patterns),
                Message("Update Rushes: the card is old."),
            )
        return chosen
    small = [name for name in names if name.endswith(SMALL) and ".index." not in name]
    return sorted([*small, *_weights(names, variant)])


def _weights(names: list[str], variant: str) -> list[str]:
    """One complete set of safetensors with its index; empty where the folder has no weights at all."""
    sets: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        match = _WEIGHT.fullmatch(name)
        if match and match["stem"] in STEMS:
            sets[match["variant"] or match["late"] or "", match["shards"] or ""].append(name)
    if not sets:
        if any(name.endswith((".bin", ".pt", ".pth", ".ckpt", ".pkl")) for name in names):
            raise ModelProblem(
                Message("This model exists only in a file format that can hide programs, so it was refused."),
                Message("Look for a version of it in safetensors."),
            )
        return []
    mine = {key: found for key, found in sets.items() if key[0] == variant}
    mine = mine or {key: found for key, found in sets.items() if not key[0]}
    if not mine:
        offered = ", ".join(sorted({key[0] for key in sets}))
        raise ModelProblem(
            Message("The weights are only there as {offered}.", offered=offered),
            Message("Update Rushes: the card is old."),
        )
    (chosen, shards), files = max(mine.items())  # sharded before single: loaders look for the index first
    if not shards:
        return files
    if len(files) != int(shards):
        raise ModelProblem(
            Message("Only {count} of {shards} parts of the weights are there.", count=len(files), shards=int(shards)),
            Message("Try again later."),
        )
    return [*files, *(name for name in names if name.endswith(".json") and _index_of(name) == chosen)]


def _index_of(name: str) -> str | None:
    """The variant that an index file belongs to: model.safetensors.index.fp16.json -> fp16."""
    before, found, after = name.partition(INDEX)
    if not found:
        return None
    return after.removesuffix("json").strip(".") or before.partition(".")[2]
