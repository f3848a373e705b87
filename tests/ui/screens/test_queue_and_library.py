"""The queue and the library."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from engine import Engine
from tests.ui.conftest import RED_BALL, Served, put_clip, put_take, say, show
from tests.ui.screens.conftest import WAIT_MS

pytestmark = pytest.mark.slow


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


def test_the_library_is_searched_and_what_is_deleted_can_be_undone(tab: Page, studio: Served) -> None:
    show(tab, "Library")
    cells = tab.locator("#shelf article")
    expect(cells).to_have_count(3)
    tab.get_by_label("Search").first.fill("sea box")
    expect(cells).to_have_count(1, timeout=WAIT_MS)
    cells.first.locator(".deeds summary").click()
    cells.first.get_by_role("button", name="Delete").click()
    expect(tab.locator("#shelf")).to_contain_text("Nothing matches", timeout=WAIT_MS)
    assert [path.name for path in (studio.home / "trash").iterdir()] == ["20260103-120000-a-green-box-ef56"]
    tab.locator("#notice").get_by_role("button", name="Undo").click()
    expect(cells).to_have_count(1, timeout=WAIT_MS)
    cells.first.locator(".deeds summary").click()
    cells.first.get_by_role("button", name="Use these settings").click()
    expect(tab.get_by_label("What should be seen?")).to_have_value("a green box goes up over the sea", timeout=WAIT_MS)
    tab.locator("#expert > button").click()
    expect(tab.get_by_label("Seed")).to_have_value("1")


def test_a_favourite_is_marked_found_by_that_and_still_one_after_a_reload(tab: Page, studio: Served) -> None:
    name = "20260102-120000-a-red-ball-cd34"
    show(tab, "Library")
    tab.locator(f"#shelf article[data-id='{name}']").get_by_role("button", name="Make it a favourite").click()
    undo = tab.locator(f"#shelf article[data-id='{name}']").get_by_role("button", name="No longer a favourite")
    expect(undo).to_be_visible(timeout=WAIT_MS)
    tab.reload()
    show(tab, "Library")
    tab.locator("#filters").get_by_text("Favourites", exact=True).click()
    expect(tab.locator("#shelf article")).to_have_count(1, timeout=WAIT_MS)
    undo.click()
    expect(tab.locator("#shelf")).to_contain_text("No favourites yet", timeout=WAIT_MS)


def test_a_double_click_is_one_click(tab: Page, studio: Served) -> None:
    prompt, take = "a purple cube turns on a white table", "20260101-120000-a-red-ball-ab12"
    say(tab, prompt, 2)
    tab.get_by_role("button", name="Preview").dblclick()
    waiting = tab.locator("#strip .queue .about")
    expect(waiting).to_have_count(2, timeout=WAIT_MS)
    show(tab, "Library")
    tab.locator(f"#shelf article[data-id='{take}'] [data-act=render]").dblclick()
    expect(waiting).to_have_count(3, timeout=WAIT_MS)
    expect(tab.get_by_role("tab", name="Create")).to_have_attribute("aria-selected", "true")
    show(tab, "Library")
    tab.locator(f"#shelf article[data-id='{take}'] .deeds summary").click()
    tab.locator(f"#shelf article[data-id='{take}'] [data-act=vary]").dblclick()
    expect(waiting).to_have_count(5, timeout=WAIT_MS)
    tab.wait_for_timeout(1500)  # what a second click would have brought is there by now
    with Engine(studio.home) as engine:
        assert len(engine.store.jobs("queued")) == 5
    tab.get_by_role("button", name="Preview").click()  # wanted again, it comes again
    expect(waiting).to_have_count(7, timeout=WAIT_MS)
    tab.locator("#strip .queue summary").click()
    tab.get_by_role("button", name="Clear the queue").click()
    expect(tab.locator("#strip .queue")).to_have_count(0, timeout=WAIT_MS)


def test_the_trash_is_opened_put_back_from_and_asks_before_it_empties(tab: Page, studio: Served) -> None:
    trash, first, second = studio.home / "trash", "20260107-120000-a-ball-ab12", "20260108-120000-a-ball-cd34"
    with Engine(studio.home) as engine:
        for name in (first, second):
            put_take(engine, name)
            engine.library.trash.throw(engine.library.take(name))
    show(tab, "Library")
    expect(tab.locator("#shelf .trash")).to_contain_text("kB")
    tab.get_by_role("button", name="Open the trash").click()
    rows = tab.locator("#shelf .bin li")
    expect(rows).to_have_count(2, timeout=WAIT_MS)
    rows.filter(has=tab.locator(f"[data-id='{first}']")).get_by_role("button", name="Put back").click()
    expect(rows).to_have_count(1, timeout=WAIT_MS)
    assert [path.name for path in trash.iterdir()] == [second] and (studio.home / "takes" / first).is_dir()

    with Engine(studio.home) as engine:
        engine.library.trash.throw(engine.library.take(first))
    tab.get_by_role("button", name="Empty the trash").click()
    question = tab.locator("#shelf-question")
    expect(question).to_contain_text("2 takes and clips take up", timeout=WAIT_MS)
    question.get_by_role("button", name="Keep it").click()
    expect(question.locator(".ask")).to_have_count(0)
    assert len([*trash.iterdir()]) == 2
    rows.filter(has=tab.locator(f"[data-id='{first}']")).get_by_role("button", name="Delete for good").click()
    question.get_by_role("button", name="Delete for good").click()
    expect(tab.locator("#notice .said")).to_contain_text("are free again", timeout=WAIT_MS)
    assert [path.name for path in trash.iterdir()] == [second]
    tab.get_by_role("button", name="Empty the trash").click()
    question.get_by_role("button", name="Empty the trash").click()
    expect(tab.locator("#shelf")).to_contain_text("The trash is empty", timeout=WAIT_MS)
    assert not [*trash.iterdir()]


def test_what_lies_there_is_made_again_and_of_a_clip_whose_take_is_gone_the_take(tab: Page, studio: Served) -> None:
    take, clip = "20260101-120000-a-red-ball-ab12", "20260104-120000-a-clip"
    with Engine(studio.home) as engine:
        put_clip(engine, f"{clip}-12ab", take)
        put_clip(engine, f"{clip}-34cd", take)
        orphan = engine.places.clips / f"{clip}-34cd.json"
        orphan.write_text(orphan.read_text().replace(f'"take_id":"{take}"', '"take_id":"gone"'))
        for name, stage, told in ((take, "take", 0), (f"{clip}-12ab", "render", 0), (f"{clip}-34cd", "take", 1)):
            show(tab, "Library")
            tab.locator(f"#shelf article[data-id='{name}'] [data-act=again]").dispatch_event("click")
            expect(tab.locator("#strip .queue b")).to_have_text("1", timeout=WAIT_MS)
            (job,) = engine.store.jobs("queued")
            assert (job.stage, job.plan.seed) == (stage, 1)
            expect(tab.locator("#notice .said", has_text="Its take is gone")).to_have_count(told)
            tab.locator("#strip .queue summary").click()
            tab.get_by_role("button", name="Clear the queue").click()
            expect(tab.locator("#strip .queue")).to_have_count(0, timeout=WAIT_MS)
