"""Memory runs out under a real worker, at the border of torch's allocator, and the person is asked: in the terminal,
and on the page in a real browser. Or nobody is asked, because it was agreed to beforehand."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine import APP, Engine, Take
from engine.jobs.scheduler import REPORTED, REPORTED_DEVICES
from engine.planning.memory_fallback import CHANGES
from tests.engine.test_out_of_memory import ALTERS, CARD
from tests.ui.conftest import PATIENCE_MS, RED_BALL, Served, idle, say
from tests.ui.test_commands import QUICK, command, document, environment

pytestmark = pytest.mark.slow
MAKE = ("make", RED_BALL, *QUICK, "--take-only")


@pytest.fixture
def home(tiny_home: Path, tmp_path: Path) -> Path:
    return prepared(tiny_home, tmp_path)


def prepared(tiny_home: Path, home: Path) -> Path:
    """A data folder of its own whose machine has a card, the CPU by another name, and whose memory will run out."""
    for folder in ("models", "presets"):
        shutil.copytree(tiny_home / folder, home / folder)
    card = home / "presets" / "models" / "tiny-wan.toml"
    card.write_text(card.read_text().replace('name = "Starter"', 'name = "Tiny"'))
    with Engine(home) as engine:
        engine.store.set(REPORTED, REPORTED_DEVICES.dump_json((CARD,)).decode())
    run_short(home)
    return home


def faults(home: Path) -> Path:
    return home / "faults.json"


def run_short(home: Path) -> None:
    """The next three times that it draws, the card's memory runs out; the third time only the picture is left."""
    faults(home).write_text(json.dumps(ALTERS))


def app(home: Path) -> tuple[str, ...]:
    return ("-m", "tests.short_app", str(faults(home)))


def only_take(home: Path) -> Take:
    with Engine(home) as engine:
        (take,) = engine.library.takes()
        return take


# ---- in the terminal ----


def test_what_was_agreed_to_beforehand_is_done_and_said(home: Path) -> None:
    done = command(home, *MAKE, "--make-it-fit", "--json", app=app(home))
    assert document(done)["take"] and CHANGES["fp8"] in done.stderr
    assert only_take(home).recipe.plan.adjusted[-1] == CHANGES["fp8"]


def test_where_nobody_can_be_asked_the_picture_stays_and_the_way_out_is_named(home: Path) -> None:
    done = command(home, *MAKE, app=app(home))
    assert done.returncode == 1 and "--make-it-fit" in done.stderr and "Traceback" not in done.stderr
    with Engine(home) as engine:
        assert engine.store.jobs()[0].state == "failed" and not engine.library.takes()


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_a_person_at_the_terminal_is_asked_and_obeyed(answer: str, code: int, home: Path) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen([sys.executable, *app(home), *MAKE], cwd=APP, env=environment(home), stdin=follower,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    os.write(leader, f"{answer}\n".encode())  # it waits in the terminal until the question comes
    _, errors = process.communicate(timeout=250)
    os.close(leader)
    os.close(follower)
    assert process.returncode == code and CHANGES["fp8"] in errors, errors
    if answer == "y":
        assert only_take(home).recipe.plan.placement.precision == "fp8"


# ---- on the page ----


@pytest.fixture(scope="module")
def studio(tiny_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = prepared(tiny_home, tmp_path_factory.mktemp("short"))
    served = Served(home, app(home))
    served.start()
    yield served
    served.stop()


@pytest.fixture
def tab(tab: Page, studio: Served) -> Page:
    """Before a studio that learned nothing, and whose memory runs out."""
    with Engine(studio.home) as engine, engine.store._writing() as db:
        db.execute("delete from runs")  # what one test learned would help the next one
        db.execute("delete from settings where name like 'warm %'")  # and so would what its worker has loaded
    run_short(studio.home)
    return tab


def preview(tab: Page, prompt: str, make_it_fit: bool = False) -> None:
    tab.locator("#picker summary").click()
    tab.locator("#picker .option", has_text="Tiny").click()
    expect(tab.locator("#about h2")).to_have_text("Tiny")
    say(tab, prompt, 1, steps=2)
    if make_it_fit:
        tab.get_by_label("If memory runs out, change the picture without asking").check()
    tab.get_by_role("button", name="Preview").click()


def test_the_page_asks_and_goes_on_after_a_yes_and_says_what_was_changed(tab: Page, studio: Served) -> None:
    preview(tab, "a yellow star spins in the night sky")
    question = tab.locator("#strip .question")
    expect(question).to_contain_text(CHANGES["fp8"], timeout=PATIENCE_MS)
    expect(tab.locator("#strip .phase")).to_have_text("Waiting for your answer")
    tab.reload()  # the question is the engine's, not this tab's
    expect(question).to_contain_text(CHANGES["fp8"], timeout=PATIENCE_MS)
    question.get_by_role("button", name="Go on like this").click()
    expect(tab.locator("#sheet video")).to_have_count(1, timeout=PATIENCE_MS)
    expect(tab.locator("#sheet .note", has_text=CHANGES["fp8"])).to_be_visible()
    expect(tab.locator("#sheet .facts")).to_contain_text("forecast")
    expect(tab.locator("#sheet .facts")).to_contain_text("took")
    idle(tab)


def test_a_no_on_the_page_ends_the_job_in_a_sentence(tab: Page) -> None:
    preview(tab, "a green box goes up over the sea at sunset")
    tab.locator("#strip .question").get_by_role("button", name="Do not").click(timeout=PATIENCE_MS)
    expect(tab.locator("#sheet article").first).to_contain_text("it was not to be changed", timeout=PATIENCE_MS)
    idle(tab)


def test_agreed_to_beforehand_on_the_page_nothing_is_asked(tab: Page) -> None:
    preview(tab, "a purple cone grows in the desert by day", make_it_fit=True)
    expect(tab.locator("#sheet video")).to_have_count(1, timeout=PATIENCE_MS)
    expect(tab.locator("#sheet .note", has_text=CHANGES["fp8"])).to_be_visible()
    expect(tab.locator("#strip .question")).to_have_count(0)
