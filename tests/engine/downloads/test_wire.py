"""A hub and a connection that misbehave in every way real ones do."""

from __future__ import annotations

import pytest
from huggingface_hub.errors import OfflineModeIsEnabled

from engine.install.downloader.hub_errors import explain
from engine.install.downloads import Downloads
from engine.paths import Places
from engine.schema.card import ModelCard
from engine.schema.errors import HubProblem
from tests.engine.downloads.shapes import REPO, WEIGHTS, a_model, check_installed, until, wait_for
from tests.hub import Hub
from tests.hub_faults import Drop, Endless, NoRange, Stall, Status, Wrong


def test_drops_errors_stalls_and_lost_ranges_end_in_a_whole_model(
    downloads: Downloads, hub: Hub, shapes: ModelCard, places: Places
) -> None:
    hub.add(REPO, a_model(3000))
    hub.faults[WEIGHTS] = [Drop(700_000), Status(500), Stall(600_000), Drop(800_000), NoRange()]
    hub.faults["vae/diffusion_pytorch_model.safetensors"] = [Drop(300_000)]
    downloads.add(shapes)
    until(downloads, shapes.id, "finished")
    check_installed(places, shapes, hub.repos[REPO].files)
    assert len([seen for seen in hub.seen if seen.name == WEIGHTS and seen.start > 0]) == 2


def test_a_wrong_hash_is_fetched_again_and_refused_the_second_time(
    downloads: Downloads, hub: Hub, shapes: ModelCard, places: Places
) -> None:
    hub.faults[WEIGHTS] = [Wrong(), Wrong()]
    hub.faults["tokenizer/tokenizer.json"] = [Wrong()]  # small files have git's hash
    downloads.add(shapes)
    wait_for(lambda: downloads.get(shapes.id).state == "failed")
    assert "record" in downloads.get(shapes.id).cause
    assert not (places.models / shapes.id).exists()
    hub.faults[WEIGHTS] = [Wrong()]
    downloads.resume(shapes.id)
    until(downloads, shapes.id, "finished")
    check_installed(places, shapes, hub.repos[REPO].files)


def test_a_body_that_never_ends_does_not_fill_the_disk(
    downloads: Downloads, hub: Hub, shapes: ModelCard, places: Places
) -> None:
    hub.faults[WEIGHTS] = [Endless()]
    downloads.add(shapes)
    wait_for(lambda: downloads.get(shapes.id).state == "failed")
    assert sum(path.stat().st_size for path in places.models.rglob("*") if path.is_file()) < 3_000_000


def test_no_hub_no_such_model_and_offline_are_said_plainly(
    downloads: Downloads, hub: Hub, shapes: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(HubProblem, match="removed, renamed or made private"):
        downloads.quote(shapes.model_copy(update={"repo": "someone/else"}))
    monkeypatch.setenv("HF_ENDPOINT", "http://localhost:9")
    with pytest.raises(HubProblem, match="cannot be reached") as refusal:
        downloads.quote(shapes)
    assert refusal.value.remedy.endswith("then try again.")  # nothing has arrived, so nothing is said to be kept
    assert explain(OSError(), REPO, arrived=True).remedy.endswith("What has arrived is kept.")
    assert "switched off" in explain(OfflineModeIsEnabled(), REPO).cause
