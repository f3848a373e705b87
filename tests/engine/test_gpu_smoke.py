"""The script that is run where a graphics card can be had works, as far as a CPU can show."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine import APP, CardTest

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the script is one for bash")


@pytest.mark.slow
def test_what_a_card_must_be_asked_is_asked_and_each_answer_written(tmp_path: Path) -> None:
    command = ["bash", "benchmarks/gpu_all.sh", "--device", "cpu", "--out", str(tmp_path), "--seconds", "1000"]
    environment = os.environ | {"PYTHON": sys.executable, "SMALL": "1"}
    answer = subprocess.run(command, cwd=APP, env=environment, capture_output=True, text=True, timeout=500)
    assert answer.returncode == 0, answer.stdout
    rows = json.loads((tmp_path / "smoke.json").read_text())["rows"]
    assert [(row["precision"], row["vae_tiling"]) for row in rows] == [
        (precision, tiling) for precision in ("full", "fp8", "gguf") for tiling in (False, True)
    ]
    assert all(row["difference"] > 0 for row in rows if row["precision"] != "full" and not row["vae_tiling"])
    card = CardTest.model_validate_json((tmp_path / "card-cpu.json").read_bytes())
    assert card.measured.products and card.versions["torch"]
    assert all(row["ran"] for row in json.loads((tmp_path / "fit.json").read_text())["rows"])


def test_a_part_that_cannot_run_ends_no_other(tmp_path: Path) -> None:
    command = ["bash", "benchmarks/gpu_all.sh", "--out", str(tmp_path), "--only", "card smoke"]
    environment = os.environ | {"PYTHON": "false"}
    answer = subprocess.run(command, cwd=APP, env=environment, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    assert answer.stdout.splitlines() == ["== card", "== card ended with 1", "== smoke", "== smoke ended with 1"]
