"""The exact list of files of one model or LoRA, from the hub's record."""

from __future__ import annotations

import fnmatch
import io
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # documented, not re-exported

from engine.install.downloader.file_selection import MAX_SMALL_BYTES, SMALL, check_names, check_wanted, files_of_part
from engine.install.downloader.hub_errors import explain, gate_of
from engine.schema.card import Component, ModelCard
from engine.schema.errors import HubProblem, ModelProblem
from engine.schema.manifest import LORA_FILE, MAX_FILE_BYTES, MAX_FILES, Borrowed, HubLora, Manifest, ManifestFile
from engine.schema.message import NOTHING, Message
from engine.weights.model_folders import INDEX

HUB_TIMEOUT_SECONDS = 30
MAX_LORA_BYTES = 20_000_000_000  # the largest of the field has 7.7
HTTP_LIMIT_BYTES = 50_000_000_000  # hubs give larger files in another protocol only
CONFIG = Component(size_gb=0, files=("config.json",))
NONSENSE = (httpx2.HTTPError, OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError)
CONFIGS_ONLY = ("scheduler*", "tokenizer*", "feature_extractor*", "image_processor*", "processor*", "guider*")


@dataclass(frozen=True)
class Repository:
    """One repository at one commit: its files by name, its licence as the hub states it, and whether it is gated."""

    name: str
    commit: str
    files: dict[str, ManifestFile]
    licence: str
    gate: Message


def list_from_hub(card: ModelCard, borrowed: tuple[Borrowed, ...] = ()) -> Manifest:
    """What `card` needs beside what is borrowed, pinned to the commits of this moment.

    Raises RushesError; writes nothing.
    """
    if not card.repo:
        raise ModelProblem(
            Message("{model} comes with Rushes.", model=card.name), Message("There is nothing to download.")
        )
    try:
        return _list(card, borrowed)
    except NONSENSE as error:
        raise explain(error, card.repo) from error


def list_lora(lora: HubLora) -> Manifest:
    """The one file of a LoRA, pinned likewise. Raises RushesError, with the names there are when it must be chosen."""
    try:
        repository = ask(lora.repo, lora.revision)
    except NONSENSE as error:
        raise explain(error, lora.repo) from error
    there = sorted(name for name in repository.files if name.endswith(".safetensors"))
    if lora.file not in there and (lora.file or len(there) != 1):
        raise HubProblem(*_which(lora, there))
    file = repository.files[lora.file or there[0]]
    if file.bytes > MAX_LORA_BYTES:
        raise HubProblem(
            Message("{file} is far too large for a LoRA ({bytes:.0f} GB).", file=file.path, bytes=file.bytes / 1e9),
            Message("Choose another."),
        )
    _check_recorded([file])
    found = file.but(name=LORA_FILE, found=in_cache(file))
    wanted = lora.but(file=file.path)
    return Manifest(model=wanted.id, licence=repository.licence, gate=repository.gate, files=(found,))


def _which(lora: HubLora, there: list[str]) -> tuple[Message, Message]:
    """That the file must be named, or that there is none, and what to do."""
    if not there:
        return Message("{repo} holds no LoRA in a .safetensors file.", repo=lora.repo), Message(
            "Look for one that comes in that format."
        )
    names, more = there[:8], len(there) - 8
    files = Message("{names} and {more} more", names=names, more=more) if more > 0 else ", ".join(names)
    if lora.file:
        cause = Message("{repo} has no {file}: there are {files}.", repo=lora.repo, file=lora.file, files=files)
    else:
        cause = Message("{repo} holds {count} files: there are {files}.", repo=lora.repo, count=len(there), files=files)
    return cause, Message("Name one, such as {repo}/{file}.", repo=lora.repo, file=there[0])


def _list(card: ModelCard, borrowed: tuple[Borrowed, ...]) -> Manifest:
    main = ask(card.repo, card.revision)
    parts = parts_of(card, list(main.files), "" if main.gate else _fetch_text(main, INDEX))
    parts |= {one.part: CONFIG for one in borrowed}
    repositories = {(card.repo, card.revision): main}
    files: list[ManifestFile] = []
    if INDEX in main.files:
        files.append(main.files[INDEX])
    for part, component in parts.items():
        key = (component.repo or card.repo, component.revision if component.repo else card.revision)
        try:
            if key not in repositories:
                repositories[key] = ask(*key)
            own = part_files(repositories[key].files, part, component, card.variant or "")
        except (GatedRepoError, RepositoryNotFoundError, ModelProblem):
            if component.optional:
                continue
            raise
        if component.gguf:  # the weights of someone else's file, the config of the model's own folder
            files += part_files(main.files, part, CONFIG)
        files += own
    files += [file for name, file in main.files.items() if "/" not in name and name.upper().startswith("LICENSE")]
    check_plausible(card, files, f"The repository {card.repo}", {one.part for one in borrowed})
    _check_recorded(files)
    found = tuple(file.but(found=in_cache(file)) for file in files)
    gate = Message.joined([repository.gate for repository in repositories.values() if repository.gate])
    return Manifest(model=card.id, licence=main.licence, gate=gate, files=found, borrowed=borrowed)


def _check_recorded(files: list[ManifestFile]) -> None:
    if not all(file.sha256 or file.git_sha1 for file in files):
        raise HubProblem(
            Message("This hub does not say what its files should contain."),
            Message("Use another mirror (HF_ENDPOINT)."),
        )


def ask(repo: str, revision: str | None) -> Repository:
    """The hub's record of one repository. Raises RushesError, or what huggingface_hub raises."""
    api = HfApi()
    info = api.model_info(repo, revision=revision, files_metadata=True, timeout=HUB_TIMEOUT_SECONDS)
    siblings = info.siblings or []
    if not info.sha or len(info.sha) != 40 or len(siblings) > 100_000:
        raise HubProblem(
            Message("The hub's record of {repo} makes no sense.", repo=repo),
            Message("Try again later or use another mirror."),
        )
    check_names((file.rfilename for file in siblings), f"The repository {repo}")
    files = {
        file.rfilename: ManifestFile(
            name=file.rfilename, path=file.rfilename, repo=repo, commit=info.sha, bytes=file.size or 0,
            sha256=file.lfs.sha256 if file.lfs else "", git_sha1="" if file.lfs else file.blob_id or "",
        )
        for file in siblings
        if 0 <= (file.size or 0) <= MAX_FILE_BYTES or _absurd(file.rfilename, repo)
    }  # fmt: skip
    gate = NOTHING
    if info.gated:
        try:
            api.auth_check(repo)
        except (GatedRepoError, RepositoryNotFoundError):
            gate = gate_of(repo)
    licence = str(info.card_data.get("license") or "") if info.card_data else ""
    return Repository(repo, info.sha, files, licence, gate)


def _absurd(name: str, repo: str) -> bool:
    raise HubProblem(
        Message("{repo} lists {name} with a size that cannot be true.", repo=repo, name=repr(name[:60])),
        Message("Use another mirror."),
    )


def _fetch_text(repository: Repository, name: str) -> str:
    """A small text file, straight into memory; empty when the repository has none."""
    if name not in repository.files or repository.files[name].bytes > 1_000_000:
        return ""
    content = io.BytesIO()
    url = hf_hub_url(repository.name, name, revision=repository.commit)
    http_get(url, content, headers=build_hf_headers(), expected_size=repository.files[name].bytes)
    return content.getvalue().decode()


def parts_of(card: ModelCard, names: list[str], index: str) -> dict[str, Component]:
    """The folders a model consists of: what its index names, and what its card adds from elsewhere.

    Before the terms of a gated model are accepted its index cannot be read: then the card and the usual names decide.
    """
    here = {name.split("/")[0] for name in names if "/" in name}
    if index:
        entries = json.loads(index)
        named = {key for key, part in entries.items() if isinstance(part, list) and part and part[0] is not None}
        chosen = {key for key in named if not key.startswith("_")}
    else:
        chosen = {key for key in here if any(fnmatch.fnmatch(key, pattern) for pattern in CONFIGS_ONLY)}
    foreign = {key: component for key, component in card.components.items() if component.repo or component.folder}
    needed = {key for key, component in card.components.items() if not component.optional}
    lost = sorted(needed - here - foreign.keys())
    if lost:
        raise ModelProblem(
            Message("The {lost} of {model} is not there.", lost=lost[0].replace("_", " "), model=card.name),
            Message("Look for an update of Rushes."),
        )
    nothing = Component(size_gb=0)
    own = sorted((chosen & here) | (set(card.components) & here))
    return {key: card.components.get(key, nothing) for key in own} | foreign


def part_files(
    files: dict[str, ManifestFile], part: str, component: Component, variant: str = ""
) -> list[ManifestFile]:
    """The files of one part, each named as it will lie in the model's own folder `part`."""
    folder = component.folder or ("" if component.repo else part)
    wanted = (component.gguf,) if component.gguf else component.files
    prefix = f"{folder}/" if folder else ""
    inside = {name.removeprefix(prefix): file for name, file in files.items() if name.startswith(prefix)}
    chosen = files_of_part(inside, variant, wanted)
    return [inside[name].but(name=f"{part}/{name}") for name in chosen if name != INDEX]


def check_plausible(card: ModelCard, files: list[ManifestFile], where: str, lent: Collection[str] = ()) -> None:
    """Raises RushesError when the list cannot be this model: wrong names, wrong sizes, weights that are not there."""
    check_wanted((file.name for file in files), where)
    total = sum(file.bytes for file in files)
    heavy = {part for part, component in card.components.items() if not component.optional} - set(lent)
    if heavy and not any(file.name.endswith((".safetensors", ".gguf")) for file in files):
        raise ModelProblem(
            Message("{where} holds no weights for {model}.", where=where, model=card.name),
            Message("Choose another source."),
        )
    large = [file for file in files if file.name.endswith(SMALL) and file.bytes > MAX_SMALL_BYTES]
    if total / 1e9 > 4 * card.size_gb + 1 or len(files) > MAX_FILES or large:
        raise ModelProblem(
            Message(
                "{where} lists {count} files with {total:.1f} GB; {model} should have {size_gb:.1f}.",
                where=where,
                count=len(files),
                total=total / 1e9,
                model=card.name,
                size_gb=card.size_gb,
            ),
            Message("Nothing was downloaded. Update Rushes, or use another source."),
        )
    too_large = [file for file in files if file.bytes > HTTP_LIMIT_BYTES and file.repo]
    if too_large:
        raise ModelProblem(
            Message("{too_large} is larger than a hub gives in one piece (50 GB).", too_large=too_large[0].name),
            Message("Download it with another program and use `app.py models import`."),
        )


def in_cache(file: ManifestFile) -> str:
    """Where this very file already lies in the Hugging Face cache of this computer; empty when it does not."""
    path = try_to_load_from_cache(file.repo, file.path, revision=file.commit)
    if not isinstance(path, str) or Path(path).stat().st_size != file.bytes:
        return ""
    return str(Path(path).resolve())
