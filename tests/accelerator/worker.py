"""A real worker whose card is the pretend one, of as much memory as a file says.

python -m tests.accelerator.worker CARD.json <the worker's own arguments>
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from engine.schema import Device
from engine.worker import __main__ as worker
from engine.worker import accelerator
from tests.accelerator import pretend

CONTEXT_GB = 0.8  # what a forecast adds for the context of a card, which the pretend one has none of

if __name__ == "__main__":
    seen = Device.model_validate(json.loads(Path(sys.argv.pop(1)).read_text()))
    assert pretend.install()
    pretend.CARDS[0].cap((seen.vram_gb - CONTEXT_GB) * 1e9)
    accelerator.described = lambda: (seen,)
    worker.main()
