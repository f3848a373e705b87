"""What is wrong with this machine or this installation, one finding and one remedy each; and one file for someone who
helps, with the machine, the findings, how jobs ended and the newest log lines.
"""

from __future__ import annotations

import contextlib
import getpass
import io
import json
import platform
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from engine.engine import TOY_PROMPT, Engine
from engine.jobs.scheduler import lost_lane
from engine.paths import without_paths
from engine.schema import FrozenModel, HardwareProfile, Job, Request
from engine.schema.errors import RushesError
from engine.schema.events import Failed, Finished
from engine.schema.message import NOTHING, Message

MIN_FREE_GB = 2.0
REINSTALL = Message("Close Rushes, then install it again (in Pinokio: Install again) or run `python bootstrap.py`.")


class Finding(FrozenModel):
    """One thing that was looked at. `remedy` is empty when it is fine. `spare`: what it holds can be freed."""

    name: Literal[
        "python", "torch", "device", "memory", "disk", "folder", "models", "caches", "video", "library", "queue", "take"
    ]
    ok: bool
    finding: Message
    remedy: Message = NOTHING
    spare: bool = False


def examine(engine: Engine, with_take: bool = True) -> Iterator[Finding]:
    """Look at everything, the quick things first; the last finding is a real take of the starter model."""
    hardware = engine.machine.hardware()
    yield _python()
    yield _torch(hardware)
    for device in hardware.devices:
        found = Message("Models can run on {device} ({device_2}).", device=device.name, device_2=device.id)
        if device.vram_gb:
            found = Message(
                "{found}, {vram_free_gb:.1f} of {vram_gb:.1f} GB free.",
                found=found[:-1],
                vram_free_gb=device.vram_free_gb,
                vram_gb=device.vram_gb,
            )
        yield Finding(name="device", ok=True, finding=found)
    for note in hardware.notes:
        yield Finding(name="device", ok=True, finding=note)
    for problem in hardware.problems:
        remedy = Message("Until then models run on {best}.", best=hardware.best.name)
        yield Finding(name="device", ok=False, finding=problem, remedy=remedy)
    yield _memory(hardware)
    yield _disk(hardware)
    yield _writable(engine)
    yield _models(engine)
    yield _caches(engine)
    yield _encoder()
    yield from _library(engine)
    yield from _queue(engine)
    if with_take:
        yield _take(engine)


def _python() -> Finding:
    found = Message(
        "Python {python_version} on {system}", python_version=platform.python_version(), system=platform.system()
    )
    ok = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding(
        name="python", ok=ok, finding=found, remedy=NOTHING if ok else Message("Install Python 3.11, 3.12 or 3.13.")
    )


def _torch(hardware: HardwareProfile) -> Finding:
    try:
        build = version("torch")
    except PackageNotFoundError:
        return Finding(name="torch", ok=False, finding=Message("torch is not installed."), remedy=REINSTALL)
    has_card = hardware.best.kind == "cuda"
    if has_card and "+cpu" in build:
        return Finding(
            name="torch",
            ok=False,
            finding=Message("torch {build} cannot use {best}.", build=build, best=hardware.best.name),
            remedy=REINSTALL,
        )
    return Finding(name="torch", ok=True, finding=Message("torch {build} is installed.", build=build))


def _memory(hardware: HardwareProfile) -> Finding:
    found = Message(
        "{ram_free_gb:.1f} of {ram_gb:.1f} GB RAM free, page file {page_file_gb:.1f} GB",
        ram_free_gb=hardware.ram_free_gb,
        ram_gb=hardware.ram_gb,
        page_file_gb=hardware.page_file_gb,
    )
    ok = hardware.ram_free_gb > 1.5  # the starter's worker takes about 1 GB
    return Finding(
        name="memory",
        ok=ok,
        finding=found,
        remedy=NOTHING if ok else Message("Close other programs, or let go of the model that is kept ready."),
    )


def _disk(hardware: HardwareProfile) -> Finding:
    ok = hardware.disk_free_gb > MIN_FREE_GB
    remedy = (
        NOTHING
        if ok
        else Message("Free some space, keep models on another drive, or set RUSHES_HOME to a folder there.")
    )
    found = Message("{disk_free_gb:.1f} GB free for takes and clips", disk_free_gb=hardware.disk_free_gb)
    return Finding(name="disk", ok=ok, finding=found, remedy=remedy)


def _writable(engine: Engine) -> Finding:
    home = engine.places.home
    try:
        with tempfile.NamedTemporaryFile(dir=engine.places.staging):
            pass
    except OSError as error:
        return Finding(
            name="folder",
            ok=False,
            finding=Message("{home} cannot be written ({strerror}).", home=home, strerror=error.strerror),
            remedy=Message("Give yourself permission to write there, or set RUSHES_HOME to another folder."),
        )
    return Finding(name="folder", ok=True, finding=Message("Takes and clips are kept in {home}", home=home))


def _models(engine: Engine) -> Finding:
    folder = engine.places.models
    if folder.is_dir():
        return Finding(name="models", ok=True, finding=Message("Models are kept in {folder}", folder=folder))
    return Finding(
        name="models",
        ok=False,
        finding=Message("The folder for models, {folder}, is not there.", folder=folder),
        remedy=Message("Plug its disk in, or choose another folder for models."),
    )


def _caches(engine: Engine) -> Finding:
    kept = sum(path.stat().st_size for path in engine.places.caches.rglob("*") if path.is_file())
    found = Message("{kept:.1f} GB of weights made smaller are kept; `app.py models tidy` frees them", kept=kept / 1e9)
    told = found if kept else Message("No weights made smaller are kept")
    return Finding(name="caches", ok=True, finding=told, spare=kept > 0)


def _library(engine: Engine) -> Iterator[Finding]:
    """Only where something is to be said of it."""
    if unreadable := engine.library.unreadable():
        found = Message(
            "{count} entries among the takes and clips cannot be read, such as {unreadable}.",
            count=len(unreadable),
            unreadable=unreadable[0],
        )
        remedy = Message("They are left alone. Delete them, or put back a copy that you have.")
        yield Finding(name="library", ok=False, finding=found, remedy=remedy)


def _queue(engine: Engine) -> Iterator[Finding]:
    """Only where something is to be said of it."""
    if lost := lost_lane(engine.store):
        found = Message(
            "The queue of {device} stopped by itself ({why}) on {when}.",
            device=lost.device,
            why=lost.why,
            when=lost.when,
        )
        remedy = Message("It was started again. If it happens once more, send us the support file.")
        yield Finding(name="queue", ok=False, finding=found, remedy=remedy)


def _encoder() -> Finding:
    import av

    try:
        av.codec.Codec("libx264", "w")
    except av.codec.codec.UnknownCodecError:
        return Finding(
            name="video",
            ok=False,
            finding=Message("This PyAV build cannot write H.264."),
            remedy=REINSTALL,
        )
    return Finding(
        name="video", ok=True, finding=Message("H.264 video through PyAV {version__}", version__=av.__version__)
    )


def _take(engine: Engine) -> Finding:
    """A real take through the real worker, removed afterwards."""
    try:
        engine.start()
        (job,) = engine.make_takes(Request(prompt=TOY_PROMPT, seed=1))
        final = list(engine.watch(job.id))[-1]
    except RushesError as error:
        return Finding(name="take", ok=False, finding=error.cause, remedy=error.remedy)
    if isinstance(final, Failed):
        return Finding(name="take", ok=False, finding=final.cause, remedy=final.remedy or REINSTALL)
    if not isinstance(final, Finished):
        return Finding(
            name="take",
            ok=False,
            finding=Message("The test take was stopped."),
            remedy=Message("Run the doctor again."),
        )
    take = engine.library.take(final.result_id)
    engine.library.delete_take(take)
    return Finding(
        name="take", ok=True, finding=Message("A real take was made in {seconds:.1f} s", seconds=final.seconds)
    )


# ---- the file for someone who helps: no prompts, no names of people and computers, no paths ----

LOG_BYTES = 200_000
JOBS = 60
PROMPT = re.compile(r'"((?:negative_)?prompt)":\s*"(?:[^"\\]|\\.)*"')


def support_file(engine: Engine) -> bytes:
    """A ZIP of text files, ready to be sent."""
    names = _names(engine)
    content = {
        "machine.json": engine.machine.hardware().model_dump_json(indent=2),
        "doctor.txt": "\n".join(
            f"{'ok  ' if found.ok else 'WRONG'} {found.name}: {found.finding} {found.remedy}"
            for found in examine(engine, with_take=False)
        ),
        "jobs.json": json.dumps([_job(engine, job) for job in engine.queue.jobs(limit=JOBS)], indent=2),
        **dict(_texts(engine.places.card_tests, "*.json")),
        "models.txt": "\n".join(card.id for card in engine.models.cards() if engine.models.installed(card)),
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
    events = [event.model_dump() for _, event in engine.queue.events(job.id)]
    for event in events:
        event.pop("result_id", None)
    return {"stage": job.stage, "state": job.state, "created": job.created, "plan": plan, "events": events}


def _texts(folder: Path, pattern: str) -> Iterator[tuple[str, str]]:
    """The newest lines of each; what cannot be read is left out, as this is for when something is broken."""
    for path in sorted(folder.glob(pattern)):
        with contextlib.suppress(OSError), path.open("rb") as file:
            file.seek(max(path.stat().st_size - LOG_BYTES, 0))
            yield f"{folder.name}/{path.name}", file.read().decode("utf-8", "replace")
