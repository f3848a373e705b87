"""LoRAs the way a person uses them: kept, worn by takes and renders of the real worker, in the recipe, gone again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import APP, Engine, Failed, LoraUse, Overrides, Request, as_request, read_recipe
from engine.schema import Take
from tests.conftest import PROMPT
from tests.engine.test_worker import ended, frames_of
from tests.tiny import loras, wan
from tests.ui.test_commands import command, document

pytestmark = pytest.mark.slow
QUICK = Overrides(num_inference_steps=2)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a tiny model whose card tells its true shape, and a LoRA for it and for the starter."""
    home = tmp_path_factory.mktemp("home")
    wan.build(home / "models" / "tiny-wan")
    text = (APP / "presets" / "models" / "starter.toml").read_text().replace('id = "starter"', 'id = "tiny-wan"')
    text = text.replace('name = "Starter"', 'name = "Tiny"')
    (home / "presets" / "models").mkdir(parents=True)
    card = re.sub(r"^width = \d+$", "width = 24", re.sub(r"^layers = \d+", "layers = 2", text, flags=re.M), flags=re.M)
    (home / "presets" / "models" / "tiny-wan.toml").write_text(card)
    loras.make(home / "models" / "tiny-wan", home / "clay.safetensors", notes={"license": "CC-BY-4.0"})
    loras.make(APP / "models" / "starter", home / "mist.safetensors")
    return home


@pytest.fixture(scope="module")
def studio(home: Path) -> Iterator[Engine]:
    with Engine(home) as engine:
        engine.start()
        yield engine


def take_of(studio: Engine, model: str, *uses: LoraUse) -> Take:
    (job,) = studio.make_takes(Request(prompt=PROMPT, model=model, seed=7, num_frames=9, take=QUICK, loras=uses))
    return studio.library.take(ended(studio, job).result_id)


@pytest.mark.parametrize(("model", "file"), [("tiny-wan", "clay"), ("starter", "mist")])
def test_a_take_wears_a_lora_and_the_next_one_does_not(studio: Engine, home: Path, model: str, file: str) -> None:
    name = studio.keep_lora(home / f"{file}.safetensors", model).id
    none = take_of(studio, model)
    worn = take_of(studio, model, LoraUse(id=name))
    zero, after = take_of(studio, model, LoraUse(id=name, strength=0)), take_of(studio, model)
    bare = frames_of(none.video)
    assert not np.array_equal(frames_of(worn.video), bare)
    assert np.array_equal(frames_of(zero.video), bare) and np.array_equal(frames_of(after.video), bare)
    assert not list(Path(worn.video).parent.rglob(f"{name}*"))  # nothing of it stays in the take


def test_a_recipe_names_its_loras_and_repeats_them(studio: Engine, home: Path) -> None:
    name = studio.keep_lora(home / "clay.safetensors").id
    first = take_of(studio, "tiny-wan", LoraUse(id=name, strength=0.5))
    recipe = read_recipe(Path(first.video))
    (lora,) = recipe.plan.loras
    assert (lora.name, lora.strength, lora.licence, lora.parts) == ("clay", 0.5, "CC-BY-4.0", {"transformer": name})
    (job,) = studio.make_takes(as_request(recipe))
    again = studio.library.take(ended(studio, job).result_id)
    assert np.array_equal(frames_of(again.video), frames_of(first.video))


def test_a_render_wears_the_loras_of_its_take(studio: Engine, home: Path) -> None:
    name = studio.keep_lora(home / "clay.safetensors").id
    take = take_of(studio, "tiny-wan", LoraUse(id=name))
    clip = studio.library.clip(ended(studio, studio.render(take.id, sigma=0.5)).result_id)
    assert clip.recipe.plan.loras == take.recipe.plan.loras


def test_a_lora_that_lies_about_its_parts_fails_the_take_in_a_sentence(studio: Engine, home: Path) -> None:
    strange = loras.renamed(
        home / "clay.safetensors", home / "strange.safetensors", {"blocks.1.attn1.to_q": "blocks.1.ffn.net.2"}
    )
    name = studio.keep_lora(strange).id
    (job,) = studio.make_takes(Request(prompt=PROMPT, model="tiny-wan", seed=7, loras=(LoraUse(id=name),)))
    final = ended(studio, job)
    assert isinstance(final, Failed) and "'strange' has no place in this model" in final.cause


def test_make_takes_a_lora_with_its_strength_and_loras_lists_it(home: Path) -> None:
    words = ("make", PROMPT, "--model", "tiny-wan", "--frames", "9", "--seed", "5", "--steps", "2", "--take-only")
    made = document(command(home, *words, "--lora", f"{home / 'clay.safetensors'}:0.8", "--json"))
    (lora,) = read_recipe(Path(made["file"])).plan.loras
    assert (lora.name, lora.strength) == ("clay", 0.8)
    rows = document(command(home, "loras", "--json"))
    assert [row["made_for"] for row in rows if row["name"] == "clay"] == [["Tiny"]]
    refused = command(home, "make", PROMPT, "--lora", str(home / "clay.safetensors"))
    assert refused.returncode == 2 and "is made for Tiny, not for Starter" in refused.stderr


def test_the_first_lora_starts_a_worker_that_knows_them_and_after_that_it_stays(home: Path, tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        engine.start()
        bare = take_of(engine, "starter")
        lora = LoraUse(id=engine.keep_lora(home / "mist.safetensors", "starter").id)
        worn = take_of(engine, "starter", lora)
        knows = engine._lanes[0].worker.pid
        after, again = take_of(engine, "starter"), take_of(engine, "starter", lora)
        assert engine._lanes[0].worker.pid == knows
    assert not np.array_equal(frames_of(worn.video), frames_of(bare.video))
    assert np.array_equal(frames_of(after.video), frames_of(bare.video))
    assert np.array_equal(frames_of(again.video), frames_of(worn.video))
