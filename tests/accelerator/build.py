"""Builds the pretend card: one C++ file, half a minute, kept in the temporary folder until it or torch changes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch

SOURCE = Path(__file__).with_name("pretend.cpp")


def library() -> Path | None:
    """The built library; None where there is no C++ compiler."""
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        return None
    key = hashlib.sha256(SOURCE.read_bytes() + torch.__version__.encode()).hexdigest()[:16]
    built = Path(tempfile.gettempdir()) / f"rushes-pretend-card-{key}.so"
    if built.exists():
        return built
    home = Path(torch.__file__).parent
    making = Path(tempfile.mkdtemp()) / built.name
    headers = (home / "include", home / "include/torch/csrc/api/include")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-std=c++20", "-O1", "-w",
         f"-D_GLIBCXX_USE_CXX11_ABI={int(torch._C._GLIBCXX_USE_CXX11_ABI)}", *(f"-I{path}" for path in headers),
         str(SOURCE), "-o", str(making), f"-L{home / 'lib'}", "-ltorch", "-ltorch_cpu", "-lc10"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    shutil.move(making, built)  # whole or not there: two test processes may build at once
    return built
