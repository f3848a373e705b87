"""What a job brought from the disk, and how long that took."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.worker.loading import single_file_loader

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
