"""Whether the files of a model are whole, and only weights and configs: looked at before anything is loaded."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import diffusers

from engine.schema.errors import ModelProblem
from engine.schema.message import Message
from engine.weights import header
from engine.worker.loading import single_file_loader

REMEDY = Message("Install the model again; the starter comes back with an update of Rushes.")


def variant_of(folder: Path) -> str | None:
    """The precision in the weights' names (diffusion_pytorch_model.bf16.safetensors), which diffusers must be told."""
    parts = ([path.name for path in (folder / part).glob("*.safetensors")] for part in ("transformer", "vae"))
    names = next(filter(None, parts), [])  # of the first that is not read from elsewhere
    marked = {name.split(".")[1].split("-")[0] for name in names if name.count(".") > 1}
    return marked.pop() if len(marked) == 1 and all(name.count(".") > 1 for name in names) else None


def check_index(folder: Path) -> None:
    """Refuse a model_index.json that names anything but classes of diffusers and transformers: no code from a model."""
    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        parts = {name: part for name, part in index.items() if not name.startswith("_") and isinstance(part, list)}
        foreign = [name for name, part in parts.items() if not _is_ours(part[0]) or any((folder / name).glob("*.py"))]
        if not isinstance(index["_class_name"], str) or foreign:
            raise ModelProblem(
                Message("The model '{folder}' wants to run code of its own, so it was not loaded.", folder=folder.name),
                REMEDY,
            )
    except (OSError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise ModelProblem(
            Message("The model '{folder}' has no readable index.", folder=folder.name), REMEDY, str(error)
        ) from error


def _is_ours(library: str | None) -> bool:
    """Whether a component comes from diffusers, one of its pipelines' own folders, or transformers; None: left out."""
    return library in ("diffusers", "transformers", None) or hasattr(diffusers.pipelines, str(library))


def _names(path: Path, model: str) -> list[str]:
    """The names of a file's tensors, from its header, which is checked against the size of the file."""
    try:
        return sorted(name for name, _, _ in header.read(path)[0])
    except header.DAMAGE as error:
        raise ModelProblem(
            Message("The weights file {file} of '{model}' is damaged or cut short.", file=path.name, model=model),
            REMEDY,
            str(error),
        ) from error


def check(folder: Path) -> str:
    """A fingerprint of all weights, from their headers and sizes. Raises ModelProblem for a truncated file, or for a
    borrowed one that is another now.

    Not covered: a flipped bit inside a tensor; downloads are verified by their sha256 when they arrive.
    """
    digest = hashlib.sha256()
    files = sorted(path for kind in ("*.safetensors", "*.gguf") for path in folder.rglob(kind))
    files += sorted({Path(one.path) for one in single_file_loader.borrowed(folder).values()})
    if not files:
        raise ModelProblem(Message("The model '{folder}' has no weights.", folder=folder.name), REMEDY)
    for path in files:
        digest.update(f"{path.name} {path.stat().st_size} {_names(path, folder.name)}".encode())
        if path.stat().st_size < 100_000_000:  # small models: the content too
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
