"""Models arrive and leave: what an install would cost, the queue of downloads, pause, resume, import, remove.

The work is done by `engine.downloader`, one process per model. Pausing ends it, resuming starts it again; whatever ends
it (a kill, a crash, a reboot) is a pause that nobody asked for. One process at a time runs the queue of a data folder;
others add to it, watch it, and take over when that one is gone.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from engine.card import ModelCard
from engine.download_queue import DownloadQueue
from engine.errors import BadFile, BadInput, InUse, MachineProblem, ModelGated
from engine.fetcher import Fetcher, ask_for_list, sign_in
from engine.manifest import Download, FetchFiles, ListFiles, Quote, check_room, intact, read_record
from engine.model_folders import find_models, guess_card
from engine.paths import APP, Places

AT_ONCE = 2
POLL_SECONDS = 0.2
PATIENCE_SECONDS = 300.0


class Downloads:
    """The models of one data folder. `start()` before anything arrives; looking and asking need nothing."""

    def __init__(self, places: Places, patience: float = PATIENCE_SECONDS) -> None:
        """`patience`: seconds without a byte before a download is given up until someone resumes it."""
        self._places, self._patience = places, patience
        places.arriving.mkdir(parents=True, exist_ok=True)
        self._queue = DownloadQueue(places.downloads)
        self._lock = FileLock(places.models / ".downloads.lock")
        self._closing = threading.Event()
        self._watchman: threading.Thread | None = None
        self._fetchers: list[Fetcher] = []

    # ---- life ----

    def start(self) -> None:
        """Run the queue, or stand by until the process that runs it is gone."""
        if not self._watchman:
            self._watchman = threading.Thread(target=self._watch, name="downloads", daemon=True)
            self._watchman.start()

    def close(self) -> None:
        """End the processes in order; what was running goes on at the next start."""
        self._closing.set()
        if self._watchman:
            self._watchman.join(timeout=10)
        self._queue.close()

    def _watch(self) -> None:
        while not self._closing.is_set():
            try:
                with self._lock.acquire(timeout=0):
                    self._run()
            except Timeout:
                self._closing.wait(1.0)

    def _run(self) -> None:
        for left in self._places.arriving.glob(".removed-*"):
            shutil.rmtree(left, ignore_errors=True)
        for row in self._queue.rows("running"):  # cut off with the last process that ran the queue
            self._queue.update(row.download.model_copy(update={"state": "queued", "phase": "waiting"}))
        while not self._closing.wait(POLL_SECONDS):
            try:
                self._start_queued()
            except MachineProblem:  # a full disk: nothing can be written down, so nothing is started
                self._closing.wait(2.0)
        for fetcher in self._fetchers:
            fetcher.join(timeout=5)

    def _start_queued(self) -> None:
        self._fetchers = [fetcher for fetcher in self._fetchers if fetcher.is_alive()]
        for row in self._queue.rows("queued")[: AT_ONCE - len(self._fetchers)]:
            self._queue.wish(row.download.model, "")
            self._queue.update(row.download.model_copy(update={"state": "running", "phase": "listing"}))
            staging, target = self._staging(row.download.model), self._places.models / row.download.model
            order = FetchFiles(list=row.order, staging=str(staging), target=str(target), patience=self._patience)
            fetcher = Fetcher(order, self._places, self._queue, self._closing)
            fetcher.start()
            self._fetchers.append(fetcher)

    # ---- asking ----

    def quote(self, card: ModelCard, source: Path | None = None, link: bool = False) -> Quote:
        """The exact files, bytes, licence and disk of an install, from the hub or from the folder `source`.

        Raises HubProblem, ModelProblem or BadFile when that cannot be known, InUse when it is here. Changes nothing.
        """
        self._check_absent(card)
        order = ListFiles(card=card, source=str(source or ""), link=link or source is None)
        manifest = ask_for_list(order, self._places)
        staging = self._staging(card.id)
        here = {file.name for file in manifest.files if file.found or (staging / "whole" / file.name).is_file()}
        parts = sum(path.stat().st_size for path in staging.glob("parts/*.part"))
        download = sum(file.bytes for file in manifest.files if file.name not in here)
        copied = sum(file.bytes for file in manifest.files if file.found and not order.link)
        return Quote(
            manifest=manifest,
            licence=card.licence.line,
            bytes_here=manifest.bytes - download + min(parts, download),
            bytes_to_download=max(download - parts, 0),
            bytes_to_write=max(download + copied - parts, 0),
            disk_free=shutil.disk_usage(self._places.models).free,
        )

    def sign_in(self, token: str) -> str:
        """Let huggingface_hub keep a token for gated models. Returns whose it is; raises HubProblem."""
        return sign_in(token, self._places)

    def recognise(self, folder: Path, cards: Sequence[ModelCard]) -> tuple[Path, ModelCard]:
        """The one model in, or just below, a folder; with a single card, the folder is taken to be that model.

        Raises BadFile when there is none, or several, or an unknown one.
        """
        found = find_models(folder)
        if len(found) == len(cards) == 1:
            return found[0], cards[0]
        known = [(path, card) for path in found if (card := guess_card(path, cards))]
        if len(known) == 1:
            return known[0]
        names = ", ".join(path.name for path in found[:8])
        raise BadFile(
            f"The folder {folder.name} holds {'several models' if len(found) > 1 else 'a model'} ({names}).",
            "Choose the folder of one model, and say which one it is (--as).",
        )

    def queue(self) -> list[Download]:
        """The queue, oldest first, with what has ended and nobody has cleared yet."""
        return [row.download for row in self._queue.rows()]

    def get(self, model: str) -> Download:
        """How one download stands. Raises UnknownName."""
        return self._queue.row(model).download

    # ---- the queue ----

    def add(self, card: ModelCard, quote: Quote | None = None, source: Path | None = None, link: bool = False) -> None:
        """Queue an install; with a `quote`, of exactly the files and commits that it named.

        An installed model that lost files is repaired. Raises InUse when it is whole or on its way, MachineProblem when
        there is no room.
        """
        before = self._queue.find(card.id)
        if before and before.download.state in ("queued", "running"):
            raise InUse(f"{card.name} is already on its way.", "Watch it, pause it, or cancel it first.")
        self._check_absent(card)
        folder, staging = self._places.models / card.id, self._staging(card.id)
        if folder.exists():  # it lost files: what is left of it need not come again
            staging.mkdir(exist_ok=True)
            folder.replace(staging / "whole")
        if quote:
            if quote.manifest.gate:
                raise ModelGated("The owner of this model asks everyone to accept terms first.", quote.manifest.gate)
            check_room(self._places.models, quote.bytes_to_write)
            staging.mkdir(exist_ok=True)
            (staging / "manifest.json").write_text(quote.manifest.model_dump_json(), encoding="utf-8")
        order = ListFiles(card=card, source=str(source or ""), link=link or source is None)
        self._queue.add(order, Download(model=card.id, bytes_total=quote.manifest.bytes if quote else 0))

    def _check_absent(self, card: ModelCard) -> None:
        """Raises unless there is something to install: a model that is not here, or not whole any more."""
        if (APP / "models" / card.id).is_dir():
            raise BadInput(f"{card.name} comes with Rushes.", "There is nothing to install.")
        folder = self._places.models / card.id
        record = read_record(folder)
        if folder.exists() and (record is None or intact(folder, record)):
            raise InUse(f"{card.name} is already installed.", f"Remove it first with `models remove {card.id}`.")

    def pause(self, model: str) -> None:
        """End its process; what has arrived is kept."""
        row = self._queue.row(model)
        if row.download.state == "queued":
            self._queue.update(row.download.model_copy(update={"state": "paused"}))
        elif row.download.state == "running":
            self._queue.wish(model, "pause")

    def resume(self, model: str) -> None:
        """Go on with a paused or failed download, where it was."""
        row = self._queue.row(model)
        if row.download.state in ("paused", "failed"):
            self._queue.wish(model, "")
            fresh = {"state": "queued", "phase": "waiting", "cause": "", "remedy": "", "detail": ""}
            self._queue.update(row.download.model_copy(update=fresh))

    def cancel(self, model: str) -> int:
        """Give up a download and what has arrived of it. Returns the bytes freed."""
        row = self._queue.find(model)
        if row and row.download.state == "running":
            self._queue.wish(model, "cancel")
            while (row := self._queue.find(model)) and row.download.state == "running" and self._someone_runs():
                time.sleep(POLL_SECONDS / 4)
        self._queue.remove(model)
        return self._throw_away(self._staging(model))

    def remove(self, card: ModelCard) -> int:
        """Remove an installed model, and a download of it. Returns the bytes freed on this disk.

        Files that were only linked to stay where they are. Raises BadInput for a model that comes with Rushes or is
        not there, InUse when another program holds it.
        """
        if (APP / "models" / card.id).is_dir():
            raise BadInput(f"{card.name} comes with Rushes and stays.", "Remove a model that you installed.")
        folder = self._places.models / card.id
        known = folder.exists() or self._staging(card.id).exists() or self._queue.find(card.id)
        if not known:
            raise BadInput(f"{card.name} is not installed.", "See `app.py models` for what is.")
        return self.cancel(card.id) + self._throw_away(folder) + self._throw_away(self._places.caches / card.id)

    def tidy(self) -> int:
        """Throw away all weights that were made smaller; a model makes its own again. Returns the bytes freed."""
        return self._throw_away(self._places.caches)

    def _someone_runs(self) -> bool:
        """Whether a living process, this one or another, runs the queue."""
        try:
            with self._lock.acquire(timeout=0):
                return False
        except Timeout:
            return True

    def _throw_away(self, folder: Path) -> int:
        """Out of sight at once, then off the disk."""
        if not folder.exists():
            return 0
        bin_ = self._places.arriving / f".removed-{secrets.token_hex(4)}"
        try:
            folder.replace(bin_)
        except OSError as error:
            raise InUse(
                f"{folder.name} is being used and cannot be removed.", "Close Rushes and try again.", str(error)
            ) from error
        stats = [path.lstat() for path in bin_.rglob("*") if path.is_symlink() or path.is_file()]
        shutil.rmtree(bin_, ignore_errors=True)
        return sum(stat.st_size for stat in stats if stat.st_nlink == 1)

    def _staging(self, model: str) -> Path:
        return self._places.arriving / model
