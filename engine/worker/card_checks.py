"""Measures a device and tries on it what plans rely on, with random weights: each finding is one line of JSON.

    python -m engine.worker.card_checks --device cuda:0 --folder SCRATCH [PART ...] < PLAN.json

PLAN.json is a plan for the starter: its words, pictures and sizes, with a transformer as wide as that of Wan 1.3B and a
VAE as Wan has it. The parts and what is made of the findings: engine/jobs/card_test.py.
"""

from __future__ import annotations

import argparse
import functools
import gc
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import psutil
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel

from engine.paths import APP
from engine.planning.compatibility import obstacle_here
from engine.schema import Attention, Device, Placement, Precision, ShotPlan
from engine.schema.machine import PARTS, Part, Reading
from engine.worker import families
from engine.worker.accelerator import GB, Accelerator, described
from engine.worker.attention import allowed, apart, attended
from engine.worker.families.family import Shot
from engine.worker.job_runner import versions
from engine.worker.loading import pipeline_loader
from engine.worker.output.decode import vae_at_work
from engine.worker.sampling import denoise

WIDE: dict[str, Any] = {"num_attention_heads": 12, "attention_head_dim": 128, "ffn_dim": 8960, "num_layers": 6}
NARROW: dict[str, Any] = {"num_attention_heads": 2, "attention_head_dim": 32, "ffn_dim": 128, "num_layers": 3}
SHORT = {"num_frames": 5, "width": 64, "height": 64}
SECONDS = 1.0  # that each figure is measured for, at least
LEVELS = 2.0  # of 255, mean: what streaming may change in a clip
PINNED_SHARE = 0.25  # of the RAM that is free: more is not locked, so that the computer stays usable
DISK_BYTES, PIECE = 2**29, 2**24

WAYS: dict[str, dict[str, Any]] = {
    "resident": {},
    "encoder dropped": {"text_encoder": "dropped"},
    "VAE in tiles": {"vae_tiling": True, "vae_slicing": True},
    "model offload": {"offload": "model"},
    "model offload, VAE on the CPU": {"offload": "model", "vae_on_cpu": True},
    "group offload": {"offload": "group"},
    "group offload, page-locked": {"offload": "group", "pin_memory": True},
}


class CardTester:
    """`small`: sizes for a test on the CPU, which take seconds."""

    def __init__(self, device: str, folder: Path, plan: ShotPlan, small: bool) -> None:
        self.accelerator, self.folder, self.plan, self.small = Accelerator(device), folder, plan, small
        self.accelerator.choose()
        self.device = next((known for known in described() if known.id == device), None) or Device(
            id=device, kind=self.accelerator.kind, name=device
        )
        self.dtype = torch.float32 if self.device.kind == "cpu" else getattr(torch, plan.placement.dtype)
        self.seconds = 0.02 if small else SECONDS

    def readings(self, parts: list[Part]) -> Iterator[Reading]:
        """What goes wrong is a finding too, and the next part follows."""
        for part in parts:
            measure: Callable[[], Iterator[Reading]] = getattr(self, part)
            try:
                yield from measure()
            except Exception as error:  # of any library and driver
                yield Reading(part=part, name=part, ok=False, problem=words(error))
            gc.collect()
            self.accelerator.free()

    # ---- clips: every way of placing weights, every number format ----

    def placements(self) -> Iterator[Reading]:
        whole = None
        for name, fields in WAYS.items():
            placement = self._placed(**fields)
            if obstacle_here(self.device, "full", placement.offload):
                continue
            if placement.pin_memory and not self.device.capabilities.pinned_memory:
                continue
            made = self._tried("placements", name, placement, whole)
            whole = whole if whole is not None or name != "resident" else self._frames
            yield from made

    def formats(self) -> Iterator[Reading]:
        for precision in get_args(Precision):
            if precision in ("full", "gguf") or obstacle_here(self.device, precision, "resident"):
                continue
            yield from self._tried("formats", precision, self._placed(precision=precision), None)

    def _tried(self, part: Part, name: str, placement: Placement, whole: torch.Tensor | None) -> list[Reading]:
        """A take with these weights in this placement: finite, and the same as `whole` up to rounding."""
        plan = self.plan.but(placement=placement, model=self._model().name)
        family, watch = families.of(plan.family), denoise.StepReporter(lambda event: None, lambda: False)
        run = plan.take.but(**({"num_inference_steps": 2, "sigmas": ()} | (SHORT if self.small else {})))
        shelf = pipeline_loader.PipelineCache([self.folder])
        try:
            self.accelerator.free()
            self.accelerator.forget_peak()
            began = time.perf_counter()
            model = shelf.get(plan, self.folder)
            shot = Shot(plan, run, torch.Generator("cpu").manual_seed(0))
            with torch.no_grad():
                latents = denoise.draw(model, family, shot, watch)
                with vae_at_work(model.pipe, placement, latents) as reachable:
                    self._frames = torch.from_numpy(family.decode(model.pipe, reachable, shot).frames).float()
            took, peak = time.perf_counter() - began, self.accelerator.peak_gb
        except Exception as error:  # of any library and driver
            return [Reading(part=part, name=name, ok=False, problem=words(error))]
        finally:
            shelf.clear()
        apart = 0.0 if whole is None else float((self._frames - whole).abs().mean())
        problem = "" if apart <= LEVELS else f"the clip differs by {apart:.1f} of 255 from the one of whole weights"
        readings = [Reading(part=part, name=name, ok=not problem, value=round(took, 3), unit="s", problem=problem)]
        if peak:
            readings.append(Reading(part=part, name=f"{name}, peak", ok=True, value=round(peak, 4), unit="GB"))
        return readings

    def _model(self) -> Path:
        """The starter with a transformer of random weights, as wide as a real one."""
        folder = self.folder / "card-test"
        if not folder.exists():
            shutil.copytree(APP / "models" / "starter", folder, ignore=shutil.ignore_patterns("transformer"))
            config = json.loads((APP / "models" / "starter" / "transformer" / "config.json").read_text())
            own = {name: value for name, value in config.items() if not name.startswith("_")}
            torch.manual_seed(0)
            made = WanTransformer3DModel(**own | (NARROW if self.small else WIDE)).to(torch.float16)
            made.save_pretrained(folder / "transformer")
        return folder

    def _placed(self, **fields: Any) -> Placement:
        return Placement(device=self.device.id, kind=self.device.kind, dtype=self._dtype_name, **fields)

    @property
    def _dtype_name(self) -> Any:
        return str(self.dtype).removeprefix("torch.")

    # ---- figures ----

    def decode(self) -> Iterator[Reading]:
        """A clip of 17 frames at 480x272 through a VAE as Wan has it; on a CPU of 5 at 224x128."""
        torch.manual_seed(0)
        vae = AutoencoderKLWan(base_dim=8 if self.small else 96).to(self.device.id, self.dtype).eval()
        shape = (2, 4, 6) if self.small else (2, 16, 28) if self.device.kind == "cpu" else (5, 34, 60)
        latents = torch.randn(1, 16, *shape).to(self.device.id, self.dtype)
        with torch.no_grad():
            frames = vae.decode(latents, return_dict=False)[0]
            seconds = self._timed(lambda: vae.decode(latents, return_dict=False), least=1)
        finite = bool(frames.isfinite().all())
        megapixels = frames.shape[2] * frames.shape[3] * frames.shape[4] / 1e6
        problem = "" if finite else "what was decoded is not finite"
        yield Reading(part="decode", name=self._dtype_name, ok=finite, value=round(megapixels / seconds, 3),
                      unit="megapixels/s", problem=problem)  # fmt: skip

    def products(self) -> Iterator[Reading]:
        for dtype in self._dtypes():
            side = 256 if self.small else 1024
            while True:
                a, b = (torch.randn(side, side).to(self.device.id, dtype) for _ in range(2))
                seconds = self._timed(functools.partial(torch.matmul, a, b))
                if self.small or seconds > 0.02 or side >= 16384:
                    break
                side *= 2
            finite = bool((a @ b).isfinite().all())
            yield Reading(part="products", name=str(dtype).removeprefix("torch."), ok=finite, unit="TFLOP/s",
                          value=round(2 * side**3 / seconds / 1e12, 5))  # fmt: skip

    def attention(self) -> Iterator[Reading]:
        """Each way that is there, against 32-bit numbers on the CPU, and its speed on a long clip."""
        for way in get_args(Attention):
            if way != "native" and self.device.kind == "cpu":
                continue
            try:
                far = apart(way, self.device.id, self.dtype)
                tokens = 512 if self.small else 1024 if self.device.kind == "cpu" else 8192
                q, k, v = (torch.randn(1, tokens, 12, 128).to(self.device.id, self.dtype) for _ in range(3))
                seconds = self._timed(functools.partial(attended, way, q, k, v))
            except Exception as error:  # a kernel that this card or this build has not; plans go without it
                yield Reading(part="attention", name=way, ok=way != "native", problem=words(error))
                continue
            problem = "" if far <= allowed(way) else f"differs from exact attention by {far:.0%}"
            yield Reading(part="attention", name=way, ok=not problem, problem=problem, unit="TFLOP/s",
                          value=round(4 * tokens**2 * 12 * 128 / seconds / 1e12, 5))  # fmt: skip

    def memory(self) -> Iterator[Reading]:
        source = torch.empty(2**20 if self.small else 2**28, dtype=torch.uint8).to(self.device.id)
        target = torch.empty_like(source)
        seconds = self._timed(lambda: target.copy_(source))
        value = round(2 * source.nbytes / GB / seconds, 3)
        yield Reading(part="memory", name="copy", ok=True, value=value, unit="GB/s")

    def kernels(self) -> Iterator[Reading]:
        """The time that starting a kernel takes where there is nothing to compute."""
        small, number = torch.zeros(16).to(self.device.id), 200

        def started() -> None:
            for _ in range(number):
                small.add_(1)

        value = round(1e6 * self._timed(started) / number, 3)
        yield Reading(part="kernels", name="start", ok=True, value=value, unit="microseconds")

    def link(self) -> Iterator[Reading]:
        if self.device.kind == "cpu":
            return
        size = 2**20 if self.small else 2**28
        there = torch.empty(size, dtype=torch.uint8).to(self.device.id)
        for pinned in (True, False):
            if pinned and not self.device.capabilities.pinned_memory:
                continue
            here = torch.empty(size, dtype=torch.uint8, pin_memory=pinned)
            suffix = ", page-locked" if pinned else ""
            for name, source, target in (("to the card", here, there), ("back", there, here)):
                seconds = self._timed(functools.partial(target.copy_, source, non_blocking=True))
                value = round(size / GB / seconds, 3)
                yield Reading(part="link", name=name + suffix, ok=True, value=value, unit="GB/s")

    def pinned(self) -> Iterator[Reading]:
        """How much RAM can be locked, up to a quarter of what is free."""
        if not self.device.capabilities.pinned_memory:
            return
        piece = 2**20 if self.small else 2**28
        most = 4 * piece if self.small else int(psutil.virtual_memory().available * PINNED_SHARE)
        held: list[torch.Tensor] = []
        problem = ""
        try:
            while len(held) * piece < most:
                held.append(torch.empty(piece, dtype=torch.uint8, pin_memory=True))
        except RuntimeError as error:
            problem = words(error)
        value = round(len(held) * piece / GB, 3)
        held.clear()
        yield Reading(part="pinned", name="locked", ok=not problem, value=value, unit="GB", problem=problem)

    def disk(self) -> Iterator[Reading]:
        """Reading a file that is not in RAM, where the system lets that be arranged."""
        if not hasattr(os, "posix_fadvise"):
            return
        size, path = PIECE if self.small else DISK_BYTES, self.folder / "read"
        with path.open("wb") as file:
            for _ in range(size // PIECE):
                file.write(os.urandom(PIECE))
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        began = time.perf_counter()
        with path.open("rb", buffering=0) as file:
            while file.read(PIECE):
                pass
        value = round(size / GB / (time.perf_counter() - began), 3)
        path.unlink()
        yield Reading(part="disk", name="read", ok=True, value=value, unit="GB/s")

    def compiled(self) -> Iterator[Reading]:
        """What compiling the blocks of a real transformer saves, and what the first call of a size costs."""
        if self.device.kind != "cuda" or platform.system() != "Linux":  # where plans never do it
            return
        yield from self.blocks_compiled()

    def blocks_compiled(self) -> Iterator[Reading]:
        torch.manual_seed(0)
        own = {"in_channels": 16, "out_channels": 16, "text_dim": 64, "freq_dim": 64}
        made = WanTransformer3DModel(**own | (NARROW if self.small else WIDE)).to(self.device.id, self.dtype).eval()
        shape = (1, 16, 2, 8, 8) if self.small else (1, 16, 9, 60, 104)  # 14 thousand tokens
        given = {
            "hidden_states": torch.randn(shape).to(self.device.id, self.dtype),
            "encoder_hidden_states": torch.randn(1, 64, 64).to(self.device.id, self.dtype),
            "timestep": torch.tensor([500]).to(self.device.id),
        }
        with torch.no_grad():
            plain = self._timed(lambda: made(**given))
            made.compile_repeated_blocks()
            began = time.perf_counter()
            made(**given)
            self.accelerator.synchronize()
            first = time.perf_counter() - began
            quick = self._timed(lambda: made(**given))
        yield Reading(part="compiled", name="gain", ok=True, value=round(plain / quick, 3), unit="times")
        yield Reading(part="compiled", name="first call", ok=True, value=round(max(first - plain, 0.0), 2), unit="s")

    def _dtypes(self) -> list[torch.dtype]:
        if self.device.kind == "cpu":
            return [torch.float32]
        return [*([torch.bfloat16] if self.device.capabilities.bf16 else []), torch.float16, torch.float32]

    def _timed(self, work: Callable[[], Any], least: int = 3) -> float:
        """Seconds for one call, once it is warm."""
        work()
        self.accelerator.synchronize()
        calls, began = 0, time.perf_counter()
        while calls < least or time.perf_counter() - began < self.seconds:
            work()
            calls += 1
            self.accelerator.synchronize()
        return (time.perf_counter() - began) / calls


def words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".strip().splitlines()[0][:200]


def main() -> None:
    parser = argparse.ArgumentParser(prog="engine.worker.card_checks")
    parser.add_argument("--device", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--small", action="store_true", help="sizes for a test on the CPU")
    parser.add_argument("parts", nargs="*")
    options = parser.parse_args()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a library's stray print is no finding
    tester = CardTester(options.device, options.folder, ShotPlan.model_validate_json(sys.stdin.read()), options.small)
    print(json.dumps({"versions": versions() | {"cuda": torch.version.cuda or "", "system": platform.system()}}),
          file=out, flush=True)  # fmt: skip
    for reading in tester.readings(options.parts or list(PARTS)):
        print(json.dumps({"reading": reading.model_dump()}), file=out, flush=True)


if __name__ == "__main__":
    main()
