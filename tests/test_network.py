"""Private by proof: a take and its render without any network, and no connection tried on the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine import APP
from tests.conftest import PROMPT

pytestmark = pytest.mark.slow
MAKE = [sys.executable, "app.py", "make", PROMPT, "--model", "tiny-wan", "--frames", "9", "--steps", "2"]


def test_a_render_needs_no_network_at_all(tiny_home: Path) -> None:
    """In a network namespace of its own, where not even loopback is up."""
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("network namespaces need Linux and permission for them")
    done = subprocess.run([*alone, *MAKE], cwd=APP, env=os.environ | {"RUSHES_HOME": str(tiny_home)},
                          capture_output=True, text=True, timeout=250)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_file()


def test_no_connection_is_tried_during_a_take_and_a_render(tiny_home: Path, tmp_path: Path) -> None:
    """Every connect and sendto of every process and thread, as the kernel saw them."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    log = tmp_path / "strace.log"
    tracing = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(log)]
    done = subprocess.run([*tracing, *MAKE], cwd=APP, env=os.environ | {"RUSHES_HOME": str(tiny_home)},
                          capture_output=True, text=True, timeout=280)  # fmt: skip
    assert done.returncode == 0, done.stderr
    abroad = [line for line in log.read_text().splitlines() if "AF_INET" in line]
    assert abroad == []
