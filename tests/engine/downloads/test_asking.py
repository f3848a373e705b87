"""What an install would cost is known before it starts, and a hub that lies is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.install.downloader.file_selection import check_names, check_wanted, files_of_part
from engine.install.downloader.folder_listing import list_from_folder
from engine.install.downloader.hub_listing import check_plausible
from engine.install.downloads import Downloads
from engine.paths import Places
from engine.schema.card import Component, ModelCard
from engine.schema.errors import HubProblem, InUse, ModelProblem
from engine.schema.manifest import ManifestFile, read_record
from engine.storage.lora_library import Loras
from tests.engine.downloads.shapes import NEEDED, REPO, WEIGHTS, check_installed, until, weights
from tests.hub import Hub


def test_a_quote_names_files_bytes_licence_and_disk(downloads: Downloads, hub: Hub, shapes: ModelCard) -> None:
    quote = downloads.quote(shapes)
    files = hub.repos[REPO].files
    assert sorted(file.name for file in quote.manifest.files) == NEEDED
    assert quote.bytes_to_download == sum(len(files[name]) for name in NEEDED)
    assert quote.bytes_here == 0
    assert quote.fits
    assert quote.disk_free_after == quote.disk_free - quote.bytes_to_download
    assert quote.licence == shapes.licence.line
    assert quote.manifest.licence == "apache-2.0"
    assert {file.commit for file in quote.manifest.files} == {hub.repos[REPO].commit}
    assert not downloads.queue()
    assert hub.sent(".safetensors") == 0


def test_an_install_is_whole_exact_and_recorded(
    downloads: Downloads, hub: Hub, shapes: ModelCard, places: Places, loras: Loras
) -> None:
    guest = Downloads(places, loras)  # another process, as a command beside the studio: it asks, the first one works
    guest.add(shapes, guest.quote(shapes))
    done = until(guest, shapes.id, "finished")
    guest.close()
    check_installed(places, shapes, hub.repos[REPO].files)
    assert done.bytes_done == done.bytes_total
    record = read_record(places.models / shapes.id)
    assert record
    assert {(file.repo, file.commit) for file in record.files} == {(REPO, hub.repos[REPO].commit)}
    assert str(places.home) not in (places.models / shapes.id / "rushes.json").read_text()
    with pytest.raises(InUse):
        downloads.add(shapes)


@pytest.mark.parametrize(
    "name",
    [
        "../../x.json",
        "/etc/x.json",
        "C:\\x.json",
        "C:x.json",
        "transformer/..\\..\\x.json",
        "\\\\host\\x.json",
        "a/../b",
    ],
)
def test_a_name_that_leaves_its_folder_damns_the_list(downloads: Downloads, hub: Hub, shapes: ModelCard, name: str,
                                                      places: Places) -> None:  # fmt: skip
    with pytest.raises(ModelProblem):
        check_names(["model_index.json", name], "The hub")
    if name.startswith("../"):  # one of them all the way
        hub.repos[REPO].files[name] = b"{}"
        with pytest.raises(HubProblem, match="outside"):
            downloads.quote(shapes)
        assert not (places.models / shapes.id).exists()


@pytest.mark.parametrize("name", ["transformer/con.json", "a/b.json.", "a/\x07.json", "a/b/c/d/e.json", "a:b.json"])
def test_a_name_that_windows_cannot_store_is_refused(name: str) -> None:
    with pytest.raises(ModelProblem):
        check_wanted([name], "The hub")
    with pytest.raises(ModelProblem):
        check_wanted(["a/B.json", "a/b.json"], "The hub")


def test_an_absurd_size_is_refused(downloads: Downloads, hub: Hub, shapes: ModelCard) -> None:
    hub.repos[REPO].listed[WEIGHTS] = {"size": 10**18}
    with pytest.raises(HubProblem, match="cannot be true"):
        downloads.quote(shapes)
    hub.repos[REPO].listed[WEIGHTS] = {"lfs": None, "blobId": None}
    with pytest.raises(HubProblem, match="does not say"):
        downloads.quote(shapes)
    for size in (40_000_000_000, 70_000_000_000):
        with pytest.raises(ModelProblem):
            check_plausible(shapes, [ManifestFile(name=WEIGHTS, path=WEIGHTS, bytes=size, repo=REPO)], "The hub")
    with pytest.raises(ValueError):
        ManifestFile(name=WEIGHTS, path=WEIGHTS, bytes=-1)


def test_one_precision_is_chosen_and_never_a_pickle() -> None:
    shards = [f"model-{n:05}-of-00002.safetensors" for n in (1, 2)]
    bf16 = [f"model.bf16-{n:05}-of-00002.safetensors" for n in (1, 2)]
    names = ["config.json", *shards, *bf16, "model.fp16.safetensors", "model.bin", "model.bin.index.json",
             "model.safetensors.index.json", "model.safetensors.index.bf16.json", "run.py"]  # fmt: skip
    assert files_of_part(names, "") == sorted(["config.json", *shards, "model.safetensors.index.json"])
    assert files_of_part(names, "fp16") == ["config.json", "model.fp16.safetensors"]
    assert files_of_part(names, "bf16") == sorted(["config.json", *bf16, "model.safetensors.index.bf16.json"])
    assert files_of_part(["a-Q4_K_M.gguf", "a-Q8_0.gguf", "a-Q4_K_M.bin"], "", ("*Q4_K_M*",)) == ["a-Q4_K_M.gguf"]
    with pytest.raises(ModelProblem):  # a shard is missing
        files_of_part(shards[:1], "")
    with pytest.raises(ModelProblem):  # only pickles
        files_of_part(["config.json", "pytorch_model.bin"], "")


def test_the_variant_and_parts_of_other_repositories(
    downloads: Downloads, hub: Hub, shapes: ModelCard, places: Places
) -> None:
    hub.add("other/Transformer", {"config.json": b'{"other": 1}', "diffusion_pytorch_model.safetensors": weights(7, 60),
                                  "README.md": b"#"})  # fmt: skip
    parts = shapes.components | {"transformer": Component(size_gb=0.001, repo="other/Transformer")}
    card = shapes.model_copy(update={"components": parts, "variant": "fp16"})
    downloads.add(card)
    until(downloads, card.id, "finished")
    got = (places.models / card.id / WEIGHTS).read_bytes()
    assert got == hub.repos["other/Transformer"].files["diffusion_pytorch_model.safetensors"]
    record = read_record(places.models / card.id)
    assert record
    assert {file.commit for file in record.files} == {repo.commit for repo in hub.repos.values()}


def test_a_part_that_a_model_runs_without_stops_no_install_where_it_is_gone(
    downloads: Downloads, hub: Hub, shapes: ModelCard
) -> None:
    peek = Component(size_gb=0.001, repo="other/Decoders", files=("tae.safetensors",), optional=True)
    card = shapes.model_copy(update={"components": shapes.components | {"peek": peek}})
    without = {file.name for file in downloads.quote(card).manifest.files}
    assert without == {file.name for file in downloads.quote(shapes).manifest.files}
    hub.add("other/Decoders", {"tae.safetensors": weights(7, 60), "huge.safetensors": weights(7, 60)})
    assert {file.name for file in downloads.quote(card).manifest.files} - without == {"peek/tae.safetensors"}


def test_a_folder_without_a_part_that_a_model_runs_without_can_be_imported(
    tmp_path: Path, hub: Hub, shapes: ModelCard
) -> None:
    folder = tmp_path / "disk"
    for name, content in hub.repos[REPO].files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    peek = Component(size_gb=0.001, repo="other/Decoders", files=("tae.safetensors",), optional=True)
    card = shapes.model_copy(update={"components": shapes.components | {"peek": peek}})
    assert list_from_folder(card, folder).files
