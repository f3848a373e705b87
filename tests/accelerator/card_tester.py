"""The process that measures, with the pretend card for a card.

python -m tests.accelerator.card_tester CARD.json <the process's own arguments>
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from engine.schema import Device
from tests.accelerator import pretend

if __name__ == "__main__":
    seen = Device.model_validate(json.loads(Path(sys.argv.pop(1)).read_text()))
    assert pretend.install()
    from engine.worker import card_checks

    card_checks.described = lambda: (seen,)
    card_checks.main()
