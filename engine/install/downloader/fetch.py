"""Bring every file of a manifest into the staging folder, check it, and hand the whole over at once.

<staging>/manifest.json      what is being fetched, pinned; a resumed download goes on with it
<staging>/parts/<key>.part   files on their way, named after the content that they will have
<staging>/whole/             files that have arrived and were checked, under their final names
<staging>/clean              the last stop was orderly, with this manifest; else all in whole/ is checked again
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path

import httpx2
from huggingface_hub import constants, hf_hub_url
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # documented, not re-exported

from engine.durable_files import moved, onto_the_disk
from engine.install.downloader.hub_errors import explain, lasting
from engine.install.downloader.partial_file import Part, StopAsked, digest, fits_record
from engine.install.downloader.progress import Meter
from engine.schema.errors import HubProblem, InUse, MachineProblem, ModelProblem
from engine.schema.manifest import RECORD, Manifest, ManifestFile, check_room
from engine.schema.message import Message
from engine.storage.job_store import now

CONNECTIONS = 3  # files at a time: one connection rarely fills a fast line
COPY_CHUNK_BYTES = 1 << 20
SMALL_BYTES = 1_000_000  # links are for weights; what is small is copied
constants.DOWNLOAD_CHUNK_SIZE = 1 << 18  # of 10 MB: what a broken connection had not filled was lost


class Fetching:
    """One model on its way into `staging`. `link`: use files that are already on this computer where they lie."""

    def __init__(self, manifest: Manifest, staging: Path, link: bool, patience: float, meter: Meter) -> None:
        self._manifest, self._staging, self._link, self._patience = manifest, staging, link, patience
        self._meter = meter
        self._whole, self._parts = staging / "whole", staging / "parts"
        self._failed = threading.Event()

    def run(self, target: Path) -> None:
        """From whatever is already there to the folder `target`. Raises RushesError; StopAsked when told to leave."""
        for folder in (self._whole, self._parts):
            folder.mkdir(parents=True, exist_ok=True)
        done = self._arrived()
        left = [file for file in self._manifest.files if file.name not in done]
        check_room(self._staging, sum(self._still_to_write(file) for file in left))
        pool = ThreadPoolExecutor(CONNECTIONS)
        tasks = [pool.submit(self._bring, file) for file in left]
        try:
            self._wait(tasks)
        finally:  # a thread that waits for a silent server is not waited for: the process ends soon
            self._failed.set()
            pool.shutdown(wait=False, cancel_futures=True)
        files = done | {file.name: task.result() for file, task in zip(left, tasks, strict=True)}
        self._hand_over(target, tuple(files[file.name] for file in self._manifest.files))

    def _wait(self, tasks: list[Future[ManifestFile]]) -> None:
        pending = set(tasks)
        while pending:
            finished, pending = wait(pending, timeout=0.5, return_when=FIRST_EXCEPTION)
            for task in finished:
                task.result()
            self._meter.report()

    # ---- one file ----

    def _arrived(self) -> dict[str, ManifestFile]:
        """The files that are already whole; checked again unless the last stop was an orderly one."""
        clean = self._staging / "clean"
        trusted = clean.exists() and clean.read_text() == fingerprint(self._manifest)
        clean.unlink(missing_ok=True)
        found: dict[str, ManifestFile] = {}
        for file in self._manifest.files:
            path = self._whole / file.name
            if not path.is_file():
                path.unlink(missing_ok=True)  # a link to something that has gone
                continue
            self._meter.phase("checking")
            if (trusted and path.stat().st_size == file.bytes and file.sha256) or self._check(file, path):
                linked = path.is_symlink() or path.stat().st_nlink > 1
                sha256 = file.sha256 or self._check(file, path)
                found[file.name] = file.but(sha256=sha256, linked=linked, found="")
                self._meter.moved(file.bytes, wire=False)
            else:
                path.unlink()
        return found

    def _still_to_write(self, file: ManifestFile) -> int:
        if self._link and file.found:
            return 0
        part = self._part(file)
        return file.bytes - (part.stat().st_size if part.exists() else 0)

    def _part(self, file: ManifestFile) -> Path:
        content = file.sha256 or file.git_sha1 or f"{file.repo} {file.commit}"
        return self._parts / f"{hashlib.sha256(f'{file.name} {content}'.encode()).hexdigest()[:16]}.part"

    def _bring(self, file: ManifestFile) -> ManifestFile:
        """One file, from the nearest place that has it, checked. Tried a second time when its content is wrong."""
        target = self._whole / file.name
        if file.found and self._link and file.bytes > SMALL_BYTES and (known := self._linked(file, target)):
            return known
        for attempt in (1, 2):
            with Part(self._part(file), file.bytes, self._moved) as part:
                if file.found and Path(file.found).is_file() and attempt == 1:
                    self._copy(Path(file.found), part)
                else:
                    self._download(file, part)
                sha256 = self._check(file, self._part(file))
                if not sha256:
                    part.discard()
            if sha256:
                part.hand_over(target)
                return file.but(sha256=sha256, found="")
            if self._manifest.offline:
                raise ModelProblem(
                    Message("{file} is damaged in the folder you chose.", file=file.path),
                    Message("Fetch this model again."),
                )
        raise HubProblem(
            Message("What arrived as {file} is not what the hub's own record says, twice.", file=file.name),
            Message("Try again later or use another mirror; the damaged file was thrown away."),
        )

    def _linked(self, file: ManifestFile, target: Path) -> ManifestFile | None:
        """The file where it already lies, read-only, without a copy; None when that cannot be."""
        source = Path(file.found)
        sha256 = self._check(file, source) if source.is_file() else ""
        if not sha256:
            return None
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        for link in (os.link, os.symlink):  # a hard link needs no rights on Windows, and outlives its first name
            try:
                link(source, target)
            except OSError:
                continue
            self._meter.moved(file.bytes, wire=False)
            return file.but(sha256=sha256, linked=True)
        self._meter.note(
            Message("This disk cannot link to files that are elsewhere, so what was already here was copied.")
        )
        return None

    def _copy(self, source: Path, part: Part) -> None:
        try:
            with source.open("rb") as file:
                file.seek(part.tell())
                while piece := file.read(COPY_CHUNK_BYTES):
                    part.write(piece)
        except OSError as error:
            problem = explain(error, source.name)
            if isinstance(problem, MachineProblem):
                raise problem from error
            raise HubProblem(
                Message("{source} could not be read to its end.", source=source.name),
                Message("Check the disk it is on, then resume."),
                str(error),
            ) from error

    def _download(self, file: ManifestFile, part: Part) -> None:
        """Over the wire, from where the part ends, through any number of broken connections."""
        url = hf_hub_url(file.repo, file.path, revision=file.commit)
        pause = 0.5
        self._meter.touch()
        while True:
            before = part.tell()
            try:
                headers = build_hf_headers(headers={"Accept-Encoding": "identity"})  # offsets count real bytes
                http_get(url, part, resume_size=before, headers=headers, expected_size=file.bytes)  # type: ignore[arg-type]
                return
            except (httpx2.HTTPError, OSError, RecursionError, ValueError) as error:
                if lasting(error) or self._meter.silent_for() > self._patience or isinstance(error, ValueError):
                    raise explain(error, file.repo, arrived=self._meter.done > 0) from error
            pause = 0.5 if part.tell() > before else min(pause * 2, 30)
            self._meter.phase("reconnecting")
            self._meter.stop.wait(pause)
            self._stop()

    def _check(self, file: ManifestFile, path: Path) -> str:
        """The sha256 of a file that is what it should be: as recorded, or else as the folder that it came from."""
        sha256 = fits_record(file, path, self._stop)
        source = Path(file.found)
        if sha256 and not (file.sha256 or file.git_sha1) and file.found and source.is_file():
            return sha256 if source.samefile(path) or digest(source, self._stop)[0] == sha256 else ""
        return sha256

    def _moved(self, count: int) -> None:
        self._stop()
        self._meter.moved(count, wire=True)

    def _stop(self) -> None:
        if self._meter.stop.is_set() or self._failed.is_set():
            raise StopAsked

    # ---- the whole ----

    def _hand_over(self, target: Path, files: tuple[ManifestFile, ...]) -> None:
        """The model appears at once, or not at all."""
        record = self._manifest.but(files=files, installed=now(), gate="")
        with (self._whole / RECORD).open("w", encoding="utf-8") as file:
            file.write(record.model_dump_json(indent=1))
            file.flush()
            os.fsync(file.fileno())
        for folder in [self._whole, *(path for path in self._whole.rglob("*") if path.is_dir())]:
            onto_the_disk(folder)  # the files themselves were synced as they arrived
        try:
            moved(self._whole, target)
        except PermissionError as error:
            words = Message("The model could not be moved to {target}.", target=target)
            raise InUse(words, Message("Close what uses that folder, then resume."), str(error)) from error
        except OSError as error:
            raise InUse(
                Message("The folder {target} is in the way.", target=target),
                Message("Remove that model first."),
                str(error),
            ) from error
        onto_the_disk(target.parent)
        shutil.rmtree(self._staging, ignore_errors=True)


def leave_in_order(staging: Path, manifest: Manifest) -> None:
    """Say that everything in whole/ was checked and nothing was cut off."""
    (staging / "clean").write_text(fingerprint(manifest))


def fingerprint(manifest: Manifest) -> str:
    return hashlib.sha256(manifest.model_dump_json().encode()).hexdigest()
