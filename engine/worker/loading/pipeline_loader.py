"""Load a model from disk and keep it warm. Safetensors and GGUF only; nothing here reaches for a network."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.utils import logging as diffusers_logging
from safetensors import SafetensorError
from transformers.utils import logging as transformers_logging

from engine.schema import Placement, Readers, ShotPlan
from engine.schema.errors import ModelProblem
from engine.schema.events import Event, Progress
from engine.schema.message import Message
from engine.worker import families
from engine.worker.accelerator import Accelerator
from engine.worker.families.family import LatentVideo
from engine.worker.loading import device_placement, lora_adapters, single_file_loader
from engine.worker.loading.device_placement import DTYPES
from engine.worker.loading.integrity import REMEDY, check, check_index, variant_of
from engine.worker.loading.text_encoding import PromptCache, Prompts, identity
from engine.worker.loading.weight_cache import KeptWeights
from engine.worker.output import decode

WEIGHTS = ("*.safetensors", "*.gguf")


class Intake:
    """Counts up from a `reset`."""

    seconds, gb = 0.0, 0.0

    def reset(self) -> None:
        self.seconds, self.gb = 0.0, 0.0

    @contextmanager
    def counted(self, folder: Path, parts: Iterable[str]) -> Iterator[None]:
        """Count what is done inside as the loading of these parts of the model in `folder`."""
        started = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - started
        names = list(parts)
        files = {file for part in names for kind in WEIGHTS for file in (folder / part).glob(kind)}
        files |= {Path(one.path) for part, one in single_file_loader.borrowed(folder).items() if part in names}
        self.gb += sum(file.stat().st_size for file in files) / 1e9


# ---- the pipelines ----

diffusers_logging.disable_progress_bar()
transformers_logging.disable_progress_bar()


@dataclass
class Model:
    """A loaded pipeline; `text_encoding` brings its text encoders. `fingerprint` names the exact weights."""

    pipe: Any
    folder: Path
    fingerprint: str
    prompts: Prompts


class PipelineCache:
    """Room for one loaded model: the next one replaces it."""

    def __init__(self, roots: list[Path], cache: PromptCache | None = None, caches: Path | None = None) -> None:
        self._roots, self._cache, self._caches = roots, cache, caches
        self._key = ""
        self._model: Model | None = None
        self.intake = Intake()

    def get(self, plan: ShotPlan, given: Path, emit: Callable[[Event], None] = lambda _: None) -> Model:
        """The plan's model, loaded (which is told) unless it is the one already here, wearing the LoRAs in `given`.

        Raises ModelProblem or BadFile.
        """
        if self._key != plan.loads or self._model is None:
            self.clear()  # the old one makes room for the new one
            Accelerator(plan.placement.device).free()
            emit(Progress(phase="loading"))
            folder = self._folder(plan.model)
            merge = functools.partial(lora_adapters.merge, plan=plan, folder=given)
            how = Loading(families.of(plan.family), merge if plan.fused else None, self._caches)
            reading, drawing = _halves(folder)
            with self.intake.counted(folder, drawing):
                self._model = load(folder, plan.placement, plan.pipeline, how)
            self._model.prompts.cache = self._cache
            self._model.prompts.counted = functools.partial(self.intake.counted, folder, reading)
            self._key = plan.loads
        self._model.prompts.make_room(plan.placement)
        decode.arrange(self._model.pipe.vae, plan.placement)
        device_placement.attend(self._model.pipe, plan.placement)
        device_placement.compile_blocks(self._model.pipe, plan.placement)
        self._model.pipe = turned_into(pipeline_class(plan.pipeline), self._model, plan)
        if not plan.fused:
            lora_adapters.wear(self._model.pipe, plan, given)
        return self._model

    @property
    def loads(self) -> str:
        """What is ready, as `ShotPlan.loads` says it; empty where nothing is."""
        return self._key if self._model else ""

    def clear(self) -> None:
        """Forget the model, so that its memory is free."""
        self._key, self._model = "", None

    def _folder(self, model: str) -> Path:
        for root in self._roots:
            if (root / model / "model_index.json").is_file():
                return root / model
        raise ModelProblem(
            Message("The model '{model}' is not installed.", model=model),
            Message("Install it: `app.py models install {model}`.", model=model),
        )


def turned_into(wanted: Any, model: Model, plan: ShotPlan) -> Any:
    """The model's pipeline as one of class `wanted`, which runs the same weights in another way.

    Made of its parts: diffusers' `from_pipe` would bring them to float32 and take them from where they are offloaded.
    """
    pipe = model.pipe
    if type(pipe) is wanted:
        return pipe
    takes = inspect.signature(wanted.__init__).parameters
    index = json.loads((model.folder / "model_index.json").read_text(encoding="utf-8"))
    settings = {name: value for name, value in index.items() if name in takes and not isinstance(value, list)}
    parts = {name: part for name, part in pipe.components.items() if name in takes}
    made = wanted(**settings, **parts)
    made.second_stage = pipe.second_stage
    made.set_progress_bar_config(disable=True)
    families.of(plan.family).prepare(made)
    if plan.placement.offload == "model":  # whose hooks the pipeline keeps, and calls
        made.enable_model_cpu_offload(device=plan.placement.device)
    return made


def pipeline_class(name: str) -> Any:
    """The diffusers class of a card's checked name. Raises ModelProblem when this diffusers has none of that name."""
    found = getattr(diffusers, name, None)
    if not (isinstance(found, type) and issubclass(found, diffusers.DiffusionPipeline)):
        raise ModelProblem(
            Message("This Rushes cannot run models of the kind {name}.", name=name), Message("Update Rushes.")
        )
    return found


@dataclass(frozen=True)
class Loading:
    """What a load may need beyond the folder.

    `family` knows what diffusers does not; `first` is done to the weights before they are made smaller and placed; in
    `caches` lie weights that were made smaller before.
    """

    family: LatentVideo = LatentVideo()
    first: Callable[[Any], None] | None = None
    caches: Path | None = None


def load(folder: Path, placement: Placement, pipeline: str, how: Loading = Loading()) -> Model:
    """Load a pipeline folder in the diffusers layout. Raises ModelProblem when the weights are missing or damaged."""
    Accelerator(placement.device).choose()
    check_index(folder)
    fingerprint = check(folder)
    reading, drawing = _halves(folder)
    own = how.family.parts(folder)
    keeps = how.caches and not placement.layer_by_layer  # a copy is read to the card whole
    kept = KeptWeights(how.caches, folder, fingerprint, placement) if how.caches and keeps else None
    source = _Source(folder, placement, pipeline)

    def load_encoders(drawer: Any, where: Readers) -> Any:
        reader = replace(source, placement=placement.but(text_encoder=where))
        lent = {name: getattr(drawer, name) for name in drawing}  # some pipelines ask them while they are made
        encoders = reader.pipe({name: own[name] for name in reading & own.keys()} | lent, kept)
        for name in drawing:
            setattr(encoders, name, None)
        return reader.placed(encoders, kept)

    drawer_kept = None if how.first else kept  # what LoRAs are merged into is not what the files say
    pipe = source.pipe(own | dict.fromkeys(reading), drawer_kept)
    _check_vae(pipe.vae, folder)
    with _damage_told(folder):
        how.family.attach(pipe, folder, DTYPES[placement.dtype])
    how.family.prepare(pipe)
    if how.first:
        how.first(pipe)
    source.placed(pipe, drawer_kept)
    prompts = Prompts(load_encoders, identity(folder, placement))
    return Model(pipe=pipe, folder=folder, fingerprint=fingerprint, prompts=prompts)


def _check_vae(vae: Any, folder: Path) -> None:
    """Raises ModelProblem where its weights hold NaN or infinity: whatever it decodes would be black."""
    if not all(bool(torch.isfinite(part).all()) for part in vae.parameters() if not part.is_meta):
        raise ModelProblem(
            Message(
                "The VAE of '{folder}' is damaged: some of its numbers are none, and every picture would be black.",
                folder=folder.name,
            ),
            Message("Fetch this model again."),
        )


@dataclass(frozen=True)
class _Source:
    """Where pipelines of one model come from, and how they are to lie in memory."""

    folder: Path
    placement: Placement
    pipeline: str

    def pipe(self, given: dict[str, Any], kept: KeptWeights | None) -> Any:
        """The pipeline with the components in `given` instead of those in the folder; None leaves one out."""
        with _damage_told(self.folder):
            dtype = DTYPES[self.placement.dtype]
            large = {name: kind for name, kind in device_placement.classes(self.folder).items() if name not in given}
            ready: dict[str, Any] = {}
            for name, kind in large.items() if kept else ():
                ready |= self._rested(kept.read({name: kind}))  # type: ignore[union-attr]
            single = device_placement.classes(
                self.folder, set(single_file_loader.files(self.folder)) - ready.keys() - given.keys()
            )
            ready |= self._apart({name: kind for name, kind in large.items() if name not in {*ready, *single}})
            bits = device_placement.quantization(
                {name: kind for name, kind in single.items() if name in large}, self.placement
            )
            for name, kind in single.items():
                ready |= self._rested(single_file_loader.load(self.folder, {name: kind}, dtype, bits))
            pipe = pipeline_class(self.pipeline).from_pretrained(
                str(self.folder),
                dtype=dtype,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                variant=variant_of(self.folder),
                **given,
                **ready,
            )
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def _apart(self, parts: dict[str, Any]) -> dict[str, Any]:
        """Large parts, given by their classes, each by itself: made smaller on the card and moved off it before the
        next one comes, or brought there from the disk where all of them stay there anyway."""
        found: dict[str, Any] = {}
        bits, placement = device_placement.quantization(parts, self.placement), self.placement
        there = {"device_map": {"": placement.device}}
        for name, kind in parts.items():
            smaller = bits.get(name)
            if smaller and placement.layer_by_layer:
                found[name] = device_placement.shrunk_by_layer(self._read(name, kind), smaller, placement)
            elif smaller:
                found |= self._rested({name: self._read(name, kind, quantization_config=smaller, **there)})
            elif placement.whole and placement.kind != "cpu" and device_placement.goes_straight(name, placement):
                found[name] = self._read(name, kind, **there)
        return found

    def _read(self, name: str, kind: Any, **how: Any) -> Any:
        """One part, as its pipeline would load it."""
        return kind.from_pretrained(
            str(self.folder / name), dtype=DTYPES[self.placement.dtype], local_files_only=True, use_safetensors=True,
            variant=variant_of(self.folder), **how,
        )  # fmt: skip

    def _rested(self, parts: dict[str, Any]) -> dict[str, Any]:
        """Freshly loaded parts where they wait: bitsandbytes leaves what it made smaller on the card."""
        if self.placement.offload != "resident" and self.placement.bits:
            for part in parts.values():
                part.to("cpu")
            Accelerator(self.placement.device).free()
        return parts

    def placed(self, pipe: Any, kept: KeptWeights | None) -> Any:
        """The same pipeline where the plan wants it, its smaller weights kept for the next time."""
        device_placement.store_small(pipe, self.placement)
        if kept:
            kept.write(pipe)
        device_placement.settle(pipe, self.placement)
        return pipe


@contextlib.contextmanager
def _damage_told(folder: Path) -> Iterator[None]:
    """What damaged files lead to, as a ModelProblem."""
    try:
        yield
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelProblem(
            Message("The model in {folder} could not be loaded.", folder=folder.name), REMEDY, str(error)
        ) from error


def _halves(folder: Path) -> tuple[set[str], set[str]]:
    """The components that read a prompt, and those with weights that draw."""
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    names = {name for name, part in index.items() if isinstance(part, list) and part[0]}
    reading = {name for name in names if name.startswith(("text_encoder", "tokenizer"))}
    return reading, {name for name in names - reading if _has_weights(folder, name)}


def _has_weights(folder: Path, part: str) -> bool:
    return any((folder / part).glob("*.safetensors")) or part in single_file_loader.files(folder)
