"""The other screens in a real browser: the queue, saved settings, named endpoints, and what helps on errors.

No take is made here: the queue is paused, and what lies in the library was put there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Page, expect

from engine import APP, Engine
from engine.library import TAKE_FILES
from tests.engine.downloads.shapes import REPO, a_model
from tests.hub import Hub
from tests.ui.conftest import RED_BALL, Served, open_page, put_take, say

pytestmark = pytest.mark.slow
MODEL = "shapes-1.0"
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        hub.add(REPO, a_model())
        yield hub


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, hub: Hub) -> Iterator[Served]:
    """A studio with three takes in its library, a model on the hub beside it, and a paused queue."""
    home = tmp_path_factory.mktemp("home")
    with Engine(home) as engine:
        for name in ("20260101-120000-a-red-ball-ab12", "20260102-120000-a-red-ball-cd34"):
            put_take(engine, name)
        folder = put_take(engine, "20260103-120000-a-green-box-ef56")
        for path in (folder / name for name in TAKE_FILES if name.endswith(".json")):
            path.write_text(path.read_text().replace(RED_BALL, "a green box goes up over the sea"))
        engine.pause(True)
    card = (APP / "presets" / "models" / "starter.toml").read_text()
    card = card.replace('id = "starter"', f'id = "{MODEL}"\nrepo = "{REPO}"').replace(
        'name = "Starter"', 'name = "Shapes"'
    )
    (home / "presets" / "models").mkdir(parents=True)
    (home / "presets" / "models" / f"{MODEL}.toml").write_text(card)
    served = Served(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.setenv("HF_HOME", str(home / "hf"))
        patch.setenv("NO_PROXY", "localhost,127.0.0.1")
        served.start()
    yield served
    served.stop()


@pytest.fixture
def tab(browser: Browser, studio: Served) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    open_page(page, studio)
    yield page
    context.close()
    assert complaints == []


def show(tab: Page, screen: str) -> None:
    tab.get_by_role("tab", name=screen, exact=True).click()


# ---- what helps on errors ----


def test_an_empty_prompt_leads_to_the_prompt(tab: Page) -> None:
    tab.get_by_role("button", name="Preview").click()
    tab.locator("#refusal").get_by_role("button", name="Write a prompt").click()
    expect(tab.get_by_label("What should be seen?")).to_be_focused()


def test_an_impossible_setting_is_taken_back_with_one_button(tab: Page) -> None:
    say(tab, RED_BALL, 1, steps=900)
    tab.locator("#outlook").get_by_role("button", name="Use the recommended settings").click()
    expect(tab.get_by_label("Steps of a take")).to_have_value("", timeout=WAIT_MS)
    expect(tab.locator("#outlook .times")).to_be_visible()
    expect(tab.get_by_label("What should be seen?")).to_have_value(RED_BALL)


# ---- the queue ----


def test_waiting_jobs_change_places_leave_and_wait_while_the_queue_is_paused(tab: Page) -> None:
    for prompt in (RED_BALL, "a yellow star spins in the night sky", "a green box goes up over the sea at sunset"):
        say(tab, prompt, 1)
        tab.get_by_role("button", name="Preview").click()
        expect(tab.locator("#strip .queue .about", has_text=prompt)).to_have_count(1, timeout=WAIT_MS)
    show(tab, "Queue")
    waiting = tab.locator("#line ol").first.locator("li .about")
    expect(waiting).to_have_text([RED_BALL, "a yellow star spins in the night sky",
                                  "a green box goes up over the sea at sunset"])  # fmt: skip
    tab.locator("#line li", has_text="green box").get_by_role("button", name="Earlier").click()
    expect(waiting.nth(1)).to_contain_text("green box", timeout=WAIT_MS)
    tab.locator("#line li", has_text="yellow star").get_by_role("button", name="Remove").click()
    expect(tab.locator("#line li[data-state=cancelled]")).to_contain_text("yellow star", timeout=WAIT_MS)
    tab.locator("#line li[data-state=cancelled]").get_by_role("button", name="Try again").click()
    expect(tab.locator("#line [data-job]", has_text="yellow star")).to_have_count(1, timeout=WAIT_MS)
    tab.get_by_role("button", name="Remove all").click()
    expect(tab.locator("#line [data-job]")).to_have_count(0, timeout=WAIT_MS)


# ---- saved settings ----


def test_settings_are_saved_used_exported_taken_in_and_deleted(tab: Page, tmp_path: Path) -> None:
    say(tab, RED_BALL, 1)
    tab.locator("#saved > button").click()
    tab.get_by_label("Name", exact=True).fill("My ball")
    tab.get_by_role("button", name="Save", exact=True).click()
    row = tab.locator("[data-preset=my-ball]")
    expect(row).to_be_visible(timeout=WAIT_MS)
    with tab.expect_download() as download:
        row.get_by_role("link", name="Export").click()
    text = Path(download.value.path()).read_text()
    row.get_by_role("button", name="Delete these settings").click()
    expect(row).to_have_count(0, timeout=WAIT_MS)
    (tmp_path / "broken.toml").write_text(text.replace("aspect = ", "aspekt = "))
    tab.locator("#saved input[type=file]").set_input_files(tmp_path / "broken.toml")
    expect(tab.locator("#notice .problem")).to_contain_text("aspekt", timeout=WAIT_MS)
    (tmp_path / "friend.toml").write_text(text)
    tab.locator("#saved input[type=file]").set_input_files(tmp_path / "friend.toml")
    expect(row).to_be_visible(timeout=WAIT_MS)
    tab.get_by_label("What should be seen?").fill("something else")
    row.get_by_role("button", name="Use").click()
    expect(tab.get_by_label("What should be seen?")).to_have_value(RED_BALL, timeout=WAIT_MS)


# ---- for programs ----


def test_a_program_plans_queues_and_reads_the_library_by_named_endpoints(studio: Served) -> None:
    client = Client(studio.url, verbose=False, analytics_enabled=False)
    assert client.predict(RED_BALL, seed=7, api_name="/plan")["seed"] == 7
    (job,) = client.predict(RED_BALL, api_name="/make_takes")
    assert client.predict(job["id"], api_name="/job")["state"] == "queued"
    client.predict(job["id"], api_name="/stop")
    assert client.predict(job["id"], api_name="/job")["state"] == "cancelled"
    assert len(client.predict(api_name="/library")) == 3
    with pytest.raises(AppError, match="The prompt is empty"):
        client.predict(" ", api_name="/plan")


def test_the_page_can_be_installed_as_an_app(tab: Page) -> None:
    link = tab.locator("link[rel=manifest]").get_attribute("href")
    manifest = tab.evaluate("async (link) => (await fetch(link)).json()", link)
    assert manifest["name"] == "Rushes" and manifest["display"] == "standalone"
    assert tab.evaluate("async (icon) => (await fetch(icon)).ok", manifest["icons"][0]["src"])
