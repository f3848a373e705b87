"""Models and LoRAs arrive and leave: what an install would cost, the queue of downloads, pause, resume, import, remove.

The work is done by `engine.install.downloader`, one process for each. Pausing ends it, resuming starts it again;
whatever ends it (a kill, a crash, a reboot) is a pause that nobody asked for. One process at a time runs the queue of a
data folder; others add to it, watch it, and take over when that one is gone.
"""

from __future__ import annotations

import errno
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from engine.install.runner import DownloadLane, ask_for_list, sign_in
from engine.paths import APP, Places
from engine.schema.card import ModelCard
from engine.schema.errors import BadFile, BadInput, InUse, MachineProblem, ModelGated, not_written
from engine.schema.manifest import (
    Download,
    HubLora,
    ListFiles,
    ListLora,
    Manifest,
    Quote,
    check_room,
    hub_lora,
    intact,
    read_record,
)
from engine.schema.message import Message
from engine.storage.download_queue import DownloadQueue
from engine.storage.lora_library import Loras
from engine.weights.external import Offer
from engine.weights.model_folders import find_models, guess_card

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 300.0
NOT_SAID = Message("not said: ask its maker before selling a clip")


class Downloads:
    """The models of one data folder. `start()` before anything arrives; looking and asking need nothing."""

    def __init__(self, places: Places, loras: Loras, patience: float = PATIENCE_SECONDS) -> None:
        """`loras`: where LoRAs go; `patience`: seconds without a byte before a download waits for someone to resume."""
        self._places, self._loras = places, loras
        self._queue = DownloadQueue(places.downloads)
        self._lane = DownloadLane(places, self._queue, loras, patience)

    # ---- life ----

    def start(self) -> None:
        """Run the queue, or stand by until the process that runs it is gone."""
        self._lane.start()

    def close(self) -> None:
        """End the processes in order; what was running goes on at the next start."""
        self._lane.close()
        self._queue.close()

    # ---- asking ----

    def quote(self, card: ModelCard, source: Path | Offer | None = None, link: bool = False) -> Quote:
        """The exact files, bytes, licence and disk of an install, from the hub (beside an offer) or a folder.

        Raises HubProblem, ModelProblem or BadFile when that cannot be known, InUse when it is here. Changes nothing.
        """
        self._check_absent(card)
        self._check_folder()
        folder = source if isinstance(source, Path) else None
        lent = source.borrowed if isinstance(source, Offer) else ()
        order = ListFiles(card=card, source=str(folder or ""), link=link or not folder, borrowed=lent)
        return self._quote(ask_for_list(order, self._places), card.licence.line, order.link)

    def quote_lora(self, address: str) -> Quote:
        """The same for a LoRA on the hub: OWNER/NAME, OWNER/NAME/FILE, or the address of its page.

        Raises BadSetting, HubProblem with the names there are when one must be chosen, InUse when it is here already.
        """
        self._check_folder()
        manifest = ask_for_list(ListLora(lora=hub_lora(address)), self._places)
        (file,) = manifest.files
        same = [kept.name for kept in self._loras.kept() if file.sha256 and file.sha256.startswith(kept.id)]
        if same:
            raise InUse(
                Message("This LoRA is already here: '{same}'.", same=same[0]),
                Message("Choose it; there is nothing to download."),
            )
        return self._quote(manifest, Message.of(manifest.licence) if manifest.licence else NOT_SAID, link=True)

    def _quote(self, manifest: Manifest, licence: Message, link: bool) -> Quote:
        staging = self._staging(manifest.model)
        here = {file.name for file in manifest.files if file.found or (staging / "whole" / file.name).is_file()}
        parts = sum(path.stat().st_size for path in staging.glob("parts/*.part"))
        download = sum(file.bytes for file in manifest.files if file.name not in here)
        copied = sum(file.bytes for file in manifest.files if file.found and not link)
        return Quote(
            manifest=manifest,
            licence=licence,
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
            Message(
                "The folder {folder} holds {value} ({names}).",
                folder=folder.name,
                value="several models" if len(found) > 1 else "a model",
                names=names,
            ),
            Message("Choose the folder of one model, and say which one it is (--as)."),
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
        self._check_still(card.id, card.name)
        self._check_absent(card)
        self._check_folder()
        folder, staging = self._places.model(card.id), self._staging(card.id)
        if folder.exists() and folder.parent != self._places.models:
            self._throw_away(folder)  # it lost files, on another disk: it comes anew into the present folder
        elif folder.exists():  # what is left of it need not come again
            staging.mkdir(parents=True, exist_ok=True)
            folder.replace(staging / "whole")
        if quote:
            self._pin(quote)
        borrowed = quote.manifest.borrowed if quote else ()
        order = ListFiles(card=card, source=str(source or ""), link=link or source is None, borrowed=borrowed)
        self._queue.add(order, Download(model=card.id, bytes_total=quote.manifest.bytes if quote else 0))

    def add_lora(self, quote: Quote) -> str:
        """Queue the LoRA that was quoted. Returns the name of its download; once finished, it is kept like any other.

        Raises InUse when it is on its way, ModelGated, or MachineProblem when there is no room.
        """
        (file,) = quote.manifest.files
        lora = HubLora(repo=file.repo, file=file.path, revision=file.commit)
        self._check_still(lora.id, lora.name)
        self._pin(quote)
        self._queue.add(ListLora(lora=lora), Download(model=lora.id, lora=lora.name, bytes_total=file.bytes))
        return lora.id

    def _pin(self, quote: Quote) -> None:
        """Make the next fetch bring exactly what was quoted."""
        if quote.manifest.gate:
            raise ModelGated(Message("Its owner asks everyone to accept terms first."), quote.manifest.gate)
        check_room(self._places.models, quote.bytes_to_write)
        staging = self._staging(quote.manifest.model)
        staging.mkdir(parents=True, exist_ok=True)
        (staging / "manifest.json").write_text(quote.manifest.model_dump_json(), encoding="utf-8")

    def _check_still(self, model: str, name: str) -> None:
        before = self._queue.find(model)
        if before and before.download.state in ("queued", "running"):
            raise InUse(
                Message("{name} is already on its way.", name=name), Message("Watch it, pause it, or cancel it first.")
            )

    def _check_absent(self, card: ModelCard) -> None:
        """Raises unless there is something to install: a model that is not here, or not whole any more."""
        if (APP / "models" / card.id).is_dir():
            raise BadInput(
                Message("{model} comes with Rushes.", model=card.name), Message("There is nothing to install.")
            )
        folder = self._places.model(card.id)
        record = read_record(folder)
        if folder.exists() and (record is None or intact(folder, record)):
            raise InUse(
                Message("{model} is already installed.", model=card.name),
                Message("Remove it first with `models remove {card}`.", card=card.id),
            )

    def _check_folder(self) -> None:
        """Raises MachineProblem when the folder for models is not there: its disk may be unplugged."""
        if not self._places.models.is_dir():
            raise MachineProblem(
                Message("The folder for models, {models}, is not there.", models=self._places.models),
                Message("Plug its disk in, or choose another folder for models."),
            )

    def pause(self, model: str) -> None:
        """End its process; what has arrived is kept."""
        row = self._queue.row(model)
        if row.download.state == "queued":
            self._queue.update(row.download.but(state="paused"))
        elif row.download.state == "running":
            self._queue.wish(model, "pause")

    def resume(self, model: str) -> None:
        """Go on with a paused or failed download, where it was."""
        row = self._queue.row(model)
        if row.download.state in ("paused", "failed"):
            self._queue.wish(model, "")
            fresh = {"state": "queued", "phase": "waiting", "cause": "", "remedy": "", "detail": ""}
            self._queue.update(row.download.but(**fresh))

    def cancel(self, model: str) -> int:
        """Give up a download and what has arrived of it. Returns the bytes freed."""
        row = self._queue.find(model)
        if row and row.download.state == "running":
            self._queue.wish(model, "cancel")
            while (row := self._queue.find(model)) and row.download.state == "running" and self._lane.someone_runs():
                time.sleep(POLL_SECONDS)
        self._queue.remove(model)
        return self._throw_away(self._staging(model))

    def remove(self, card: ModelCard) -> int:
        """Remove an installed model, and a download of it. Returns the bytes freed on this disk.

        Files that were only linked to stay where they are. Raises BadInput for a model that comes with Rushes or is
        not there, InUse when another program holds it.
        """
        if (APP / "models" / card.id).is_dir():
            raise BadInput(
                Message("{model} comes with Rushes and stays.", model=card.name),
                Message("Remove a model that you installed."),
            )
        folder = self._places.model(card.id)
        known = folder.exists() or self._staging(card.id).exists() or self._queue.find(card.id)
        if not known:
            raise BadInput(
                Message("{model} is not installed.", model=card.name), Message("See `app.py models` for what is.")
            )
        return self.cancel(card.id) + self._throw_away(folder) + self._throw_away(self._places.caches / card.id)

    def tidy(self) -> int:
        """Throw away all weights that were made smaller; a model makes its own again. Returns the bytes freed."""
        return self._throw_away(self._places.caches)

    def _throw_away(self, folder: Path) -> int:
        """Out of sight at once, then off the disk."""
        if not folder.exists():
            return 0
        bin_ = folder.with_name(f".removed-{secrets.token_hex(4)}")
        try:
            folder.replace(bin_)
        except OSError as error:
            if error.errno == errno.EROFS:
                raise not_written(error) from error
            raise InUse(
                Message("{folder} is being used and cannot be removed.", folder=folder.name),
                Message("Close Rushes and try again."),
                str(error),
            ) from error
        stats = [path.lstat() for path in bin_.rglob("*") if path.is_symlink() or path.is_file()]
        shutil.rmtree(bin_, ignore_errors=True)
        return sum(stat.st_size for stat in stats if stat.st_nlink == 1)

    def _staging(self, model: str) -> Path:
        return self._places.arriving / model
