"""LoRAs from a hub: named by a person, quoted before they come, checked, and then LoRAs like any other."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import psutil
import pytest
from safetensors.numpy import save

from engine import APP
from engine.install.downloads import Downloads
from engine.paths import Places
from engine.schema.errors import BadSetting, HubProblem, InUse, ModelGated
from engine.schema.manifest import hub_lora
from engine.storage.lora_library import Loras
from tests.engine.downloads.shapes import until, wait_for
from tests.hub import Hub
from tests.hub_faults import Drop, Stall, Status, Wrong

REPO, FILE = "maker/Rain-Wan", "pytorch_lora_weights.safetensors"
MODULES = [f"transformer.blocks.{block}.attn1.to_q" for block in range(30)]


def lora(seed: int = 0, notes: dict[str, str] | None = None, rank: int = 4) -> bytes:
    """Shaped for Wan 2.1 1.3B."""
    luck = np.random.default_rng(seed)
    sides = {"lora_A": (rank, 1536), "lora_B": (1536, rank)}
    return save({f"{module}.{side}.weight": luck.random(shape, np.float32) for module in MODULES
                 for side, shape in sides.items()}, metadata=notes)  # fmt: skip


def fetched(downloads: Downloads, address: str) -> str:
    """The id that a LoRA is kept under."""
    quote = downloads.quote_lora(address)
    until(downloads, downloads.add_lora(quote), "finished")
    return quote.manifest.files[0].sha256[:32]


def failed(downloads: Downloads, address: str) -> str:
    name = downloads.add_lora(downloads.quote_lora(address))
    wait_for(lambda: downloads.get(name).state == "failed")
    return downloads.get(name).cause


def test_the_exact_file_bytes_and_licence_are_known_before_and_the_lora_is_kept_after(
    downloads: Downloads, hub: Hub, loras: Loras, places: Places
) -> None:
    body = lora(notes={"modelspec.trigger_phrase": "in the rain"})
    hub.add(REPO, {FILE: body, "README.md": b"#", "lora.bin": b"\x80\x04pickle"})
    quote = downloads.quote_lora(REPO)
    assert [file.path for file in quote.manifest.files] == [FILE] and quote.bytes_to_download == len(body)
    assert quote.licence == "apache-2.0" and hub.sent() == 0 and not downloads.queue()
    name = downloads.add_lora(quote)
    assert until(downloads, name, "finished").called == "Rain-Wan/pytorch_lora_weights"
    (kept,) = loras.kept()
    assert kept.id == hashlib.sha256(body).hexdigest()[:32] and loras.path(kept.id).read_bytes() == body
    assert (kept.licence, kept.trigger_words, kept.name) == (
        "apache-2.0",
        "in the rain",
        "Rain-Wan/pytorch_lora_weights",
    )
    assert loras.kept_from(quote.manifest) == kept
    assert not list(places.arriving.glob("*lora*/*"))  # nothing stays behind
    with pytest.raises(InUse, match="already here: 'Rain-Wan"):
        downloads.quote_lora(REPO)


def test_what_the_file_says_of_its_licence_goes_before_what_its_page_says(
    downloads: Downloads, hub: Hub, loras: Loras
) -> None:
    hub.add(REPO, {FILE: lora(notes={"license": "CC-BY-NC-4.0"})})
    assert loras.find(fetched(downloads, REPO)).licence == "CC-BY-NC-4.0"


@pytest.mark.slow
def test_of_several_files_one_must_be_named_and_halves_know_each_other(
    downloads: Downloads, hub: Hub, loras: Loras
) -> None:
    names = [f"v1/{half}_noise_model.safetensors" for half in ("high", "low")]
    hub.add(REPO, {name: lora(seed) for seed, name in enumerate(names)})
    with pytest.raises(HubProblem, match="holds 2 files: there are v1/high_noise_model") as refusal:
        downloads.quote_lora(REPO)
    assert f"{REPO}/v1/high_noise_model.safetensors" in refusal.value.remedy
    for name in names:
        fetched(downloads, f"{hub.url}/{REPO}/blob/main/{name}")  # as copied from the browser
    assert [kept.noise for kept in loras.kept()] == ["high", "low"]
    with pytest.raises(HubProblem, match=r"has no v2/x\.safetensors"):
        downloads.quote_lora(f"{REPO}/v2/x.safetensors")


@pytest.mark.slow
def test_a_hub_that_breaks_and_lies_ends_in_a_whole_file_or_a_sentence(
    downloads: Downloads, hub: Hub, loras: Loras
) -> None:
    body = lora(rank=16)
    hub.add(REPO, {FILE: body})
    hub.faults[FILE] = [Drop(700_000), Status(500), Stall(600_000), Wrong()]
    assert loras.path(fetched(downloads, REPO)).read_bytes() == body
    hub.add("maker/Other", {FILE: lora(1)})
    hub.faults[FILE] = [Wrong(), Wrong()]
    assert "not what the hub's own record says" in failed(downloads, "maker/Other")
    assert len(loras.kept()) == 1


def test_a_gated_lora_is_explained_and_then_continued(downloads: Downloads, hub: Hub, loras: Loras) -> None:
    repo = hub.add(REPO, {FILE: lora()})
    repo.gated, token = True, "hf_" + "s3cret" * 5
    quote = downloads.quote_lora(REPO)
    assert f"{hub.url}/{REPO}" in quote.manifest.gate and quote.bytes_to_download
    with pytest.raises(ModelGated) as refusal:
        downloads.add_lora(quote)
    assert "accept them" in refusal.value.remedy
    hub.tokens[token] = "maker"
    repo.accepted.add(token)
    downloads.sign_in(token)
    assert loras.find(fetched(downloads, REPO)).families == ("wan",)


NOT_LORAS = {
    "weights of a model": save({"transformer.blocks.0.attn1.to_q.weight": np.zeros((4, 4), np.float32)}),
    "a DoRA": save({"transformer.blocks.0.attn1.to_q.dora_scale": np.zeros(2, np.float32)}),
    "something else": b"x" * 5000,
}


@pytest.mark.parametrize("what", NOT_LORAS)
def test_a_file_that_is_no_lora_is_refused_after_it_came_and_leaves_nothing(
    downloads: Downloads, hub: Hub, loras: Loras, places: Places, what: str
) -> None:
    hub.add(REPO, {FILE: NOT_LORAS[what]})
    assert failed(downloads, REPO)
    assert not loras.kept() and not list(places.arriving.glob("*lora*/*"))


def test_a_repository_without_a_safe_file_is_refused(downloads: Downloads, hub: Hub) -> None:
    hub.add(REPO, {"lora.bin": b"\x80\x04", "README.md": b"#"})
    with pytest.raises(HubProblem, match=r"no LoRA in a \.safetensors file"):
        downloads.quote_lora(REPO)
    with pytest.raises(HubProblem, match="has no maker/Nothing"):
        downloads.quote_lora("maker/Nothing")
    hub.add(REPO, {FILE: lora()}).listed[FILE] = {"size": 40_000_000_000}
    with pytest.raises(HubProblem, match="far too large for a LoRA"):
        downloads.quote_lora(REPO)
    hub.repos[REPO].listed[FILE] = {"lfs": None, "blobId": None}
    with pytest.raises(HubProblem, match="does not say"):
        downloads.quote_lora(REPO)


@pytest.mark.parametrize("text", [
    "", "rain", "a/b/c.bin", "a/b/../c.safetensors/..", "../b/c.safetensors", "a/../../b.safetensors", "-a/b", "a/b?c",
    "a/b/c\x00.safetensors", "a/b/..\\c.safetensors", "https://civitai.com/models/1/rain", "file:///etc/passwd",
    "https://huggingface.co.evil.example/a/b", "http://localhost:1/a/b", "a" * 300 + "/b", "a/b/blob/main",
])  # fmt: skip
def test_what_is_no_lora_of_the_hub_is_refused_without_asking_it(text: str) -> None:
    with pytest.raises(BadSetting):
        hub_lora(text)


def test_the_addresses_that_a_browser_shows_are_read() -> None:
    file = "v1/a b.safetensors"
    page = "https://huggingface.co/maker/Rain"
    assert hub_lora(f"{page}/blob/main/v1/a%20b.safetensors?download=true").file == file
    assert (hub_lora(page).repo, hub_lora(f" {page}/tree/main ").repo) == ("maker/Rain", "maker/Rain")
    assert hub_lora(f"{page}/resolve/refs-pr/x.safetensors").revision == "refs-pr"
    for hub in ("huggingface.co", "www.huggingface.co", "hf.co", "HF.co", "hf-mirror.com", "https://hf.co"):
        assert hub_lora(f"{hub}/maker/Rain/blob/main/v1/a%20b.safetensors") == hub_lora(f"{page}/blob/main/{file}")
    assert hub_lora(f"{page}/blob/refs%2Fpr%2F3/x.safetensors").revision == "refs/pr/3"
    assert hub_lora("hf://maker/Rain/x.safetensors").file == "x.safetensors"
    assert hub_lora(f"maker/Rain/{file}").id != hub_lora("maker/Other/" + file).id


@pytest.mark.slow
def test_install_is_a_command_that_says_the_cost_and_goes_on_after_a_kill(hub: Hub, places: Places) -> None:
    hub.add(REPO, {FILE: lora(rank=16)})
    words = [sys.executable, "app.py", "loras", "install", REPO, "--json"]
    environment = os.environ | {"RUSHES_HOME": str(places.home)}

    def run(*more: str) -> dict[str, object]:
        done = subprocess.run([*words, *more], cwd=APP, env=environment, capture_output=True, text=True, timeout=90)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    asked = run("--dry-run")
    assert (asked["lora"], asked["licence"], asked["bytes"]) == (None, "apache-2.0", len(hub.repos[REPO].files[FILE]))
    hub.rate = 800_000
    first = subprocess.Popen(words, cwd=APP, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: hub.sent(FILE) > 600_000)
    orphans = psutil.Process(first.pid).children(recursive=True)
    first.kill()
    first.wait()
    wait_for(lambda: not any(orphan.is_running() and orphan.status() != "zombie" for orphan in orphans))
    hub.rate, before = 0, hub.sent(FILE)
    found = run()["lora"]
    assert isinstance(found, dict) and found["made_for"] == ["Wan 2.1 T2V 1.3B", "Wan 2.1 VACE 1.3B"]
    assert hub.sent(FILE) - before < len(hub.repos[REPO].files[FILE]) - 100_000  # it did go on
