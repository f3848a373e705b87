"""Show a file in the file manager of this computer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from engine import MachineProblem
from ui.texts import CLIP


def reveal(path: Path) -> None:
    """Open the folder of `path`, with the file chosen where the system can. Raises MachineProblem."""
    folder = path if path.is_dir() else path.parent
    if sys.platform == "win32":
        command = ["explorer", f"/select,{path}"]
    elif sys.platform == "darwin":
        command = ["open", "-R", str(path)]
    else:
        command = ["xdg-open", str(folder)]
    if not shutil.which(command[0]):
        raise MachineProblem(CLIP.no_window, CLIP.no_window_remedy.format(path=path))
    subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
