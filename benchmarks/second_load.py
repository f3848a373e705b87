"""How much faster a model starts the second time, when its weights were made smaller the first time.

    python -m benchmarks.second_load [--device cpu] [--precision fp8] [--params-b 0.6] [--runs 3] [--json]

Builds a random Wan with `--params-b` billion parameters in a temporary folder and loads it as the worker does, each
time in a process of its own: first (from the model's files, made smaller), second (from the kept copy); the median of
`--runs`. Writing the copy is not counted in the first load; checking it is counted in the second. int8 and nf4 need
`pip install bitsandbytes`, which a computer without a card does not have by itself.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from engine.jobs.local_worker import worker_environment
from engine.schema import Placement

PROMISE = 0.5  # of the first load, where numbers were changed


def build(folder: Path, params_b: float) -> float:
    """A random Wan in bfloat16, as models come from the hub. Returns its billions of parameters."""
    import torch
    from diffusers import WanPipeline, WanTransformer3DModel

    from tests.tiny import wan

    torch.manual_seed(0)
    layers = max(round(params_b / 0.0463), 1)  # of 46.3 million parameters each
    shape = wan.size() | {"num_attention_heads": 12, "attention_head_dim": 128, "ffn_dim": 8960, "num_layers": layers}
    parts = wan.parts()
    with torch.device("meta"):
        transformer = WanTransformer3DModel(**shape)
    transformer = transformer.to_empty(device="cpu").to(torch.bfloat16)
    for tensor in (*transformer.parameters(), *transformer.buffers()):
        tensor.data.fill_(0.02)  # loading asks for no other numbers
    WanPipeline(transformer=transformer, **parts).save_pretrained(folder)
    return sum(parameter.numel() for parameter in transformer.parameters()) / 1e9


def let_the_cpu() -> None:
    """bitsandbytes works on a CPU too; diffusers asks for a card."""
    from bitsandbytes.nn import modules
    from diffusers.quantizers.bitsandbytes import bnb_quantizer

    # With AVX512-BF16 4-bit weights are packed anew at each change; on a card they are not.
    modules.has_avx512bf16 = lambda: False
    for kind in (bnb_quantizer.BnB4BitDiffusersQuantizer, bnb_quantizer.BnB8BitDiffusersQuantizer):
        kind.validate_environment = lambda self, *given, **named: None
        kind.update_device_map = lambda self, device_map: {"": "cpu"}


def load(folder: Path, caches: Path, placement: Placement) -> None:
    """One load in this process; prints its seconds, without those of writing the copy."""
    from engine.worker.loading import device_placement, pipeline_loader, weight_cache

    if placement.device == "cpu" and placement.precision != "fp8":
        let_the_cpu()

    writing, original = [0.0], weight_cache.KeptWeights.write

    def write(self: weight_cache.KeptWeights, pipe: object) -> None:
        started = time.perf_counter()
        original(self, pipe)
        writing[0] += time.perf_counter() - started

    weight_cache.KeptWeights.write = write  # type: ignore[method-assign]
    device_placement.classes(folder)  # imports the classes, which a worker does once and no weights can change
    pipeline_loader.pipeline_class("WanPipeline")
    started = time.perf_counter()
    pipeline_loader.load(folder, placement, "WanPipeline", pipeline_loader.Loading(caches=caches))
    print(json.dumps({"load": time.perf_counter() - started - writing[0], "writing": writing[0]}))


def measured(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.second_load", "--device", options.device, "--precision",
               options.precision, "--load", str(folder)]  # fmt: skip
    answer = subprocess.run(command, capture_output=True, text=True, env=worker_environment())
    if answer.returncode:
        raise SystemExit(answer.stderr)
    return json.loads(answer.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="fp8", choices=["fp8", "int8", "nf4"])
    parser.add_argument("--params-b", type=float, default=0.6)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.load:
        placement = Placement(device=options.device, dtype="bfloat16", precision=options.precision)
        load(options.load, options.load.parent / "caches", placement)
        return
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "model"
        params_b = build(folder, options.params_b)
        firsts, seconds = [], []
        for _ in range(options.runs):
            shutil.rmtree(Path(root) / "caches", ignore_errors=True)
            firsts.append(measured(folder, options))
            seconds.append(measured(folder, options))
        kept = sum(path.stat().st_size for path in (Path(root) / "caches").rglob("*") if path.is_file())
    first, second = median(run["load"] for run in firsts), median(run["load"] for run in seconds)
    found = {
        "params_b": round(params_b, 3), "device": options.device, "precision": options.precision,
        "runs": options.runs, "first_seconds": round(first, 2), "second_seconds": round(second, 2),
        "writing_seconds": round(median(run["writing"] for run in firsts), 2), "kept_gb": round(kept / 1e9, 3),
        "ratio": round(second / first, 3), "promise": PROMISE, "holds": second <= PROMISE * first,
    }  # fmt: skip
    if options.json:
        print(json.dumps(found))
    else:
        print(f"{found['params_b']} billion parameters, {options.precision} on {options.device}: first "
              f"{found['first_seconds']} s (and {found['writing_seconds']} s for the copy), second "
              f"{found['second_seconds']} s: {found['ratio']} x, promised {PROMISE} x")  # fmt: skip


if __name__ == "__main__":
    main()
