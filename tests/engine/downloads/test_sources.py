"""Who may have a model, where it already is, and how it leaves again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.install.downloader.folder_listing import list_from_folder
from engine.install.downloader.hub_errors import explain
from engine.install.downloader.partial_file import Part
from engine.install.downloads import Downloads
from engine.paths import Places, open_home
from engine.schema.card import ModelCard
from engine.schema.errors import BadFile, BadInput, HubProblem, MachineProblem, ModelGated, ModelProblem
from engine.schema.manifest import read_record
from engine.storage.lora_library import Loras
from tests.engine.downloads.shapes import REPO, WEIGHTS, a_folder, a_model, check_installed, until, wait_for, weights
from tests.hub import Hub

pytestmark = pytest.mark.slow


def test_a_gated_model_is_explained_then_continued_and_the_token_stays_where_it_belongs(
    downloads: Downloads, hub: Hub, shapes: ModelCard, places: Places, tmp_path: Path
) -> None:
    repo = hub.repos[REPO]
    repo.gated = True
    quote = downloads.quote(shapes)
    assert hub.url + "/" + REPO in quote.manifest.gate
    assert quote.bytes_to_download > 1_000_000
    with pytest.raises(ModelGated):
        downloads.add(shapes, quote)
    with pytest.raises(HubProblem):
        downloads.sign_in("hf_wrong")
    token = "hf_" + "s3cret" * 5
    hub.tokens[token] = "maker"
    assert downloads.sign_in(token) == "maker"
    downloads.add(shapes)  # signed in, not accepted yet
    wait_for(lambda: downloads.get(shapes.id).state == "failed")
    assert hub.url in downloads.get(shapes.id).remedy
    repo.accepted.add(token)
    downloads.resume(shapes.id)
    until(downloads, shapes.id, "finished")
    check_installed(places, shapes, repo.files)
    assert not any(token.encode() in path.read_bytes() for path in places.home.rglob("*") if path.is_file())
    assert (tmp_path / "hf" / "token").read_text() == token
    assert all(not seen.authorization for seen in hub.seen if seen.name.endswith(".safetensors"))  # another host


def test_what_a_hugging_face_cache_has_is_linked_not_fetched(
    downloads: Downloads, hub: Hub, shapes: ModelCard, places: Places, tmp_path: Path
) -> None:
    hub.add(REPO, a_model(1300))  # what is small is copied
    fetch = (
        f"from huggingface_hub import snapshot_download; print(snapshot_download({REPO!r}, ignore_patterns='*.bin'))"
    )
    done = subprocess.run([sys.executable, "-c", fetch], env=os.environ | {"HF_HUB_DISABLE_XET": "1"},
                          capture_output=True, text=True, check=True)  # fmt: skip
    snapshot = Path(done.stdout.strip())
    before = {path: path.stat().st_mtime_ns for path in snapshot.rglob("*")}
    sent = hub.sent(".safetensors")
    quote = downloads.quote(shapes)
    assert quote.bytes_to_download == 0
    assert quote.bytes_here == quote.manifest.bytes
    blob = (snapshot / "vae/diffusion_pytorch_model.safetensors").resolve()
    blob.write_bytes(bytes(blob.stat().st_size))  # a damaged cache is not believed
    downloads.add(shapes, quote)
    until(downloads, shapes.id, "finished")
    check_installed(places, shapes, hub.repos[REPO].files)
    assert hub.sent(".safetensors") - sent == len(hub.repos[REPO].files["vae/diffusion_pytorch_model.safetensors"])
    assert (places.models / shapes.id / WEIGHTS).samefile(snapshot / WEIGHTS)
    assert {path: path.stat().st_mtime_ns for path in before if path.resolve() != blob} == {
        path: stamp for path, stamp in before.items() if path.resolve() != blob
    }
    record = read_record(places.models / shapes.id)
    assert record
    assert [file.name for file in record.files if file.linked] == [WEIGHTS]
    freed = downloads.remove(shapes)
    assert (snapshot / WEIGHTS).is_file()
    assert freed < len(hub.repos[REPO].files[WEIGHTS])


def test_a_folder_is_imported_without_a_hub_and_without_its_pickles(
    downloads: Downloads, shapes: ModelCard, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://localhost:9")
    comfy = tmp_path / "ComfyUI"
    folder = a_folder(comfy / "models" / "diffusers" / "Shapes-1.0", a_model(300))
    source, card = downloads.recognise(comfy, [shapes])
    assert (source, card) == (folder, shapes)
    downloads.add(card, source=source)
    until(downloads, card.id, "finished")
    check_installed(places, card, a_model(300))
    stick = tmp_path / "stick" / card.id  # from there to a stick, and onto another computer
    shutil.copytree(places.models / card.id, stick)
    assert downloads.remove(card) > 400_000
    damaged = bytearray((stick / WEIGHTS).read_bytes())
    damaged[-1] ^= 1
    (stick / WEIGHTS).write_bytes(damaged)
    source, card = downloads.recognise(tmp_path / "stick", [shapes])
    downloads.add(card, source=source)
    wait_for(lambda: downloads.get(card.id).state == "failed")
    assert "damaged" in downloads.get(card.id).cause
    (stick / WEIGHTS).write_bytes(a_model(300)[WEIGHTS])
    downloads.cancel(card.id)
    downloads.add(card, source=source, link=True)
    until(downloads, card.id, "finished")
    check_installed(places, card, a_model(300))
    assert (places.models / card.id / WEIGHTS).samefile(stick / WEIGHTS) or len(a_model(300)[WEIGHTS]) < 1_000_000


def test_folders_that_are_no_model_or_a_trap_are_refused(
    downloads: Downloads, shapes: ModelCard, tmp_path: Path
) -> None:
    single = a_folder(tmp_path / "checkpoints", {"ltx.safetensors": weights(1, 10)})
    for folder in (tmp_path / "nowhere", single, a_folder(tmp_path / "photos", {"a.txt": b""})):
        with pytest.raises(BadFile):
            downloads.recognise(folder, [shapes])
    short = a_folder(tmp_path / "short", a_model(100))
    (short / WEIGHTS).write_bytes(a_model(100)[WEIGHTS][:-500])
    trap = a_folder(tmp_path / "trap", a_model(100))
    (trap / "vae" / "config.json").unlink()
    (trap / "vae" / "config.json").symlink_to("/etc/hostname")
    less = a_folder(tmp_path / "less", {k: v for k, v in a_model(100).items() if not k.startswith("vae")})
    for folder, word in ((short, "cut short"), (trap, "link"), (less, "vae")):
        with pytest.raises(ModelProblem, match=word):
            list_from_folder(shapes, folder)


def test_a_disk_that_is_too_small_is_said_before_the_start(
    hub: Hub, shapes: ModelCard, loras: Loras, tmp_path: Path
) -> None:
    if os.geteuid() != 0 or not hasattr(os, "statvfs"):
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("this root may not mount")
    small = Downloads(open_home(disk), loras)
    try:
        quote = small.quote(shapes)
        assert not quote.fits
        with pytest.raises(MachineProblem, match="not enough room"):
            small.add(shapes, quote)
        small.start()
        small.add(shapes)  # without asking first
        wait_for(lambda: small.get(shapes.id).state == "failed")
        assert "not enough room" in small.get(shapes.id).cause
        with pytest.raises(OSError) as full, Part(disk / "0001.part", 9_000_000, lambda count: None) as part:
            part.write(bytes(8_000_000))
        assert isinstance(explain(full.value, "x"), MachineProblem)  # it fills up on the way
    finally:
        small.close()
        subprocess.run(["umount", "-l", disk], check=True)


def test_remove_frees_the_bytes_and_repair_fetches_only_what_is_gone(
    downloads: Downloads, hub: Hub, shapes: ModelCard, places: Places
) -> None:
    downloads.add(shapes)
    until(downloads, shapes.id, "finished")
    (places.models / shapes.id / WEIGHTS).unlink()
    sent = hub.sent()
    downloads.add(shapes)
    until(downloads, shapes.id, "finished")
    check_installed(places, shapes, hub.repos[REPO].files)
    assert hub.sent() - sent <= len(hub.repos[REPO].files[WEIGHTS]) + 1000
    size = sum(path.stat().st_size for path in (places.models / shapes.id).rglob("*") if path.is_file())
    assert downloads.remove(shapes) == size
    assert not (places.models / shapes.id).exists()
    assert [path.name for path in places.arriving.iterdir()] == [f".{shapes.id}.lock"]
    with pytest.raises(BadInput):
        downloads.remove(shapes)
    hub.rate = 200_000
    downloads.add(shapes)
    wait_for(lambda: downloads.get(shapes.id).bytes_done > 50_000)
    assert downloads.cancel(shapes.id) > 0
    assert not downloads.queue()
    assert not (places.arriving / shapes.id).exists()
