"""A LoRA on a hub: the file of a repository, as a person names it."""

from __future__ import annotations

import hashlib
import os
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError

from engine.errors import BadSetting
from engine.types import Noun

HUB = "https://huggingface.co"
PAGES = ("blob", "resolve", "raw", "tree")  # what stands before the version in the address of a page


class HubLora(Noun):
    """`file`: its path in `repo`; empty where the repository has one LoRA only. `revision`: the newest when None."""

    repo: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$")]
    file: Annotated[str, Field(pattern=r"^([A-Za-z0-9_][^\\:\x00-\x1f]{0,199}\.safetensors)?$")] = ""
    revision: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] | None = None

    @property
    def id(self) -> str:
        """What its download is called; no model has such an id."""
        return f"_lora-{hashlib.sha256(f'{self.repo}/{self.file}'.encode()).hexdigest()[:16]}"

    @property
    def name(self) -> str:
        """One that no other has: files of this name lie in many repositories and folders."""
        return f"{self.repo.partition('/')[2]}/{self.file.removesuffix('.safetensors')}".rstrip("/")[-120:]


def hub_lora(text: str) -> HubLora:
    """From OWNER/NAME, OWNER/NAME/FILE or the address of either's page on the hub. Raises BadSetting."""
    remedy = "Write OWNER/NAME, or OWNER/NAME/FILE.safetensors, as the hub's page shows it."
    path, revision = text.strip(), None
    if "://" in path:
        path = _path_of_page(path)
    owner, name, *inside = [*path.strip("/").split("/"), ""]
    if inside and inside[0] in PAGES and "://" in text:
        revision, inside = inside[1], inside[2:]
    try:
        return HubLora(repo=f"{owner}/{name}", file="/".join(inside).strip("/"), revision=revision)
    except ValidationError as error:
        raise BadSetting(f"'{text.strip()[:80]}' is no LoRA on a hub.", remedy) from error


def _path_of_page(address: str) -> str:
    found = urlsplit(address)
    hubs = {urlsplit(hub).netloc for hub in (HUB, os.environ.get("HF_ENDPOINT", HUB))}
    if found.netloc not in hubs:
        raise BadSetting(
            f"{found.netloc[:60] or 'This'} is not the hub that Rushes downloads from.",
            "Download the file there, then take it in with `app.py loras add FILE`.",
        )
    return unquote(found.path)
