"""Load a model from disk and keep it warm. Safetensors only; nothing here reaches for a network."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.utils import logging as diffusers_logging
from safetensors import SafetensorError, safe_open
from transformers.utils import logging as transformers_logging

from engine.errors import MachineProblem, ModelProblem
from engine.events import Event, Progress
from engine.types import Placement, Plan, PlannedLora
from engine.worker import adapters, decoding, families, memory, second_stage
from engine.worker.memory import DTYPES
from engine.worker.prompts import PromptCache, Prompts, identity

diffusers_logging.disable_progress_bar()
transformers_logging.disable_progress_bar()

DECODING = {"vae_tiling": False, "vae_slicing": False, "vae_on_cpu": False}  # set anew for each job, on a warm model
REMEDY = "Install the model again; the starter comes back with an update of Rushes."


@dataclass
class Model:
    """A loaded pipeline without its text encoders, which `prompts` brings; `fingerprint` names the exact weights."""

    pipe: Any
    fingerprint: str
    prompts: Prompts


class Shelf:
    """Room for one loaded model: the next one replaces it."""

    def __init__(self, roots: list[Path], cache: PromptCache | None = None) -> None:
        self._roots, self._cache = roots, cache
        self._key: tuple[str, Placement, tuple[PlannedLora, ...]] | None = None
        self._model: Model | None = None

    def get(self, plan: Plan, given: Path, emit: Callable[[Event], None] = lambda _: None) -> Model:
        """The plan's model, loaded (which is told) unless it is the one already here, wearing the LoRAs in `given`.

        Raises ModelProblem or BadFile.
        """
        key = (plan.model, plan.placement.model_copy(update=DECODING), plan.loras if plan.fused else ())
        if self._key != key or self._model is None:
            self.clear()  # free the old one before the new one needs its room
            emit(Progress(phase="loading"))
            folder = self._folder(plan.model)
            merge = functools.partial(adapters.merge, plan=plan, folder=given)
            first = merge if plan.fused else _nothing
            self._model = load(folder, plan.placement, plan.pipeline, families.of(plan.family).parts, first)
            self._model.prompts.cache = self._cache
            self._key = key
        decoding.arrange(self._model.pipe.vae, plan.placement)
        wanted = pipeline_class(plan.pipeline)
        if type(self._model.pipe) is not wanted:  # another way to run the same weights
            stage = self._model.pipe.second_stage
            absent = {name: None for name, part in self._model.pipe.components.items() if part is None}
            self._model.pipe = wanted.from_pipe(self._model.pipe, **absent)
            self._model.pipe.second_stage = stage
            self._model.pipe.set_progress_bar_config(disable=True)
        if not plan.fused:
            adapters.wear(self._model.pipe, plan, given)
        return self._model

    def clear(self) -> None:
        """Forget the model, so that its memory is free."""
        self._key, self._model = None, None

    def _folder(self, model: str) -> Path:
        for root in self._roots:
            if (root / model / "model_index.json").is_file():
                return root / model
        raise ModelProblem(f"The model '{model}' is not installed.", f"Install it: `app.py models install {model}`.")


def pipeline_class(name: str) -> Any:
    """The diffusers class of a card's checked name. Raises ModelProblem when this diffusers has none of that name."""
    found = getattr(diffusers, name, None)
    if not (isinstance(found, type) and issubclass(found, diffusers.DiffusionPipeline)):
        raise ModelProblem(f"This Rushes cannot run models of the kind {name}.", "Update Rushes.")
    return found


def _nothing(pipe: Any) -> None:
    pass


def load(
    folder: Path,
    placement: Placement,
    pipeline: str,
    parts: Callable[[Path], dict[str, Any]] = lambda _: {},
    first: Callable[[Any], None] = _nothing,
) -> Model:
    """Load a pipeline folder in the diffusers layout; `parts` loads what diffusers cannot.

    `first` is done to the weights before they are placed in memory.

    Raises ModelProblem when the weights are missing or damaged.
    """
    if placement.device.startswith("cuda") and not torch.cuda.is_available():
        raise MachineProblem(
            "The graphics card was found, but this torch build cannot use it.",
            "Run `python bootstrap.py --torch` to see which build fits, or choose the device cpu.",
        )
    check_index(folder)
    fingerprint = check(folder)
    reading, drawing = _halves(folder)
    own = parts(folder)

    def load_encoders(drawer: Any) -> Any:
        lent = {name: getattr(drawer, name) for name in drawing}  # some pipelines ask them while they are made
        encoders = _pipe(folder, placement, pipeline, {name: own[name] for name in reading & own.keys()} | lent)
        for name in drawing:
            setattr(encoders, name, None)
        memory.settle(encoders, placement)
        return encoders

    pipe = _pipe(folder, placement, pipeline, own | dict.fromkeys(reading))
    with _damage_told(folder):
        second_stage.attach(pipe, folder, DTYPES[placement.dtype])
    first(pipe)
    memory.settle(pipe, placement)
    return Model(pipe=pipe, fingerprint=fingerprint, prompts=Prompts(load_encoders, identity(folder, placement)))


def _pipe(folder: Path, placement: Placement, pipeline: str, given: dict[str, Any]) -> Any:
    """The pipeline with the components in `given` instead of those in the folder; None leaves one out."""
    with _damage_told(folder):
        pipe = pipeline_class(pipeline).from_pretrained(
            str(folder),
            quantization_config=memory.quantization(folder, placement),
            dtype=DTYPES[placement.dtype],
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            variant=variant_of(folder),
            **given,
        )
    pipe.set_progress_bar_config(disable=True)
    return pipe


@contextlib.contextmanager
def _damage_told(folder: Path) -> Iterator[None]:
    """What damaged files lead to, as a ModelProblem."""
    try:
        yield
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelProblem(f"The model in {folder.name} could not be loaded.", REMEDY, str(error)) from error


def _halves(folder: Path) -> tuple[set[str], set[str]]:
    """The components that read a prompt, and those with weights that draw."""
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    names = {name for name, part in index.items() if isinstance(part, list) and part[0]}
    reading = {name for name in names if name.startswith(("text_encoder", "tokenizer"))}
    return reading, {name for name in names - reading if any((folder / name).glob("*.safetensors"))}


def variant_of(folder: Path) -> str | None:
    """The precision in the weights' names (diffusion_pytorch_model.bf16.safetensors), which diffusers must be told."""
    names = [path.name for path in (folder / "transformer").glob("*.safetensors")]
    marked = {name.split(".")[1].split("-")[0] for name in names if name.count(".") > 1}
    return marked.pop() if len(marked) == 1 and all(name.count(".") > 1 for name in names) else None


def check_index(folder: Path) -> None:
    """Refuse a model_index.json that names anything but classes of diffusers and transformers: no code from a model."""
    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        parts = {name: part for name, part in index.items() if not name.startswith("_") and isinstance(part, list)}
        foreign = [name for name, part in parts.items() if not _is_ours(part[0]) or any((folder / name).glob("*.py"))]
        if not isinstance(index["_class_name"], str) or foreign:
            raise ModelProblem(f"The model '{folder.name}' wants to run code of its own, so it was not loaded.", REMEDY)
    except (OSError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise ModelProblem(f"The model '{folder.name}' has no readable index.", REMEDY, str(error)) from error


def _is_ours(library: str | None) -> bool:
    """Whether a component comes from diffusers, one of its pipelines' own folders, or transformers; None: left out."""
    return library in ("diffusers", "transformers", None) or hasattr(diffusers.pipelines, str(library))


def check(folder: Path) -> str:
    """A fingerprint of all weights, from their headers and sizes. Raises ModelProblem for a truncated file.

    Not covered: a flipped bit inside a tensor; downloads are verified by their sha256 when they arrive.
    """
    digest = hashlib.sha256()
    files = sorted(folder.rglob("*.safetensors"))
    if not files:
        raise ModelProblem(f"The model '{folder.name}' has no weights.", REMEDY)
    for path in files:
        try:
            with safe_open(str(path), framework="pt") as header:  # reads the header and checks it against the size
                digest.update(f"{path.name} {path.stat().st_size} {sorted(header.keys())}".encode())
        except (SafetensorError, OSError) as error:
            raise ModelProblem(
                f"The weights file {path.name} of '{folder.name}' is damaged or cut short.", REMEDY, str(error)
            ) from error
        if path.stat().st_size < 100_000_000:  # small models: the content too
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
