"""The loop of the downloading process: one order on stdin, answers on stdout, one JSON line each.

It leaves when stdin ends, so that no orphan goes on fetching; killed at any moment, the next one goes on from there.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx2
from filelock import FileLock, Timeout
from huggingface_hub import login, whoami

from engine.durable_files import written
from engine.install.downloader.fetch import Fetching, leave_in_order
from engine.install.downloader.folder_listing import list_from_folder
from engine.install.downloader.hub_errors import explain
from engine.install.downloader.hub_listing import list_from_hub, list_lora
from engine.install.downloader.partial_file import StopAsked
from engine.install.downloader.progress import Meter
from engine.schema import FrozenModel
from engine.schema.errors import HubProblem, InUse, ModelGated, RushesError
from engine.schema.manifest import (
    RECORD,
    FetchFiles,
    Listed,
    ListFiles,
    ListLora,
    Manifest,
    Refused,
    SignedIn,
    SignIn,
    Stopped,
    Whole,
    orders,
)
from engine.schema.message import Message

LOCK_SECONDS = 10.0  # how long the end of an orphan is waited for
STOP_SECONDS = 2.0


def main() -> None:
    # huggingface_hub prints to nowhere that matters: the protocol has the real stdout for itself
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    lock, stop = threading.Lock(), threading.Event()

    def say(answer: FrozenModel) -> None:
        with lock:
            out.write(answer.model_dump_json() + "\n")
            out.flush()

    order = orders.validate_json(sys.stdin.readline())
    threading.Thread(target=_leave_with_the_engine, args=(stop,), daemon=True).start()
    try:
        match order:
            case ListFiles() | ListLora():
                say(Listed(manifest=list_files(order)))
            case SignIn(token=token):
                say(SignedIn(name=sign_in(token)))
            case FetchFiles():
                say(fetch(order, say, stop))
    except (RushesError, OSError) as error:
        no = explain(error, order.repo if isinstance(order, ListFiles | ListLora) else "the hub")
        say(Refused(cause=no.cause, remedy=no.remedy, detail=no.detail, gated=isinstance(no, ModelGated)))
    out.close()
    os._exit(0)  # threads that wait for a silent server are not waited for


def _leave_with_the_engine(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()
    threading.Event().wait(STOP_SECONDS)
    os._exit(1)


def sign_in(token: str) -> str:
    """Whose token it is, once the hub accepted it and huggingface_hub keeps it."""
    try:
        login(token=token.strip())
        return str(whoami()["name"])
    except (httpx2.HTTPError, OSError, ValueError, LookupError) as error:
        if isinstance(error, httpx2.TransportError):
            raise explain(error, "your account") from error
        raise HubProblem(
            Message("The hub does not accept this token."),
            Message("Make a new one there (Settings, Access Tokens, read is enough)."),
        ) from None  # no trace: it may hold the token


def list_files(order: ListFiles | ListLora) -> Manifest:
    if isinstance(order, ListLora):
        return list_lora(order.lora)
    if order.source:
        return list_from_folder(order.card, Path(order.source))
    return list_from_hub(order.card, order.borrowed)


def fetch(order: FetchFiles, say: Callable[[FrozenModel], None], stop: threading.Event) -> Whole | Stopped:
    """Fetch, check and hand over one model or LoRA. Raises RushesError."""
    staging, target = Path(order.staging), Path(order.target)
    staging.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(staging.with_name(f".{staging.name}.lock"), timeout=LOCK_SECONDS):
            return _fetch(order, staging, target, Meter(say, stop))
    except Timeout as error:
        raise InUse(Message("Another download of it is running."), Message("Wait until it has ended.")) from error


def _fetch(order: FetchFiles, staging: Path, target: Path, meter: Meter) -> Whole | Stopped:
    if (target / RECORD).is_file():  # the last one was killed between handing over and saying so
        shutil.rmtree(staging, ignore_errors=True)
        return Whole()
    staging.mkdir(exist_ok=True)
    kept = staging / "manifest.json"
    try:
        manifest = Manifest.model_validate_json(kept.read_bytes())
    except (OSError, ValueError):
        manifest = list_files(order.list)
        with written(kept) as fresh:
            fresh.write_text(manifest.model_dump_json(), encoding="utf-8")
    if manifest.gate:
        kept.unlink()  # the next try asks again
        raise ModelGated(Message("Its owner asks everyone to accept terms first."), manifest.gate)
    meter.total = manifest.bytes
    try:
        Fetching(manifest, staging, order.list.link, order.patience, meter).run(target)
    except StopAsked:
        leave_in_order(staging, manifest)
        return Stopped()
    return Whole(notes=meter.notes)


if __name__ == "__main__":
    main()
