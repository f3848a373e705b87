"""Pictures, videos, LoRAs and clips to go on from, in a real browser over the real engine."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from safetensors.numpy import save_file

from engine import APP, Engine
from engine.media.videos import Shown, write
from tests.ui.conftest import RED_BALL, Served, hand_over, put_take, remembering

pytestmark = pytest.mark.slow
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A studio with a paused queue and one take in its library, which a model of pictures made."""
    home = tmp_path_factory.mktemp("home")
    with Engine(home) as engine:
        engine.queue.pause(True)
        folder = put_take(engine, "20260101-120000-a-red-ball-ab12")
    _film(folder / "take.mp4")
    recipe = folder / "take.json"
    recipe.write_text(recipe.read_text().replace('"model":"starter"', '"model":"wan2.2-ti2v-5b"'))
    served = Served(home)
    served.start()
    yield served
    served.stop()


def _film(path: Path) -> Path:
    colours = ("red", "green", "blue", "white") * 6
    write((Shown(at / 24, 1 / 24, Image.new("RGB", (64, 48), name)) for at, name in enumerate(colours)), path)
    return path


def _lora(path: Path, width: int, note: str = "") -> Path:
    """A LoRA in diffusers' names for a transformer of Wan's kind with this width; `note` makes it another file."""
    names = [f"transformer.blocks.{block}.attn1.to_q.lora_{half}.weight" for block in range(30) for half in "AB"]
    shapes = {name: (4, width) if "lora_A" in name else (width, 4) for name in names}
    save_file(
        {name: np.zeros(shape, np.float32) for name, shape in shapes.items()},
        path,
        {"trigger_words": "sks", "note": note},
    )
    return path


def choose(tab: Page, model: str) -> None:
    if not tab.locator("#picker .options").first.is_visible():
        tab.locator("#picker summary").click()
    tab.locator("#picker .option", has_text=model).first.click()
    expect(tab.locator("#about h2")).to_contain_text(model, timeout=WAIT_MS)


def test_a_file_that_is_no_picture_is_refused_by_its_name_and_a_picture_is_shown_and_kept(
    tab: Page, tmp_path: Path
) -> None:
    choose(tab, "Wan 2.2 TI2V 5B")
    (tmp_path / "evil.png").write_text("<svg onload=alert(1)>")
    hand_over(tab.locator("#places input[type=file]"), tmp_path / "evil.png")
    expect(tab.locator("#notice .problem")).to_contain_text("evil.png is not a picture", timeout=WAIT_MS)
    with remembering(tab):
        hand_over(tab.locator("#places input[type=file]"), APP / "icon.png")
        expect(tab.locator("#places img")).to_be_visible(timeout=WAIT_MS)
    tab.reload()
    expect(tab.locator("#places img")).to_be_visible(timeout=WAIT_MS)
    tab.get_by_role("button", name="Remove this").click()
    expect(tab.locator("#places img")).to_have_count(0, timeout=WAIT_MS)


@pytest.mark.parametrize("place", ["#places", "#loras"])
def test_what_is_chosen_while_its_place_is_drawn_anew_still_comes(tab: Page, tmp_path: Path, place: str) -> None:
    choose(tab, "Wan 2.2 TI2V 5B")
    tab.locator("#expert > button").click()
    evil = tmp_path / "evil.safetensors"
    evil.write_text("<svg onload=alert(1)>")
    with tab.expect_file_chooser() as chooser:
        tab.locator(f"{place} label", has=tab.locator("input[type=file]")).first.click()
    tab.locator(f"{place} section").evaluate("place => place.replaceWith(place.cloneNode(true))")
    chooser.value.set_files(evil)
    expect(tab.locator("#notice .problem")).to_contain_text("evil.safetensors", timeout=WAIT_MS)


def test_a_video_a_mask_and_pictures_in_their_places_are_planned_together(tab: Page, tmp_path: Path) -> None:
    choose(tab, "Wan 2.1 VACE 1.3B")
    place = tab.locator("#places")
    hand_over(place.locator("[data-slot=video] input"), _film(tmp_path / "film.mp4"))
    expect(place.locator("[data-slot=video] video")).to_be_visible(timeout=WAIT_MS)
    expect(tab.locator("#outlook .problem")).to_contain_text("mask", timeout=WAIT_MS)
    hand_over(place.locator("[data-slot=mask] input"), APP / "icon.png")
    expect(place.locator("[data-slot=mask] img")).to_be_visible(timeout=WAIT_MS)
    hand_over(place.locator("[data-slot=references] input"), APP / "icon.png")
    expect(place.locator("[data-slot=references] img")).to_be_visible(timeout=WAIT_MS)
    place.get_by_label("Where the shape differs").select_option("pad")
    expect(tab.locator("#outlook")).to_contain_text("padded", timeout=WAIT_MS)
    choose(tab, "Starter")
    expect(place.locator(".slot")).to_have_count(0, timeout=WAIT_MS)
    expect(tab.locator("#outlook .times")).to_be_visible(timeout=WAIT_MS)


def test_the_colour_under_what_can_be_seen_through_is_seen_and_chosen(tab: Page, tmp_path: Path) -> None:
    choose(tab, "Wan 2.2 TI2V 5B")
    field = tab.get_by_label("Behind transparent parts")
    expect(field).to_have_value("#ffffff")
    field.fill("#00ff00")
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(tmp_path / "glass.png")
    hand_over(tab.locator("#places input[type=file]"), tmp_path / "glass.png")
    picture = tab.locator("#places img")
    expect(picture).to_be_visible(timeout=WAIT_MS)
    seen = Image.open(io.BytesIO(tab.request.get(urljoin(tab.url, picture.get_attribute("src") or "")).body()))
    assert seen.convert("RGB").getpixel((5, 5)) == (0, 255, 0)
    tab.get_by_role("button", name="Remove this").click()
    field.fill("#ffffff")
    expect(tab.locator("#places input[value='#ffffff']")).to_have_count(1, timeout=WAIT_MS)


def test_what_cannot_go_together_is_left_out_with_one_button(tab: Page, tmp_path: Path) -> None:
    choose(tab, "Wan 2.1 VACE 1.3B")
    hand_over(tab.locator("[data-slot=video] input"), _film(tmp_path / "film.mp4"))
    tab.locator("#outlook").get_by_role("button", name="Leave pictures, videos and LoRAs out").click(timeout=WAIT_MS)
    expect(tab.locator("#outlook .times")).to_be_visible(timeout=WAIT_MS)
    expect(tab.locator("#places .full")).to_have_count(0)


def test_a_model_that_needs_a_picture_says_so_and_opens_the_choice(tab: Page) -> None:
    choose(tab, "Wan 2.1 I2V 14B 480p")
    tab.get_by_label("What should be seen?").fill("a ball rolls")
    tab.get_by_role("button", name="Preview").click()
    with tab.expect_file_chooser() as chooser:
        tab.locator("#refusal").get_by_role("button", name="Choose a picture").click(timeout=WAIT_MS)
    chooser.value.set_files(APP / "icon.png")
    expect(tab.locator("#places img")).to_be_visible(timeout=WAIT_MS)


def test_a_lora_is_brought_chosen_weighed_remembered_and_left_out(tab: Page, tmp_path: Path) -> None:
    choose(tab, "Wan 2.1 T2V 1.3B")
    tab.locator("#expert > button").click()
    drawer = tab.locator("#loras")
    (tmp_path / "evil.safetensors").write_bytes(b"\x80\x05pickle" * 10)
    hand_over(drawer.locator("input[type=file]"), tmp_path / "evil.safetensors")
    expect(tab.locator("#notice .problem")).to_contain_text("evil.safetensors", timeout=WAIT_MS)
    hand_over(drawer.locator("input[type=file]"), _lora(tmp_path / "Soft light.safetensors", 1536))
    worn = drawer.locator("li")
    expect(worn).to_contain_text("Soft light", timeout=WAIT_MS)
    expect(worn).to_contain_text("Write sks into the prompt.")
    with remembering(tab):
        worn.get_by_label("Strength").fill("0.5")
        worn.get_by_label("Strength").press("Tab")
        expect(worn.locator("input[value='0.5']")).to_have_count(1, timeout=WAIT_MS)  # as the server draws it
    expect(tab.locator("#outlook")).to_contain_text("Soft light", timeout=WAIT_MS)
    tab.reload()
    tab.locator("#expert > button").click()
    expect(worn.get_by_label("Strength")).to_have_value("0.5", timeout=WAIT_MS)
    worn.get_by_role("button", name="Leave this LoRA out").click()
    expect(worn).to_have_count(0, timeout=WAIT_MS)
    drawer.get_by_label("Add a LoRA").select_option(label="Soft light")
    expect(worn).to_contain_text("Soft light", timeout=WAIT_MS)


def test_both_halves_of_a_pair_come_at_once_and_a_half_is_seen_and_changed(tab: Page, tmp_path: Path) -> None:
    choose(tab, "Wan 2.2 T2V A14B")
    tab.locator("#expert > button").click()
    drawer = tab.locator("#loras")
    halves = [_lora(tmp_path / f"Rain_{half}_noise.safetensors", 5120, half) for half in ("high", "low")]
    (tmp_path / "evil.safetensors").write_bytes(b"no")
    hand_over(drawer.locator("input[type=file]"), [*halves, tmp_path / "evil.safetensors"])
    worn = drawer.locator("li")
    expect(worn).to_have_count(2, timeout=WAIT_MS)
    expect(tab.locator("#notice .problem")).to_contain_text("evil.safetensors", timeout=WAIT_MS)
    half = worn.nth(0).get_by_label("Acts on")
    expect(half).to_have_value("high")
    expect(worn.nth(1).get_by_label("Acts on")).to_have_value("low")
    half.select_option(label="all steps")
    expect(worn.nth(0).get_by_label("Acts on")).to_have_value("both", timeout=WAIT_MS)
    for width in (390, 1280):
        tab.set_viewport_size({"width": width, "height": 860})
        box, room = worn.nth(0).bounding_box(), drawer.bounding_box()
        assert box and room and box["x"] >= room["x"] and box["x"] + box["width"] <= room["x"] + room["width"] + 1


def test_a_lora_for_another_model_is_kept_and_says_for_which(tab: Page, tmp_path: Path) -> None:
    tab.locator("#expert > button").click()
    hand_over(tab.locator("#loras input[type=file]"), _lora(tmp_path / "Large.safetensors", 5120))
    expect(tab.locator("#notice .said")).to_contain_text("made for", timeout=WAIT_MS)
    expect(tab.locator("#loras li")).to_have_count(0)


def test_loras_that_another_app_keeps_are_chosen_where_they_lie(tab: Page, studio: Served, tmp_path: Path) -> None:
    theirs = tmp_path / "ComfyUI"
    theirs.mkdir()
    _lora(theirs / "Their style.safetensors", 1536)
    tab.get_by_role("tab", name="Models").click()
    tab.locator("#lora-folders > button").click()
    expect(tab.locator("#lora-folders textarea")).to_be_visible(timeout=WAIT_MS)
    tab.locator("#lora-folders textarea").fill(str(theirs))
    tab.locator("#lora-folders textarea").press("Tab")
    tab.get_by_role("button", name="Read LoRAs there").click()
    expect(tab.locator("#question")).to_contain_text("1 LoRAs were found", timeout=WAIT_MS)
    tab.get_by_role("tab", name="Create").click()
    choose(tab, "Wan 2.1 T2V 1.3B")
    tab.locator("#expert > button").click()
    tab.locator("#loras").get_by_label("Add a LoRA").select_option(label="Their style")
    expect(tab.locator("#loras li")).to_contain_text("Their style", timeout=WAIT_MS)
    assert not list((studio.home / "loras").glob("*/*")) and (theirs / "Their style.safetensors").is_file()


def test_a_clip_of_a_model_that_takes_pictures_can_be_gone_on_from(tab: Page) -> None:
    tab.get_by_role("tab", name="Library").click()
    item = tab.locator("#shelf article").first
    item.locator(".deeds summary").click()
    item.get_by_role("button", name="Extend").click()
    expect(tab.locator("[data-slot=image]")).to_contain_text("Goes on from this clip", timeout=WAIT_MS)
    expect(tab.get_by_label("What should be seen?")).to_have_value(RED_BALL)
    tab.get_by_role("button", name="Do not go on from it").click()
    expect(tab.locator("[data-slot=image] input")).to_have_count(1, timeout=WAIT_MS)
