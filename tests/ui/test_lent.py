"""On the page: weights that another program keeps, and a LoRA of the hub; what they cost is said before the start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from safetensors.numpy import save

from engine import Engine
from tests.engine.downloads.conftest import alone, hub  # noqa: F401  # a hub, and nobody's token
from tests.engine.test_single_files import a_file, holds
from tests.hub import Hub
from ui.locale import SPOKEN
from ui.page import app
from ui.page.actions.dispatch import act, work_off
from ui.page.layout import Click, Page
from ui.page.screens.models import models


@pytest.fixture
def engine(tmp_path: Path, hub: Hub) -> Iterator[Engine]:  # noqa: F811
    with Engine(tmp_path / "home") as engine:
        yield engine


@pytest.fixture
def page(engine: Engine) -> Page:
    with gr.Blocks():
        return app._lay_out(engine, "")


def pressed(engine: Engine, page: Page, what: str, name: str) -> str:
    """What the question says when a button was pressed and its task was worked off."""
    values: dict[Any, Any] = {part: getattr(part, "value", None) for part in page.asked}
    task = act(Click(engine, page, values), what, name)[page.task]
    return str(work_off(engine, page, task)[page.models.question])


def test_a_folder_of_single_files_becomes_a_button_for_each_model(engine: Engine, tmp_path: Path) -> None:
    a_file(tmp_path / "unet" / "my i2v <b>.safetensors", holds("wan2.1-i2v-14b-480p"))
    a_file(tmp_path / "unet" / "wan2.1_t2v_14B_int8.safetensors", holds("wan2.1-t2v-14b"), "I8")
    html = models.look_in(engine, str(tmp_path / "unet"))
    assert html.count('data-act="lend"') == 2 and "Wan 2.1 I2V 14B 480p" in html and "720p" in html
    assert "<b>" not in html and "does not read yet" in html
    SPOKEN.set("de")
    try:
        german = models.look_in(engine, str(tmp_path / "unet"))
        assert "noch nicht liest: die Gewichte haben das Format I8" in german
    finally:
        SPOKEN.set("en")


def test_a_lora_of_the_hub_is_asked_about_then_fetched(engine: Engine, page: Page, hub: Hub) -> None:  # noqa: F811
    weights = save({"transformer.blocks.0.attn1.to_q.lora_A.weight": np.zeros((4, 192), np.float32),
                    "transformer.blocks.0.attn1.to_q.lora_B.weight": np.zeros((192, 4), np.float32)})  # fmt: skip
    hub.add("maker/Rain", {"rain.safetensors": weights})
    asked = str(work_off(engine, page, "lora/maker/Rain")[page.models.question])
    exact = f"{len(weights):,}".replace(",", "\u00a0")
    assert f"rain.safetensors: {exact} bytes" in asked and "Licence: apache-2.0" in asked
    assert 'data-act="fetch-lora" data-id="maker/Rain/rain.safetensors"' in asked and not engine.downloads.queue()
    assert pressed(engine, page, "fetch-lora", "maker/Rain/rain.safetensors") == ""
    assert [one.called for one in engine.downloads.queue()] == ["Rain/rain"]


@pytest.mark.parametrize("what", ["lend", "borrow", "fetch-lora"])
@pytest.mark.parametrize(
    "name", ["", "x", "x/", "starter//etc", "wan2.1-t2v-14b//etc/passwd", "\x00", "../../etc", "<b>"]
)
def test_a_made_up_name_is_one_plain_refusal(engine: Engine, page: Page, what: str, name: str) -> None:
    html = pressed(engine, page, what, name)
    assert 'class="problem"' in html and "<b>" not in html and not engine.downloads.queue()
