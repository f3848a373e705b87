"""A LoRA on a hub: the file of a repository, as a person names it."""

from __future__ import annotations

import hashlib
import os
import re
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError

from engine.schema import FrozenModel
from engine.schema.errors import BadSetting

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
    remedy = "Write OWNER/NAME, or OWNER/NAME/FILE.safetensors, as the hub's page shows it."
    path, is_page = _path(text.strip().strip("\"'<>“”„«» "))
    owner, name, *inside = [*(unquote(part) for part in path.strip("/").split("/")), ""]
    if owner in OTHER_KINDS and is_page:
        raise BadSetting(f"This is one of the hub's {owner}, and no LoRA.", remedy)
    name, revision = name.removesuffix(".git") if is_page else name, None
    if inside and inside[0] in PAGES and (is_page or (inside[0] in ("blob", "resolve") and len(inside) > 3)):
        length = 3 if inside[1:2] == ["refs"] else 1  # refs/pr/3
        inside, revision = inside[1 + length :], "/".join(inside[1 : 1 + length])
    if {".", ".."} & set(inside):
        inside = ["\0"]  # no file of a repository
    try:
        return HubLora(repo=f"{owner}/{name}", file="/".join(inside).strip("/"), revision=revision)
    except ValidationError as error:
        raise BadSetting(f"'{text.strip()[:80]}' is no LoRA on a hub.", remedy) from error


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
            f"{host[:60] or 'This'} is not the hub that Rushes downloads from.",
            "Download the file there, then take it in with `app.py loras add FILE`.",
        )
    return text, False


def _hubs() -> set[str]:
    """The hub, its short name, its mirrors, and the one that this machine was told to use."""
    chosen = urlsplit(os.environ.get("HF_ENDPOINT", HUB)).hostname or ""
    return {*HUBS, chosen.casefold()}
