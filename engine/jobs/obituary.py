"""Why a worker process ended without an answer, from what the system and its log tell."""

from __future__ import annotations

import re
from pathlib import Path

from engine.schema.errors import WorkerDied

COUNTERS = (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events"))  # Linux: the machine's, and a container's own
KILLED = (-9, 137)
# Windows: STATUS_NO_MEMORY and STATUS_COMMITMENT_LIMIT, which is what a page file that cannot grow ends in.
PAGE_FILE_CODES = (0xC0000017, 0xC000012D)
# bitsandbytes ends the process by itself, with this line, when the card's memory runs out.
BITSANDBYTES = re.compile(r"^Error out of memory at line \d+ in file \S+\s*\Z", re.M)
ROOM = "Close other programs, or make the clip smaller or shorter, then try again."


def oom_kills(counters: tuple[Path, ...] = COUNTERS) -> int:
    """A count that grows whenever the kernel ends a process because memory ran out; 0 on other systems."""
    return sum(_count(path) for path in counters)


def _count(path: Path) -> int:
    try:
        found = re.search(r"^oom_kill (\d+)$", path.read_text(), re.M)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def of(code: int, oom_killed: bool, log: str) -> WorkerDied:
    """The death of a worker with this exit code. `oom_killed`: the kernel ended a process while it ran."""
    detail = f"exit code {code}"
    if code in KILLED and oom_killed:
        return WorkerDied(
            "The computer's memory (RAM) ran out, so the system ended the engine.", ROOM, detail, what="ram"
        )
    if code in KILLED:
        return WorkerDied(
            "The engine process was ended from outside, most likely because memory was short.", ROOM, detail
        )
    if code % 2**32 in PAGE_FILE_CODES:
        return WorkerDied(
            "The page file of Windows (virtual memory) is full, so the engine could not go on.",
            "Let Windows manage the size of the page file, or close other programs, then try again.",
            detail,
            what="page_file",
        )
    if BITSANDBYTES.search(log):
        return WorkerDied(
            "The graphics card's memory (VRAM) ran out while its weights were made smaller.", ROOM, detail, what="vram"
        )
    return WorkerDied(
        "The engine process stopped unexpectedly.",
        "Try again; if it happens again, run `app.py doctor` and look at the logs folder.",
        detail,
    )
