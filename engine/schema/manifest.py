"""What is fetched: the exact files of one model or LoRA, what they cost, and how far they have come.

A `Manifest` is resolved before anything starts and is pinned to commits; finished, it lies in the model's folder as
rushes.json. Sizes are in bytes, speeds in bytes a second, times in seconds.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, TypeAdapter, ValidationError

from engine.schema import FrozenModel
from engine.schema.card import ModelCard
from engine.schema.errors import BadSetting, MachineProblem
from engine.schema.message import NOTHING, Message

HUB = "https://huggingface.co"
HUBS = ("huggingface.co", "hf.co", "hf-mirror.com")
PAGES = (
    "blob",
    "resolve",
    "raw",
    "tree",
    "blame",
    "edit",
    "delete",
    "commits",
)  # what stands before the version in the address of a page
OTHER_KINDS = ("datasets", "spaces", "collections", "papers", "docs", "blog", "posts", "learn", "organizations")
HOST = re.compile(r"(([a-z0-9-]+\.)+(com|co|org|net|io|ai|cn|dev|app|art|xyz|info|me)|localhost|\d+(\.\d+){3})(:\d+)?")
VERSION = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}(/[A-Za-z0-9][A-Za-z0-9._+-]{0,99}){0,3}$"  # refs/pr/3 too


class HubLora(FrozenModel):
    """`file`: its path in `repo`; empty where the repository has one LoRA only. `revision`: the newest when None."""

    repo: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$")]
    file: Annotated[str, Field(pattern=r"^(\w[^\\:\x00-\x1f]{0,199}\.safetensors)?$")] = ""
    revision: Annotated[str, Field(pattern=VERSION)] | None = None

    @property
    def id(self) -> str:
        """What its download is called; no model has such an id."""
        return f"_lora-{hashlib.sha256(f'{self.repo}/{self.file}'.encode()).hexdigest()[:16]}"

    @property
    def name(self) -> str:
        """One that no other has: files of this name lie in many repositories and folders."""
        return f"{self.repo.partition('/')[2]}/{self.file.removesuffix('.safetensors')}".rstrip("/")[-120:]


def hub_lora(text: str) -> HubLora:
    """From OWNER/NAME, OWNER/NAME/FILE or the address of either's page on the hub or a mirror of it, with or without
    https. Raises BadSetting."""
    remedy = Message("Write OWNER/NAME, or OWNER/NAME/FILE.safetensors, as the hub's page shows it.")
    path, is_page = _path(text.strip().strip("\"'<>“”„«» "))
    owner, name, *inside = [*(unquote(part) for part in path.strip("/").split("/")), ""]
    if owner in OTHER_KINDS and is_page:
        raise BadSetting(Message("This is one of the hub's {owner}, and no LoRA.", owner=owner), remedy)
    name, revision = name.removesuffix(".git") if is_page else name, None
    if inside and inside[0] in PAGES and (is_page or (inside[0] in ("blob", "resolve") and len(inside) > 3)):
        length = 3 if inside[1:2] == ["refs"] else 1  # refs/pr/3
        inside, revision = inside[1 + length :], "/".join(inside[1 : 1 + length])
    if {".", ".."} & set(inside):
        inside = ["\0"]  # no file of a repository
    try:
        return HubLora(repo=f"{owner}/{name}", file="/".join(inside).strip("/"), revision=revision)
    except ValidationError as error:
        raise BadSetting(Message("'{text}' is no LoRA on a hub.", text=text.strip()[:80]), remedy) from error


def _path(text: str) -> tuple[str, bool]:
    """What stands behind the hub's name, and whether that was there. Raises BadSetting for another host."""
    scheme, found, rest = text.partition("://")
    if not found:
        scheme, rest = "", text
    if scheme == "hf":
        return rest, False
    host, _, path = rest.partition("/")
    host = host.casefold().rpartition("@")[2]
    if host.removeprefix("www.").partition(":")[0] in _hubs():
        return re.split(r"[?#]", path)[0], True
    if scheme or HOST.fullmatch(host):
        raise BadSetting(
            Message("{host} is not the hub that Rushes downloads from.", host=host[:60] or "This"),
            Message("Download the file there, then take it in with `app.py loras add FILE`."),
        )
    return text, False


def _hubs() -> set[str]:
    """The hub, its short name, its mirrors, and the one that this machine was told to use."""
    chosen = urlsplit(os.environ.get("HF_ENDPOINT", HUB)).hostname or ""
    return {*HUBS, chosen.casefold()}


# ---- the exact files of one model or LoRA ----


class Borrowed(FrozenModel):
    """A file of another program that one part of a model is read from. It is neither copied nor changed.

    `prefix`: what stands before the part's names in it. `scaled`: weights have fewer bits there than once read.
    """

    part: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    path: str
    bytes: int
    modified_ns: int
    prefix: str = ""
    scaled: bool = False

    @property
    def there(self) -> bool:
        """Whether it is still the file that was chosen."""
        try:
            now = Path(self.path).stat()
        except OSError:
            return False
        return (now.st_size, now.st_mtime_ns) == (self.bytes, self.modified_ns)


RECORD = "rushes.json"
LORA_FILE = "lora.safetensors"  # what a LoRA of any name is called while it arrives
MAX_FILE_BYTES = 500_000_000_000
MAX_FILES = 2000
MARGIN_BYTES = 500_000_000  # the system, the page file and the takes need room too

DownloadState = Literal["queued", "running", "paused", "failed", "finished"]
DownloadPhase = Literal["waiting", "listing", "fetching", "checking", "reconnecting"]


class ManifestFile(FrozenModel):
    """One file. `name`: below the model's folder; `path`: its name in `repo`, or in the folder it is imported from.

    `sha256` and `git_sha1` are the hub's own record: the first of a large file, the second of a small one. `found` is
    where a copy already lies on this machine; it is linked to, not copied, when `linked`.
    """

    name: str
    bytes: Annotated[int, Field(ge=0, le=MAX_FILE_BYTES)]
    path: str
    repo: str = ""
    commit: str = ""
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    git_sha1: Annotated[str, Field(pattern=r"^([0-9a-f]{40})?$")] = ""
    found: str = ""
    linked: bool = False


class Manifest(FrozenModel):
    """Every file of one model. `gate`: what its owner asks for first; empty when nothing stands in the way.

    `licence`: as the hub states it. `offline`: it comes from a folder of this computer; nothing may be asked of a hub.
    `borrowed`: what is read from another program's files, where they lie.
    """

    format: Literal[1] = 1
    model: str
    licence: str = ""
    gate: Message = NOTHING
    offline: bool = False
    files: tuple[ManifestFile, ...] = ()
    borrowed: tuple[Borrowed, ...] = ()
    installed: str = ""

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


class Quote(FrozenModel):
    """What an install would cost, said before it starts. `bytes_here` need no download, `bytes_to_write` need disk."""

    manifest: Manifest
    licence: Message
    bytes_here: int
    bytes_to_download: int
    bytes_to_write: int
    disk_free: int

    @property
    def disk_free_after(self) -> int:
        return self.disk_free - self.bytes_to_write

    @property
    def fits(self) -> bool:
        """Whether it leaves the margin free."""
        return self.disk_free_after >= MARGIN_BYTES


class Download(FrozenModel):
    """One line of the visible queue. `lora`: the name of the LoRA that it brings, where it is no model."""

    model: str
    lora: str = ""
    state: DownloadState = "queued"
    phase: DownloadPhase = "waiting"
    bytes_done: int = 0
    bytes_total: int = 0
    bytes_per_second: float = 0.0
    seconds_left: float | None = None
    notes: tuple[Message, ...] = ()
    cause: Message = NOTHING
    remedy: Message = NOTHING
    detail: str = ""

    @property
    def called(self) -> str:
        return self.lora or self.model


# ---- what crosses the border to the process that downloads: one JSON line each, both ways ---------------------------


class ListFiles(FrozenModel):
    """Say what `card` needs beside what is `borrowed`, from the hub or from the folder `source`. Writes nothing."""

    kind: Literal["list"] = "list"
    card: ModelCard
    source: str = ""
    link: bool = False
    borrowed: tuple[Borrowed, ...] = ()

    @property
    def id(self) -> str:
        return self.card.id

    @property
    def repo(self) -> str:
        return self.card.repo


class ListLora(FrozenModel):
    """Say what the file of this LoRA is. Writes nothing."""

    kind: Literal["list_lora"] = "list_lora"
    lora: HubLora
    link: bool = True

    @property
    def id(self) -> str:
        return self.lora.id

    @property
    def repo(self) -> str:
        return self.lora.repo


Listing = Annotated[ListFiles | ListLora, Field(discriminator="kind")]


class FetchFiles(FrozenModel):
    """Bring it into `staging`, check it, hand it over as the folder `target`.

    `patience`: how many seconds without a byte are borne before it is given up.
    """

    kind: Literal["fetch"] = "fetch"
    list: Listing
    staging: str
    target: str
    patience: float


class SignIn(FrozenModel):
    """Check a token with the hub and keep it where huggingface_hub keeps it. It is written nowhere else."""

    kind: Literal["sign_in"] = "sign_in"
    token: str = Field(repr=False)


class SignedIn(FrozenModel):
    kind: Literal["signed_in"] = "signed_in"
    name: str


class Listed(FrozenModel):
    kind: Literal["listed"] = "listed"
    manifest: Manifest


class Moving(FrozenModel):
    """How far it is. Sent twice a second."""

    kind: Literal["moving"] = "moving"
    phase: DownloadPhase
    bytes_done: int
    bytes_total: int
    bytes_per_second: float
    seconds_left: float | None = None
    notes: tuple[Message, ...] = ()


class Whole(FrozenModel):
    """Everything has arrived, was checked, and lies where the worker finds it."""

    kind: Literal["whole"] = "whole"
    notes: tuple[Message, ...] = ()


class Refused(FrozenModel):
    kind: Literal["refused"] = "refused"
    cause: Message
    remedy: Message
    detail: str = ""
    gated: bool = False


class Stopped(FrozenModel):
    """It was asked to stop; what has arrived is safe on the disk."""

    kind: Literal["stopped"] = "stopped"


Order = ListFiles | ListLora | FetchFiles | SignIn
Answer = Listed | Moving | Whole | Refused | Stopped | SignedIn
orders: TypeAdapter[Order] = TypeAdapter(Annotated[Order, Field(discriminator="kind")])
answers: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


def read_record(folder: Path) -> Manifest | None:
    """What an installed model says about itself; None for one that was put there by hand, or is damaged."""
    try:
        return Manifest.model_validate_json((folder / RECORD).read_bytes())
    except (OSError, ValueError):
        return None


def intact(folder: Path, manifest: Manifest) -> bool:
    """Whether every file is there in its right size, and every borrowed one as it was. Quick; it reads no content."""
    try:
        mine = all((folder / file.name).stat().st_size == file.bytes for file in manifest.files)
        return mine and all(file.there for file in manifest.borrowed)
    except OSError:
        return False


def check_room(folder: Path, needed: int) -> None:
    """Raises MachineProblem unless the disk of `folder` keeps its margin after `needed` more bytes."""
    free = shutil.disk_usage(folder).free
    if needed and free - needed < MARGIN_BYTES:
        short = (needed + MARGIN_BYTES - free) / 1e9
        raise MachineProblem(
            Message(
                "There is not enough room: {needed:.1f} GB are still to come and {free:.1f} GB are free.",
                needed=needed / 1e9,
                free=free / 1e9,
            ),
            Message("Free {short:.1f} GB, or choose a folder on another drive for models.", short=max(short, 0.1)),
        )
