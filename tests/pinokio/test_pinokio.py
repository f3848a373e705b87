"""Pinokio's scripts: on every kind of machine (a table), and through the real pinokiod (slow).

Not covered: Pinokio 6 to 8 (npm stops at 5.3.28; 8.0.40 was driven through the same story by hand in November 2026),
its Electron window, and real Windows and macOS shells.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NODE, NPM = shutil.which("node"), shutil.which("npm")
SEARCH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def python_3_11():
    """(its folder, its version) of a Python 3.11 that Pinokio's uv can be given: its own would be downloaded."""
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.11.*/bin/python3.11"))
    for program in (sys.executable, *map(str, pyenv), shutil.which("python3.11")):
        code = "import platform, sys; print(sys.base_prefix, platform.python_version(), sep='\\n')"
        done = subprocess.run([program or "false", "-c", code], capture_output=True, text=True)
        folder, _, version = done.stdout.strip().partition("\n")
        if version.startswith("3.11.") and (Path(folder) / "bin/python3.11").exists():
            return folder, version
    return None


@pytest.mark.skipif(NODE is None, reason="needs Node")
def test_every_machine_runs_the_steps_it_should():
    done = subprocess.run([NODE, str(HERE / "table.mjs"), str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "9 stories on 18 machines" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(NODE is None or NPM is None or os.name == "nt", reason="needs Node, npm and bash")
def test_install_start_open_update_stop_reset_through_the_real_daemon(tmp_path):
    python, uv = python_3_11(), shutil.which("uv", path=SEARCH)
    if python is None or uv is None:
        pytest.skip("needs a Python 3.11 and uv")
    if not (HERE / "node_modules/pinokiod").is_dir():
        install = [NPM, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
        if subprocess.run(install, cwd=HERE).returncode != 0:
            pytest.skip("npm could not fetch pinokiod")
    cache = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True).stdout.strip()
    settings = {"uv": uv, "uvCache": cache, "python": python[0], "pythonVersion": python[1]}
    command = [NODE, str(HERE / "drive.mjs"), str(ROOT), str(tmp_path), json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1100)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
