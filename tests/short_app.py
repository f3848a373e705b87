"""The whole app over real workers whose memory runs out where a file says so.

python -m tests.short_app FAULTS.json <the app's own arguments>
"""

from __future__ import annotations

import sys
from typing import Any

from engine.jobs import local_worker as process
from ui.commands import main

FAULTS = sys.argv.pop(1)
ordinary = process.worker_command


def command(*given: Any) -> list[str]:
    python, _, _, *rest = ordinary(*given)
    return [python, "-m", "tests.short_worker", FAULTS, *rest]


if __name__ == "__main__":
    process.worker_command = command
    main()
