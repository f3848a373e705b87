"""The page without a browser: hostile text stays text, numbers read well, and opening it needs no torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import escape

from engine import Cancelled, Clip, Download, Engine, Failed, Finished, Job, Noticed, Peek, Progress, Recipe, Request
from engine.jobs.scheduler import REPORTED, REPORTED_DEVICES
from engine.queries import Machine
from engine.schema import Device, Run
from engine.storage.catalog import machines
from ui import amounts
from ui.page.components.next_model import onward
from ui.page.model.attachments import filled_in
from ui.page.model.model_entries import usable
from ui.page.model.snapshot import Seen, View, look
from ui.page.screens.clip import clip, how, result
from ui.page.screens.form import form
from ui.page.screens.form.forecast_line import outlook
from ui.page.screens.form.model_picker import chosen
from ui.page.screens.job_card import strip
from ui.page.screens.library import found, grid
from ui.page.screens.machine import capability
from ui.page.screens.models.arrivals import arrival
from ui.page.screens.queue import line
from ui.page.screens.takes import sheet

NASTY = """<script>alert(1)</script><img src=x onerror=alert(2)>"'><svg/onload=alert(3)>${alert(4)}{{alert(5)}} ball"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path) as engine:
        yield engine


class _Tags(HTMLParser):
    """Collects every tag and attribute that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def assert_harmless(html: str) -> None:
    seen = _Tags()
    seen.feed(html)
    assert not seen.tags & {"script", "img", "svg", "iframe", "object"}
    assert not [name for name in seen.attributes if name.startswith("on")]


def _job(engine: Engine, stage: str = "take", name: str = "20260101-120000-x-0001", state: str = "finished") -> Job:
    plan = engine.plan(Request(prompt=NASTY, seed=7))
    take_id = "20260101-120000-x-0001" if stage == "render" else None
    return Job(id=name, stage=stage, plan=plan, take_id=take_id, state=state)


@pytest.mark.parametrize(("kind", "named"), [("rtx-4090", True), ("cpu-16gb", False)])
def test_after_its_first_clip_the_toy_names_the_model_that_the_engine_recommends(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, kind: str, named: bool
) -> None:
    machine = machines(engine.places.machines)[kind]
    monkeypatch.setattr(Machine, "hardware", lambda _: machine)
    clip = Seen(_job(engine, "render"), Finished(result_id="x", seconds=1))
    said = onward(engine, View((), (), (), {}, clip, ""))
    picks = engine.planning.recommended()
    assert bool(picks) == named and ('data-act="fetch"' in said) == named
    assert not named or f'data-id="{picks[0].model}"' in said
    assert onward(engine, View((), (), (), {}, None, "")) == ""


ENDS = [Finished(result_id=NASTY, seconds=1.5), Failed(cause=NASTY, remedy=NASTY, detail=NASTY), Cancelled(), None]


@pytest.mark.parametrize("end", ENDS)
def test_a_hostile_prompt_or_message_is_shown_as_text_on_the_sheet(engine: Engine, end: object) -> None:
    seen = Seen(_job(engine, name=NASTY), end)
    view = View((), (), (seen,), {}, Seen(_job(engine, "render"), end), "")
    for html in (sheet(view), result(engine, view)):
        assert_harmless(html)
    assert "&lt;script&gt;" in sheet(view)


def test_a_hostile_prompt_is_shown_as_text_in_the_queue(engine: Engine) -> None:
    job = _job(engine, state="running")
    view = View((Seen(job, Progress(phase="sampling", step=2, steps=8)),), (job,), (), {}, None, "")
    for html in (strip(view), line(view)):
        assert_harmless(html)


def test_a_running_job_shows_how_it_looks_so_far_as_long_as_that_is_there(engine: Engine) -> None:
    (job,) = engine.make_takes(Request(prompt="a red ball"))
    engine.store.claim("cpu")
    engine.store.add_event(job.id, Peek(file="peek-003.webp"))
    assert "peek" not in strip(look(engine))
    folder = engine.places.staging / job.id
    folder.mkdir()
    (folder / "peek-003.webp").write_bytes(b"webp")
    assert f'src="/media/peek/{job.id}/peek-003.webp"' in strip(look(engine))


def test_a_slow_run_is_explained_beside_its_take(engine: Engine) -> None:
    slow = (Noticed(cause="The card was hot.", remedy="Give it air."),)
    seen = Seen(_job(engine), Finished(result_id="x", seconds=1), noticed=slow)
    assert "The card was hot. Give it air." in sheet(View((), (), (seen,), {}, None, ""))


def test_a_hostile_recipe_is_shown_as_text_in_the_library(engine: Engine) -> None:
    plan = engine.plan(Request(prompt=NASTY, seed=7)).model_copy(update={"licence": NASTY})
    recipe = Recipe(kind="render", id=NASTY, plan=plan, seconds=2, versions={NASTY: NASTY}, created=NASTY)
    assert_harmless(clip(engine, Clip(id=NASTY, recipe=recipe, video="", poster="")))
    video = engine.places.clips / 'a"onload=x.mp4'
    video.write_bytes(b"")
    video.with_suffix(".json").write_text(recipe.model_dump_json())
    html = grid(engine, found(engine, "all", "", "", "ever"), 10)
    assert "onload" in html
    assert_harmless(html)


def test_a_hostile_prompt_is_shown_as_text_in_the_forecast(engine: Engine) -> None:
    assert_harmless(outlook(engine, Request(prompt=NASTY), 3))


def test_the_forecast_says_times_and_whether_it_fits(engine: Engine) -> None:
    html = outlook(engine, Request(prompt="a red ball"), 3)
    assert "3 takes" in html and "render" in html and "data-verdict" in html


def test_a_forecast_that_nobody_measured_says_so_beside_its_verdict(engine: Engine) -> None:
    def beside() -> str:
        return outlook(engine, Request(prompt="a red ball"), 1).partition("</p>")[0]

    assert "Estimated, not measured." in beside() and "fits well (estimated)" in chosen(usable(engine)[0])
    engine.store.add_run(Run(model="starter", stage="take", device="cpu", operations=1, seconds=2, ram_gb=1,
                             estimated_seconds=1))  # fmt: skip
    assert "comfortably" in beside() and "Estimated" not in beside()
    assert "fits well<" in chosen(usable(engine)[0])


def test_a_download_that_the_disk_has_no_room_for_is_said_before_it_starts(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = engine.machine.hardware()
    for free_gb, said in ((5000, False), (3, True)):
        machine = now.model_copy(update={"disk_free_gb": free_gb})
        monkeypatch.setattr(engine.machine, "hardware", lambda machine=machine: machine)
        html = outlook(engine, Request(prompt="a red ball", model="wan2.1-t2v-14b"), 1)
        assert "Downloads" in html and ("does not fit on the disk" in html) == said


def test_what_to_install_first_is_named_with_its_size_time_and_licence(engine: Engine) -> None:
    card = Device(id="cpu:0", kind="pretend", name="a card", vram_gb=24, vram_free_gb=23, compute_capability="8.9")
    engine.store.set(REPORTED, REPORTED_DEVICES.dump_json((card,)).decode())
    html, picks = capability(engine), engine.planning.recommended()
    assert "(estimated)" in html and len(picks) == 2
    for pick in picks:
        name = next(card.name for card in engine.models.cards() if card.id == pick.model)
        assert f": {name}. {escape(pick.why)}" in html and escape(pick.licence) in html
        assert f"One clip takes {amounts.span(*pick.seconds)}" in html and amounts.gigabytes(pick.download_gb) in html


def test_where_no_model_would_run_that_is_said(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.planning, "recommended", list)
    assert "none is likely to run here" in capability(engine)


def test_an_empty_prompt_still_gets_a_forecast_but_a_wrong_setting_gets_its_sentence(engine: Engine) -> None:
    assert "problem" not in outlook(engine, Request(prompt=" "), 1)
    html = outlook(engine, Request(prompt="a red ball", seconds=1000), 1)
    assert "problem" in html and "Choose" in html


def test_the_view_shows_the_newest_shot_only(engine: Engine) -> None:
    engine.make_takes(Request(prompt="a red ball"), 2)
    assert len(look(engine).sheet) == 2
    engine.make_takes(Request(prompt="a blue box"), 3)
    view = look(engine)
    assert [seen.job.plan.request.prompt for seen in view.sheet] == ["a blue box"] * 3
    engine.make_takes(Request(prompt="a blue box", dial=0.9), 1)
    assert len(look(engine).sheet) == 4  # more takes of the same shot join it
    assert len(view.waiting) == 5 and view.busy


def test_a_take_whose_files_were_deleted_is_not_shown(engine: Engine) -> None:
    (job,) = engine.make_takes(Request(prompt="a red ball"))
    engine.store.finish(job.id, Finished(result_id=job.id, seconds=1))
    assert look(engine).sheet == ()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.02, "0.1 s"),
        (0.44, "0.4 s"),
        (7.4, "7 s"),
        (89, "89 s"),
        (91, "2 min"),
        (5000, "83 min"),
        (7300, "2 h 2 min"),
        (40_000, "11 h"),
        (9e5, "10 days"),
    ],
)
def test_durations_read_well(seconds: float, words: str) -> None:
    assert amounts.duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 MB"), (1, "1 kB"), (120_000, "120 kB"), (949_000, "949 kB"), (1_000_000, "1 MB"), (94_000_000, "94 MB"),
     (2.5e9, "2.5 GB")],
)  # fmt: skip
def test_sizes_read_well_and_what_is_there_is_never_nothing(count: int, words: str) -> None:
    assert amounts.bytes_of(count) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(1, 3, "1 to 3 s"), (2, 2.1, "2 s"), (40, 100, "40 s to 2 min"), (3000, 7300, "50 min to 2 h 2 min")],
)
def test_ranges_read_well(low: float, high: float, words: str) -> None:
    assert amounts.span(low, high) == words


def test_every_length_on_the_slider_can_be_planned(engine: Engine) -> None:
    for card in (entry.card for entry in usable(engine)):
        slider = form.length_slider(card)
        for seconds in (slider.minimum, slider.value, slider.maximum):
            engine.plan(filled_in(Request(prompt="a red ball", model=card.id, seconds=seconds), card))


def test_opening_the_page_imports_no_torch(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from engine import Engine
from ui.page import server
from ui.page.app import application
application(Engine(Path(sys.argv[1])))
heavy = {"torch", "diffusers", "transformers", "peft", "accelerate"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_recipe_shows_what_the_model_was_told_where_that_is_more_than_was_written(engine: Engine) -> None:
    for camera, shows in ((None, False), ("pan-left", True)):
        plan = engine.plan(Request(prompt="a red ball over the sea", camera=camera, seed=1))
        recipe = Recipe(kind="take", id="a", plan=plan, seconds=1, versions={}, created="2026-01-01T00:00:00Z")
        assert ("a red ball over the sea. the camera pans left" in how(recipe)) == shows


def test_a_lora_on_its_way_has_its_name_and_is_no_model_to_use() -> None:
    text = arrival(Download(model="_lora-0123", lora=f"Rain/{NASTY}", state="finished"))
    assert "Rain/" in text and "<script>" not in text and "_lora-0123</strong>" not in text
    assert (
        'data-act="use"' in arrival(Download(model="mochi-1-preview", state="finished"))
        and 'data-act="use"' not in text
    )
