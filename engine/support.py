"""One file for someone who helps: what this machine is, what was found wrong, how jobs ended, the newest log lines.

Taken out: prompts, the names of people and computers, and every path.
"""

from __future__ import annotations

import contextlib
import getpass
import io
import json
import platform
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from engine.diagnostics import examine
from engine.engine import Engine
from engine.paths import without_paths
from engine.schema import Job

LOG_BYTES = 200_000
JOBS = 60
PROMPT = re.compile(r'"((?:negative_)?prompt)":\s*"(?:[^"\\]|\\.)*"')


def support_file(engine: Engine) -> bytes:
    """A ZIP of text files, ready to be sent."""
    names = _names(engine)
    content = {
        "machine.json": engine.hardware().model_dump_json(indent=2),
        "doctor.txt": "\n".join(
            f"{'ok  ' if found.ok else 'WRONG'} {found.name}: {found.finding} {found.remedy}"
            for found in examine(engine, with_take=False)
        ),
        "jobs.json": json.dumps([_job(engine, job) for job in engine.store.jobs(limit=JOBS)], indent=2),
        **dict(_texts(engine.places.card_tests, "*.json")),
        "models.txt": "\n".join(card.id for card in engine.cards() if engine.installed(card)),
        **dict(_texts(engine.places.logs, "*.log")),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in content.items():
            file.writestr(name, without_names(text, names))
    return buffer.getvalue()


def without_names(text: str, names: list[str]) -> str:
    """`text` without paths, prompts, and these names."""
    text = PROMPT.sub(r'"\1": "(removed)"', text)
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(re.escape(name), "(removed)", text, flags=re.IGNORECASE)
    return without_paths(text)


def _names(engine: Engine) -> list[str]:
    """What says who and where: the person, the computer, their folders; in both ways of writing a backslash."""
    folders = [str(engine.places.home), str(Path.home())]
    found = [
        *folders,
        *engine.library.unreadable(),
        *(folder.replace("\\", "\\\\") for folder in folders),
        platform.node(),
        Path.home().name,
    ]
    with contextlib.suppress(OSError, KeyError):  # a user that the system has no name for
        found.append(getpass.getuser())
    return [name for name in dict.fromkeys(found) if len(name) > 2 and name not in ("root", "home")]


def _job(engine: Engine, job: Job) -> dict[str, object]:
    """How a job ended, without its name, which begins with words of the prompt."""
    plan = job.plan.model_dump(include={"model", "take", "render", "sigma", "placement", "forecast"})
    events = [event.model_dump() for _, event in engine.store.events(job.id)]
    for event in events:
        event.pop("result_id", None)
    return {"stage": job.stage, "state": job.state, "created": job.created, "plan": plan, "events": events}


def _texts(folder: Path, pattern: str) -> Iterator[tuple[str, str]]:
    """The newest lines of each; what cannot be read is left out, as this is for when something is broken."""
    for path in sorted(folder.glob(pattern)):
        with contextlib.suppress(OSError), path.open("rb") as file:
            file.seek(max(path.stat().st_size - LOG_BYTES, 0))
            yield f"{folder.name}/{path.name}", file.read().decode("utf-8", "replace")
