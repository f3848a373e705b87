"""Takes that something cheaper draws, by a small sibling and by a LoRA, and the renders that start on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import APP, BadSetting, Engine, LoraFile, Overrides, Request, as_request, read_recipe
from engine.planning import draft_models
from engine.schema import Clip, Take
from engine.schema.manifest import HubLora
from engine.storage.catalog import Catalog
from tests.conftest import PROMPT
from tests.engine.test_worker import ended, frames_of
from tests.tiny import loras, wan

CARDS = Catalog(APP / "presets" / "models")
GUIDES = """
[[guides]]
name = "sketch"

[[guides]]
name = "few-steps"
repo = "someone/loras"
file = "few-steps.safetensors"
num_inference_steps = 1
guidance_scale = 1.0
kept = "its renders keep 0.7 of the way"
"""


def test_the_guides_of_every_card_share_its_latents() -> None:
    for card in CARDS.cards.values():
        for guide in card.guides:
            if guide.file:
                assert guide.repo and guide.num_inference_steps and guide.guidance_scale is not None
                assert guide.file == f"{guide.name}.safetensors" and card.loras
                continue
            sibling = CARDS.card(guide.name)
            assert sibling.latent.stride_pixels == card.latent.stride_pixels and sibling.family == card.family
            assert sibling.frames.fps == card.frames.fps and set(card.needs) <= set(sibling.inputs)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a model, a sibling of it, and a LoRA for both."""
    home = tmp_path_factory.mktemp("home")
    wan.build(home / "models" / "large")
    wan.build(home / "models" / "sketch")
    starter = (APP / "presets" / "models" / "starter.toml").read_text()
    starter = re.sub(
        r"^width = \d+$", "width = 24", re.sub(r"^layers = \d+", "layers = 2", starter, flags=re.M), flags=re.M
    )
    (home / "presets" / "models").mkdir(parents=True)
    for name, more in (("large", GUIDES), ("sketch", "")):
        text = starter.replace('id = "starter"', f'id = "{name}"').replace('name = "Starter"', f'name = "{name}"')
        text = text.replace("\n[faster]", f"{more}\n[faster]")
        (home / "presets" / "models" / f"{name}.toml").write_text(text)
    loras.make(home / "models" / "large", home / "few-steps.safetensors", notes={"license": "CC-BY-4.0"})
    return home


@pytest.fixture(scope="module")
def studio(home: Path) -> Iterator[Engine]:
    with Engine(home) as engine:
        engine.start()
        yield engine


def request(**fields: object) -> Request:
    quick = {"take": Overrides(num_inference_steps=2), "render": Overrides(num_inference_steps=3)}
    return Request(
        **{"prompt": PROMPT, "model": "large", "seed": 7, "num_frames": 9, "takes_by": "sketch"} | quick | fields
    )


@pytest.mark.parametrize(
    "wrong", [{"takes_by": "starter"}, {"takes_by": "few-steps"}, {"mode": "continue"}, {"model": "starter"},
              {"few_steps_by": "few-steps"}, {"takes_by": None, "few_steps_by": "sketch"}],
)  # fmt: skip
def test_what_cannot_draw_is_refused(home: Path, wrong: dict[str, object]) -> None:
    with Engine(home) as idle, pytest.raises(BadSetting):
        idle.plan(request(**wrong))


def test_the_plan_says_that_the_take_is_a_guide_and_counts_both_models(home: Path) -> None:
    with Engine(home) as idle:
        guided, own = idle.plan(request()), idle.plan(request(takes_by=None))
    assert guided.model == "sketch" and guided.request.model == "large"
    assert guided.render == own.render and guided.forecast.render_seconds == own.forecast.render_seconds
    assert any("sketch draws the take, which is a guide" in reason for reason in guided.reasons)
    assert any("not measured" in reason for reason in guided.reasons)


def take_of(studio: Engine, asked: Request) -> Take:
    (job,) = studio.make_takes(asked)
    return studio.library.take(ended(studio, job).result_id)


def clip_of(studio: Engine, take: Take) -> Clip:
    return studio.library.clip(ended(studio, studio.render(take.id)).result_id)


@pytest.mark.slow
def test_a_sibling_draws_the_take_and_the_model_renders_it_and_the_recipe_repeats_both(studio: Engine) -> None:
    take = take_of(studio, request())
    assert take.recipe.plan.model == "sketch"
    clip = clip_of(studio, take)
    assert clip.recipe.plan.model == "large" and clip.recipe.plan.take == take.recipe.plan.take
    again = clip_of(studio, take_of(studio, as_request(read_recipe(Path(clip.video)))))
    assert np.array_equal(frames_of(again.video), frames_of(clip.video))


@pytest.mark.slow
def test_a_lora_of_few_steps_draws_the_take_and_the_render_does_not_wear_it(studio: Engine, home: Path) -> None:
    studio.keep_lora(home / "few-steps.safetensors", "large")
    asked = request(takes_by="few-steps", take=Overrides())
    take = take_of(studio, asked)
    assert take.recipe.plan.take.num_inference_steps == 1 and take.recipe.plan.take.guidance_scale == 1.0
    assert [lora.name for lora in take.recipe.plan.loras] == ["few-steps"] and "CC-BY-4.0" in take.recipe.plan.rights
    assert any("0.7 of the way" in reason for reason in take.recipe.plan.reasons)
    clip = clip_of(studio, take)
    assert clip.recipe.plan.loras == () and clip.recipe.plan.render.num_inference_steps == 3


@pytest.mark.slow
def test_a_lora_of_few_steps_may_draw_the_render_too_and_the_recipe_says_everything_itself(
    studio: Engine, home: Path
) -> None:
    studio.keep_lora(home / "few-steps.safetensors", "large")
    asked = request(takes_by=None, few_steps_by="few-steps", take=Overrides(), render=Overrides())
    take = take_of(studio, asked)
    clip = clip_of(studio, take)
    plan = clip.recipe.plan
    assert (plan.render.num_inference_steps, plan.render.guidance_scale) == (1, 1.0)
    assert [lora.name for lora in plan.loras] == ["few-steps"] and plan.request.few_steps_by is None
    assert any("few steps by few-steps" in reason for reason in take.recipe.plan.reasons)
    again = clip_of(studio, take_of(studio, as_request(read_recipe(Path(clip.video)))))
    assert np.array_equal(frames_of(again.video), frames_of(clip.video))


def test_a_guide_from_the_hub_is_known_by_its_file_and_a_missing_one_says_how_to_get_it() -> None:
    card = CARDS.card("wan2.1-t2v-14b")
    guide = next(guide for guide in card.guides if guide.file)
    asked = Request(prompt=PROMPT, model=card.id, seed=1, takes_by=guide.name)
    here = LoraFile(id="0" * 32, name=HubLora(repo=guide.repo, file=guide.file).name, families=("wan",),
                    width=5120, blocks=40, rank=64, size_gb=0.6)  # fmt: skip
    cards = list(CARDS.cards.values())
    assert [use.id for use in draft_models.request(asked, card, cards, [here]).loras] == [here.id]
    with pytest.raises(BadSetting) as refusal:
        draft_models.request(asked, card, cards, [])
    assert f"loras install {guide.repo}/{guide.file}" in refusal.value.remedy
