"""Models that come and go, and this computer."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine import APP
from tests.hub import Hub
from tests.ui.conftest import Served, show
from tests.ui.screens.conftest import MODEL, WAIT_MS

pytestmark = pytest.mark.slow


def test_a_model_is_quoted_downloaded_paused_resumed_used_and_removed(tab: Page, studio: Served, hub: Hub) -> None:
    show(tab, "Models")
    card = tab.locator(f"#catalogue [data-model='{MODEL}']")
    card.get_by_role("button", name="Install").click()
    expect(tab.locator("#question .ask h2")).to_have_text("Install Shapes?", timeout=WAIT_MS)
    expect(tab.locator("#question")).to_contain_text("to download")
    hub.rate = 40_000  # minutes: it must not be there before the click, however slow the machine
    tab.get_by_role("button", name="Download now").click()
    arrival = tab.locator("#arriving .arrival")
    expect(arrival).to_contain_text("a second", timeout=WAIT_MS)
    arrival.get_by_role("button", name="Pause").click()
    expect(arrival).to_have_attribute("data-state", "paused", timeout=WAIT_MS)
    tab.reload()
    show(tab, "Models")
    hub.rate = 0
    arrival.get_by_role("button", name="Go on").click()
    expect(card).to_have_attribute("data-installed", "true", timeout=WAIT_MS)
    card.get_by_role("button", name="Use this model").click()
    expect(tab.locator("#about h2")).to_have_text("Shapes", timeout=WAIT_MS)
    show(tab, "Models")
    card.get_by_role("button", name="Remove").click()
    tab.locator("#question").get_by_role("button", name="Remove").click()
    expect(card).to_have_attribute("data-installed", "false", timeout=WAIT_MS)
    assert not (studio.home / "models" / MODEL).exists()


def test_models_move_to_a_folder_that_is_named_on_the_page(tab: Page, studio: Served, tmp_path: Path) -> None:
    model = studio.home / "models" / MODEL
    model.mkdir()
    for file in (APP / "models" / "starter").rglob("*.*"):
        (model / file.relative_to(APP / "models" / "starter")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, model / file.relative_to(APP / "models" / "starter"))
    show(tab, "Models")
    tab.get_by_role("button", name="Keep models in another folder").click()
    field = tab.get_by_label("Folder for models", exact=True)
    expect(field).to_have_value(str(studio.home / "models"))
    field.fill("nowhere")
    tab.get_by_role("button", name="Move the models there").click()
    tab.locator("#question .problem").get_by_role("button").click(timeout=WAIT_MS)
    field.fill(str(tmp_path / "drive"))
    tab.get_by_role("button", name="Use this folder for new models").click()
    expect(tab.locator("#question .said")).to_contain_text(str(tmp_path / "drive"), timeout=WAIT_MS)
    expect(tab.locator("#disk .place")).to_have_count(2)
    tab.get_by_role("button", name="Move these to the folder for new models").click()
    expect(tab.locator("#question .ask")).to_contain_text("14 MB of models (1) move into")
    tab.get_by_role("button", name="Move them now").click()
    expect(tab.locator("#disk .place")).to_have_count(1, timeout=WAIT_MS)
    expect(tab.locator("#disk")).to_contain_text(str(tmp_path / "drive"))
    assert not model.exists() and (tmp_path / "drive" / MODEL / "model_index.json").is_file()
    field.fill(str(studio.home / "models"))
    tab.get_by_role("button", name="Move the models there").click()
    tab.get_by_role("button", name="Move them now").click(timeout=WAIT_MS)
    expect(tab.locator("#disk")).to_contain_text(str(studio.home / "models"), timeout=WAIT_MS)
    shutil.rmtree(model)


def test_a_question_that_is_declined_leaves_without_a_word_to_the_server(tab: Page) -> None:
    sent: list[str] = []
    show(tab, "Models")
    tab.get_by_role("button", name="Keep models in another folder").click()
    tab.get_by_label("Folder for models", exact=True).fill("nowhere")
    tab.get_by_role("button", name="Move the models there").click()
    declined = tab.locator("#question .problem").get_by_role("button")
    expect(declined).to_be_visible(timeout=WAIT_MS)
    tab.on("request", lambda request: sent.append(request.post_data or ""))
    declined.click()
    expect(tab.locator("#question .problem")).to_have_count(0, timeout=WAIT_MS)
    assert not any("not-now" in each for each in sent)


def test_without_a_network_the_way_over_a_disk_is_shown(tab: Page, tmp_path: Path) -> None:
    tab.locator("#picker summary").click()
    tab.locator("#picker .option", has_text="Mochi").first.click()
    tab.locator("#about").get_by_role("button", name="Install").click()  # the hub beside us does not have it
    tab.locator("#question .problem button").last.click(timeout=WAIT_MS)
    expect(tab.get_by_label("Folder of the model")).to_be_visible(timeout=WAIT_MS)
    tab.get_by_label("Folder of the model").fill(str(tmp_path / "nothing"))
    tab.get_by_role("button", name="Look in this folder").click()
    expect(tab.locator("#question .problem")).to_contain_text("cannot be found", timeout=WAIT_MS)


def test_the_machine_is_told_examined_and_described_without_names(tab: Page, studio: Served) -> None:
    show(tab, "My machine")
    expect(tab.locator("#can-do tr[data-model=starter]")).to_contain_text("fits well", timeout=WAIT_MS)
    expect(tab.locator("#doctor li")).not_to_have_count(0)
    with tab.expect_download() as download:
        tab.get_by_role("link", name="Save the support file").click()
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as file:
        text = "\n".join(file.read(name).decode() for name in file.namelist())
    assert "torch" in text and "vram_gb" in text
    for secret in (str(studio.home), str(Path.home()) + "/", "red ball", "green box"):
        assert secret not in text
