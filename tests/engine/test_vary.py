"""Variations: the same shot with a little other noise in its own, repeated by their recipe to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine import BadInput, Engine, Overrides, Request, Take, UnknownName, as_request, read_recipe
from engine.jobs.kinds.vary import VaryRequest
from engine.schema import Job, ShotPlan, Variation
from engine.storage.library import STATE
from engine.worker.sampling import noise
from tests.conftest import PROMPT
from tests.engine.test_worker import ended as final
from tests.engine.test_worker import frames_of

OTHER_PROMPT = "a yellow star spins over the sea at sunset"
FEW = Overrides(num_inference_steps=4)


def varied(plan: ShotPlan, *variations: Variation) -> ShotPlan:
    return plan.but(request=plan.request.but(variations=variations))


def drawn(plan: ShotPlan) -> torch.Tensor:
    generator = noise.of(plan)
    with noise.mixing(generator):
        return torch.randn((100, 100), generator=generator, dtype=torch.float32)


# ---- the noise ----


@pytest.mark.parametrize("amount", [0.1, 0.3, 0.7])
def test_mixed_noise_is_as_loud_as_any_and_turned_by_the_dial(tiny_plan: ShotPlan, amount: float) -> None:
    own, mixed = drawn(tiny_plan), drawn(varied(tiny_plan, Variation(seed=8, amount=amount)))
    assert float(mixed.std()) == pytest.approx(1, abs=0.03)
    assert float((own * mixed).mean()) == pytest.approx(np.cos(amount * np.pi / 2), abs=0.05)


def test_none_of_other_noise_is_the_shots_own_and_all_of_it_is_the_others(tiny_plan: ShotPlan) -> None:
    assert torch.equal(drawn(varied(tiny_plan, Variation(seed=8, amount=0))), drawn(tiny_plan))
    assert torch.equal(drawn(varied(tiny_plan, Variation(seed=8, amount=1))), drawn(tiny_plan.but(seed=8)))


def test_only_the_shots_own_noise_is_mixed_and_only_meanwhile(tiny_plan: ShotPlan) -> None:
    plain, generator = torch.randn, noise.of(varied(tiny_plan, Variation(seed=8)))
    untouched = torch.randn(5, generator=torch.Generator().manual_seed(3))
    with pytest.raises(ZeroDivisionError), noise.mixing(generator):
        assert torch.equal(torch.randn(5, generator=torch.Generator().manual_seed(3)), untouched)
        _ = 1 / 0
    assert torch.randn is plain


def test_a_generator_that_goes_on_draws_what_it_would_have_drawn(tiny_plan: ShotPlan) -> None:
    plan = varied(tiny_plan, Variation(seed=8), Variation(seed=9, amount=0.5))
    generator, later = noise.of(plan), noise.of(plan)
    with noise.mixing(generator):
        torch.randn(33, generator=generator)
        state, next_one = generator.get_state(), torch.randn(33, generator=generator)
    later.set_state(state)
    with noise.mixing(later):
        assert torch.equal(torch.randn(33, generator=later), next_one)


# ---- what is refused, and what a request without it says ----


@pytest.mark.parametrize(
    ("variations", "cause"),
    [
        ([Variation(seed=8, amount=-0.1)], "A shot cannot be varied by -0.1."),
        ([Variation(seed=8, amount=1.5)], "A shot cannot be varied by 1.5."),
        ([Variation(seed=-1)], "The seed -1 is out of range."),
        ([Variation(seed=1)], "The seed 1 is in this shot already."),
        ([Variation(seed=8), Variation(seed=8)], "The seed 8 is in this shot already."),
        ([Variation(seed=seed) for seed in range(100, 121)], "This shot was varied 20 times in a row."),
    ],
)
def test_what_cannot_be_mixed_is_refused_in_a_sentence(
    tiny_home: Path, variations: list[Variation], cause: str
) -> None:
    with Engine(tiny_home) as studio, pytest.raises(BadInput) as refusal:
        studio.plan(Request(prompt=PROMPT, model="tiny-wan", seed=1, variations=tuple(variations)))
    assert refusal.value.cause == cause and refusal.value.remedy


def test_a_take_that_is_not_there_is_not_varied(tiny_home: Path) -> None:
    with Engine(tiny_home) as studio, pytest.raises(UnknownName, match="no take called 'nonesuch'"):
        studio.vary("nonesuch")


def test_a_request_without_variations_is_written_as_before() -> None:
    assert "variations" not in Request(prompt=PROMPT).model_dump()
    asked = Request(prompt=PROMPT, variations=(Variation(seed=3),))
    assert Request.model_validate_json(asked.model_dump_json()) == asked


# ---- through the engine ----


def take_of(studio: Engine, job: Job) -> Take:
    return studio.library.take(final(studio, job).result_id)


def first(studio: Engine, **fields: Any) -> Take:
    chosen = {"prompt": PROMPT, "model": "tiny-wan", "seed": 7, "num_frames": 9, "take": FEW, "render": FEW} | fields
    (job,) = studio.make_takes(Request(**chosen))
    return take_of(studio, job)


def variation(studio: Engine, take: Take, amount: float, seed: int = 11) -> Take:
    (job,) = studio.submit("vary", VaryRequest(take_id=take.id, amount=amount, seed=seed))
    return take_of(studio, job)


def apart(one: Take, other: Take) -> float:
    return float(np.abs(frames_of(one.video).astype(int) - frames_of(other.video)).mean())


@pytest.mark.slow
@pytest.mark.parametrize("prompt", [PROMPT, OTHER_PROMPT])
def test_the_distance_to_the_take_grows_with_the_dial(studio: Engine, prompt: str) -> None:
    take = first(studio, prompt=prompt)
    near, farther, far = (apart(take, variation(studio, take, amount)) for amount in (0.1, 0.4, 1.0))
    assert apart(take, variation(studio, take, 0)) == 0 < near < farther < far


@pytest.mark.slow
def test_a_variation_is_repeated_from_its_recipe_and_rendered_as_itself(studio: Engine) -> None:
    take = first(studio)
    one = variation(studio, take, 0.3)
    told = read_recipe(Path(one.video))
    assert told.plan.seed == 7 and told.plan.request.variations == (Variation(seed=11, amount=0.3),)
    (again,) = studio.make_takes(as_request(told))
    assert apart(one, take_of(studio, again)) == 0 < apart(one, take)
    renders = [studio.library.clip(final(studio, studio.render(name)).result_id) for name in (one.id, one.id, take.id)]
    shown = [frames_of(clip.video) for clip in renders]
    assert np.array_equal(shown[0], shown[1]) and not np.array_equal(shown[0], shown[2])
    assert variation(studio, studio.library.take(one.id), 0, seed=12).recipe.plan.request.variations[0].seed == 11
    of_clip = studio.submit("vary", VaryRequest(take_id=renders[2].id, seed=11))[0]
    assert apart(take_of(studio, of_clip), one) == 0  # a clip's take is what varies


@pytest.mark.slow
def test_a_variation_of_a_variation_varies_from_where_it_stands(studio: Engine) -> None:
    take = first(studio)
    one = variation(studio, take, 0.3)
    other = variation(studio, one, 0.1, seed=12)
    assert [part.seed for part in other.recipe.plan.request.variations] == [11, 12]
    assert 0 < apart(other, one) < apart(other, take)


@pytest.mark.slow
def test_several_are_takes_with_noise_of_their_own(studio: Engine) -> None:
    take = first(studio)
    jobs = studio.vary(take.id, count=2)
    assert [(job.kind, job.plan.title) for job in jobs] == [("take", PROMPT)] * 2
    one, two = (take_of(studio, job) for job in jobs)
    assert apart(one, two) > 0 and one.recipe.plan.seed == two.recipe.plan.seed == 7
    (retried,) = studio.retry(jobs[0].id)
    assert apart(take_of(studio, retried), one) == 0
    with pytest.raises(BadInput, match="13 takes at once are not possible"):
        studio.vary(take.id, count=13)


@pytest.mark.slow
def test_a_continued_variation_goes_on_to_its_uninterrupted_render(studio: Engine) -> None:
    steps = Overrides(num_inference_steps=10)
    one = variation(studio, first(studio, mode="continue", render=steps), 0.3)
    gone_on = studio.library.clip(final(studio, studio.render(one.id)).result_id)
    Path(one.latents).with_name(STATE).unlink()
    whole = studio.library.clip(final(studio, studio.render(one.id)).result_id)
    assert np.array_equal(frames_of(gone_on.video), frames_of(whole.video))
