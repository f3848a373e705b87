"""The script that is run where a graphics card can be had works, as far as a CPU can show."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from engine import APP


@pytest.mark.slow
def test_every_combination_that_a_cpu_allows_is_run_and_told() -> None:
    command = [sys.executable, "-m", "benchmarks.gpu_smoke", "--device", "cpu", "--only", "wan-2.1", "--json"]
    answer = subprocess.run(command, cwd=APP, capture_output=True, text=True, timeout=400)
    assert answer.returncode == 0, answer.stderr
    rows = json.loads(answer.stdout)["rows"]
    assert [(row["precision"], row["vae_tiling"]) for row in rows] == [
        (precision, tiling) for precision in ("full", "fp8", "gguf") for tiling in (False, True)
    ]
    assert all(row["difference"] > 0 for row in rows if row["precision"] != "full" and not row["vae_tiling"])
