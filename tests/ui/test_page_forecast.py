"""What this computer can do, on the page in a real browser: outcomes, tiers, what would fit instead, the whole table.

Nothing is made here: the machine has a card of 4 GB (this CPU by another name), and most models do not fit it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine import Engine, Tier
from engine.jobs.scheduler import REPORTED, REPORTED_DEVICES
from tests.engine.test_out_of_memory import CARD
from tests.ui.conftest import PATIENCE_MS, RED_BALL, Served, hand_over, show

pytestmark = pytest.mark.slow
SMALL = CARD.model_copy(update={"vram_gb": 4, "vram_free_gb": 3.6})


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("small")
    with Engine(home) as engine:
        engine.store.set(REPORTED, REPORTED_DEVICES.dump_json((SMALL,)).decode())
        engine.queue.pause(True)
    (home / "card.json").write_text(SMALL.model_dump_json())
    (home / "faults.json").write_text("[]")
    served = Served(home, ("-m", "tests.short_app", str(home / "faults.json")))
    served.start()
    yield served
    served.stop()


def seconds(tab: Page) -> float:
    return float(tab.get_by_label("number input for Seconds").input_value())


def outcome(tab: Page, name: str) -> None:
    tab.locator("#outcome").get_by_text(name, exact=True).click()


def test_an_outcome_sets_the_length_says_what_it_means_here_and_can_be_changed_and_kept(
    tab: Page, studio: Served
) -> None:
    outcome(tab, "Best")
    note = tab.locator("#outlook .note", has_text="Best for")
    expect(note).to_be_visible(timeout=PATIENCE_MS)
    longest = seconds(tab)
    outcome(tab, "Draft")
    expect(tab.locator("#outlook .note", has_text="Draft for")).to_be_visible(timeout=PATIENCE_MS)
    tab.wait_for_function(
        "most => Number(document.querySelector('#seconds input[type=number]').value) < most",
        arg=longest,
        timeout=PATIENCE_MS,
    )
    tab.get_by_label("number input for Seconds").fill("0.5")
    tab.get_by_label("number input for Seconds").press("Tab")
    expect(tab.locator("#outlook .note", has_text="0.4 s of")).to_be_visible(timeout=PATIENCE_MS)
    tab.get_by_role("button", name="Keep this as my Draft").click()
    expect(tab.locator("#notice")).to_contain_text("your Draft for Starter", timeout=PATIENCE_MS)
    with Engine(studio.home) as engine:
        assert engine.machine.tier().name == "My own" and engine.machine.tier().models["starter"][
            "draft"
        ].seconds == pytest.approx(0.5, abs=0.1)
    show(tab, "My machine")
    tiers = tab.locator("#tiers")
    expect(tiers).to_contain_text("counts as “My own”", timeout=PATIENCE_MS)
    expect(tab.locator("#can-do table")).to_be_visible(timeout=PATIENCE_MS)  # the last of what this screen fills in
    tiers.locator("summary").click()
    for name in ("48 GB and more", "24 GB"):  # the list stays open, whatever is chosen in it
        tiers.locator("li", has=tab.locator("strong", has_text=re.compile(f"^{name}$"))).get_by_role("button").click()
        expect(tiers).to_contain_text(f"counts as “{name}”", timeout=PATIENCE_MS)
    tiers.get_by_role("button", name="Choose by itself again").click()
    expect(tiers).not_to_contain_text("counts as “24 GB”", timeout=PATIENCE_MS)
    expect(tiers.locator("li").first).to_be_visible()


def test_a_kind_of_machine_of_ones_own_is_exported_deleted_and_taken_in(
    tab: Page, studio: Served, tmp_path: Path
) -> None:
    with Engine(studio.home) as engine:
        engine.machine.choose_tier(engine.presets.keep("Night shift", engine.machine.tier()).id)
    show(tab, "My machine")
    expect(tab.locator("#can-do table")).to_be_visible(timeout=PATIENCE_MS)
    tiers = tab.locator("#tiers")
    expect(tiers).to_contain_text("counts as “Night shift”", timeout=PATIENCE_MS)
    with tab.expect_download() as download:
        tiers.get_by_role("link", name="Export").click()
    file = tmp_path / "friend.toml"
    file.write_text(Path(download.value.path()).read_text())
    assert 'kind = "tier"' in file.read_text()
    tiers.get_by_role("button", name="Delete this one").click()
    expect(tiers).not_to_contain_text("Night shift", timeout=PATIENCE_MS)
    hand_over(tiers.locator("input[type=file]"), file)
    expect(tiers).to_contain_text("Night shift", timeout=PATIENCE_MS)
    with Engine(studio.home) as engine:
        assert not engine.presets.problems()
        engine.presets.delete(Tier, "night-shift")


def test_what_does_not_fit_gets_buttons_with_what_would_and_one_of_them_fills_the_form(tab: Page) -> None:
    tab.locator("#picker summary").click()
    tab.locator("#picker .option", has_text="Wan 2.2 TI2V 5B").first.click()
    expect(tab.locator("#about h2")).to_contain_text("Wan 2.2 TI2V 5B", timeout=PATIENCE_MS)
    tab.get_by_label("What should be seen?").fill(RED_BALL)
    expect(tab.locator("#outlook [data-verdict=unlikely]")).to_be_visible(timeout=PATIENCE_MS)
    suggestion = tab.locator("#instead li", has_text=re.compile(r"with \d+x\d+ instead"))
    expect(suggestion).to_be_visible(timeout=PATIENCE_MS)
    size = re.findall(r"\d+x\d+", suggestion.inner_text())[0]
    suggestion.get_by_role("button", name="Use this").click(timeout=PATIENCE_MS)
    expect(tab.locator("#outlook .times:not([data-verdict=unlikely])")).to_be_visible(timeout=PATIENCE_MS)
    expect(tab.locator("#instead li")).to_have_count(0)
    expect(tab.get_by_label("What should be seen?")).to_have_value(RED_BALL)
    tab.locator("#expert > button").click()
    expect(tab.get_by_label("Size of the render")).to_have_value(size)


def test_my_machine_answers_for_every_model_and_outcome(tab: Page, studio: Served) -> None:
    show(tab, "My machine")
    rows = tab.locator("#can-do tbody tr")
    with Engine(studio.home) as engine:
        able = [card for card in engine.models.cards() if not card.not_yet]
    expect(rows).to_have_count(len(able), timeout=PATIENCE_MS)
    expect(rows.first.locator("td")).to_have_count(3)
    expect(tab.locator("#can-do h2")).to_have_text("What can my machine do?")
    tab.locator("#can-do li").first.get_by_role("button", name="Show this model").click()
    expect(tab.get_by_role("tab", name="Create")).to_have_attribute("aria-selected", "true", timeout=PATIENCE_MS)


@pytest.mark.parametrize("text", ["wide", "640", "-1x5", "<b>1x1</b>"])
def test_a_size_that_is_none_is_one_sentence(tab: Page, text: str) -> None:
    tab.locator("#expert > button").click()
    tab.get_by_label("Size of the render").fill(text)
    expect(tab.locator("#outlook .problem")).to_contain_text("is not two whole numbers", timeout=PATIENCE_MS)
