"""axe-core looks at every screen, drawer and dialog, in light and dark, on a phone and on a desk: nothing serious.

One studio and one page: a place is opened once and then looked at in all four ways. No take is made: what runs, asks,
failed or is finished was written into the studio's store, as a command beside it would.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from engine import (
    APP,
    Adjusted,
    Cancelled,
    Engine,
    Failed,
    FinalEvent,
    Finished,
    Job,
    NeedsConsent,
    Noticed,
    Progress,
    Request,
)
from tests.hub import Hub
from tests.ui.conftest import RED_BALL, Served, open_page, put_clip, put_take, say, show
from tests.ui.screens.conftest import MODEL, WAIT_MS

pytestmark = pytest.mark.slow

AXE = APP / "tests" / "ui" / "node_modules" / "axe-core" / "axe.min.js"
WAYS = [(scheme, width) for scheme in ("light", "dark") for width in (390, 1280)]
SERIOUS = """async (part) => {
    const passing = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime < Infinity);
    await Promise.allSettled(passing.map(({ finished }) => finished));
    const found = await axe.run(part, { resultTypes: ['violations'] });
    return found.violations.filter(({ impact }) => ['serious', 'critical'].includes(impact)).flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => [id, html.slice(0, 160), failureSummary.slice(0, 240)]));
}"""
# A card and a row like the ones before them are not looked at again.
ALIKE = f".models > :nth-child(n+3):not([data-model='{MODEL}'], [data-model='ltx-2']), #can-do tr:nth-child(n+4)"
ELSEWHERE = "cuda:9"  # no lane of the studio takes jobs of this device


@pytest.fixture(scope="module")
def visitor(browser: Browser, studio: Served) -> Iterator[Page]:
    """Who looks: the same page all along, with nothing moving."""
    if not AXE.is_file():
        pytest.skip("axe-core is not here; npm install --prefix tests/ui")
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    open_page(page, studio)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    page.add_style_tag(content=f"{ALIKE} {{ display: none !important }}")
    yield page
    context.close()


def looked_at(page: Page, part: str = "body") -> None:
    """What is open now, in every way it can be seen. `part`: what is new, where the rest was looked at before."""
    for scheme, width in WAYS:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (scheme, width)
        assert page.evaluate(SERIOUS, part) == [], (scheme, width)
    page.set_viewport_size({"width": 1280, "height": 900})


def opened(page: Page, *folds: str) -> None:
    """Every fold of these kinds is open."""
    for fold in folds:
        for one in page.locator(fold).all():
            if one.is_visible() and one.get_attribute("aria-expanded") != "true":
                one.click()


# ---- the first screen ----


def test_the_first_visit(visitor: Page) -> None:
    expect(visitor.locator("#stage .empty")).to_be_visible()
    looked_at(visitor)


def test_the_drawers_of_the_form(visitor: Page) -> None:
    say(visitor, RED_BALL, 1)
    opened(visitor, "#outlook summary", "#about summary", "#expert > button", "#saved > button", "#own-styles > button")
    visitor.get_by_label("Name", exact=True).fill("My ball")
    visitor.get_by_role("button", name="Save", exact=True).click()
    expect(visitor.locator("#presets [data-preset]")).to_have_count(1, timeout=WAIT_MS)
    visitor.get_by_label("Begin with").click()
    visitor.get_by_role("option", name="Look: Night").first.click()
    expect(visitor.locator("#style-deeds a")).to_be_visible(timeout=WAIT_MS)
    looked_at(visitor)


def test_a_list_of_choices(visitor: Page) -> None:
    visitor.get_by_label("Look", exact=True).click()
    expect(visitor.get_by_role("option").first).to_be_visible()
    looked_at(visitor)
    visitor.keyboard.press("Escape")


def test_the_picker_and_a_model_that_is_not_here(visitor: Page) -> None:
    opened(visitor, "#picker summary")
    looked_at(visitor)
    visitor.locator("#picker .option", has_text="Wan 2.2 TI2V 5B").first.click()
    expect(visitor.locator("#about .missing")).to_be_visible(timeout=WAIT_MS)
    expect(visitor.locator("#places .slot")).to_have_count(1, timeout=WAIT_MS)
    expect(visitor.locator("#instead h2")).to_be_visible(timeout=WAIT_MS)
    looked_at(visitor)


def test_a_refusal(visitor: Page) -> None:
    visitor.get_by_role("button", name="Preview").click()
    expect(visitor.locator("#refusal .problem")).to_be_visible(timeout=WAIT_MS)
    looked_at(visitor, "#form")
    opened(visitor, "#picker summary")
    visitor.locator("#picker .option", has_text="Starter").first.click()
    expect(visitor.locator("#about h2")).to_have_text("Starter", timeout=WAIT_MS)


# ---- jobs ----


def run_elsewhere(engine: Engine, jobs: list[Job]) -> None:
    """These jobs run, as far as the studio can see."""
    engine.store.add_jobs(jobs)
    engine.queue.pause(False)
    for _ in jobs:
        assert engine.store.claim(ELSEWHERE)
    engine.queue.pause(True)


def a_job(engine: Engine, name: str, prompt: str = RED_BALL, take_id: str | None = None) -> Job:
    plan = engine.plan(Request(prompt=prompt))
    plan = plan.model_copy(update={"placement": plan.placement.model_copy(update={"device": ELSEWHERE})})
    return Job(
        id=name, stage="render" if take_id else "take", plan=plan, take_id=take_id, created="2026-01-01T12:00:00Z"
    )


def everything_at_once(home: Path) -> None:
    """A clip and its take, takes that failed, were stopped, run and wait, and one that asks."""
    other = "a yellow star spins in the night sky"
    with Engine(home) as engine:
        jobs = [a_job(engine, "asks", other), a_job(engine, "waits", other)]
        jobs += [a_job(engine, name) for name in ("done", "failed", "stopped", "runs")]
        run_elsewhere(engine, [*jobs, a_job(engine, "clip", take_id="done")])
        engine.store.requeue("waits")
        put_take(engine, "done")
        put_clip(engine, "clip", "done")
        ends: dict[str, FinalEvent] = {
            "done": Finished(result_id="done", seconds=3), "clip": Finished(result_id="clip", seconds=30),
            "failed": Failed(cause="The disk is full.", remedy="Make room.", detail="OSError: 28"),
            "stopped": Cancelled(),
        }  # fmt: skip
        slower = Noticed(cause="The card was too hot.", remedy="Give it air.")
        engine.store.add_event("done", slower)
        for name, event in ends.items():
            engine.store.finish(name, event)
        engine.store.add_event("runs", Adjusted(change="It goes on in slices.", reason="Memory ran out."))
        engine.store.add_event("runs", Progress(phase="sampling", step=2, steps=9, seconds_left=70))
        engine.store.ask("asks", NeedsConsent(question="Smaller, to fit?", plan=jobs[0].plan))


def test_jobs_takes_a_clip_and_the_way_on(visitor: Page, studio: Served) -> None:
    everything_at_once(studio.home)
    for part in ("#strip .question", "#strip .queue", "#result figure", "#sheet .bad", "#dial", "#onward h2"):
        expect(visitor.locator(part).first).to_be_visible(timeout=WAIT_MS)
    opened(visitor, "#strip .queue summary", "#result summary", "#sheet summary")
    looked_at(visitor)


def test_the_queue(visitor: Page) -> None:
    show(visitor, "Queue")
    expect(visitor.locator("#line ol").first).to_be_visible(timeout=WAIT_MS)
    opened(visitor, "#line summary")
    looked_at(visitor)


def test_the_library_its_folds_and_what_is_said_in_passing(visitor: Page) -> None:
    show(visitor, "Library")
    cells = visitor.locator("#shelf article")
    expect(cells.first).to_be_visible(timeout=WAIT_MS)
    count = cells.count()
    cells.last.locator(".deeds summary").click()
    cells.last.get_by_role("button", name="Delete").click()
    expect(cells).to_have_count(count - 1, timeout=WAIT_MS)
    opened(visitor, "#shelf summary")
    expect(visitor.locator("#notice .said")).to_be_visible()
    expect(visitor.locator("#shelf .trash")).to_be_visible()
    looked_at(visitor)
    visitor.get_by_role("button", name="Open the trash").click()
    visitor.get_by_role("button", name="Empty the trash").click()
    expect(visitor.locator("#shelf-question .ask")).to_be_visible(timeout=WAIT_MS)
    expect(visitor.locator("#shelf .bin li").first).to_be_visible()
    looked_at(visitor)
    visitor.locator("#shelf-question").get_by_role("button", name="Keep it").click()


# ---- models, and this computer ----


def test_models_their_drawers_and_a_question(visitor: Page) -> None:
    show(visitor, "Models")
    card = visitor.locator(f"#catalogue [data-model='{MODEL}']")
    opened(visitor, "#housing > button", "#offline > button", "#lora-folders > button")
    opened(visitor, "#catalogue [data-model='ltx-2'] summary")
    card.get_by_role("button", name="Install").click()
    expect(visitor.locator("#question .ask h2")).to_have_text("Install Shapes?", timeout=WAIT_MS)
    looked_at(visitor)


def test_a_download_and_the_question_before_a_model_goes(visitor: Page, hub: Hub) -> None:
    hub.rate = 200_000
    visitor.get_by_role("button", name="Download now").click()
    arrival = visitor.locator("#arriving .arrival")
    expect(arrival).to_contain_text("a second", timeout=WAIT_MS)
    looked_at(visitor, "#arriving")
    hub.rate = 0
    expect(arrival).to_have_attribute("data-state", "finished", timeout=WAIT_MS)
    visitor.locator(f"#catalogue [data-model='{MODEL}']").get_by_role("button", name="Remove").click()
    expect(visitor.locator("#question .ask")).to_be_visible(timeout=WAIT_MS)
    looked_at(visitor, "#question")


def test_a_refused_folder(visitor: Page) -> None:
    visitor.get_by_label("Folder for models", exact=True).fill("nowhere")
    visitor.get_by_role("button", name="Move the models there").click()
    expect(visitor.locator("#question .problem")).to_be_visible(timeout=WAIT_MS)
    looked_at(visitor, "#question")


def test_this_computer(visitor: Page) -> None:
    show(visitor, "My machine")
    expect(visitor.locator("#can-do table")).to_be_visible(timeout=WAIT_MS)
    opened(visitor, "#tiers summary")
    looked_at(visitor)
