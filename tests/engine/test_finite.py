"""A clip whose numbers overflowed is never kept: it is said after the first step, or after decoding, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.errors import Overflowed
from engine.types import Placement, PlannedLora
from engine.worker import families, finite, sampling, weights
from tests.engine.test_families import CASES, planned, shot
from tests.tiny import wan


def drawn(folder: Path, part: str) -> None:
    """A take of a model with a weight that is no number."""
    case, family = CASES["wan-2.1"], families.of("wan")
    made = planned(case)
    model = weights.load(folder, made.placement, case.pipeline, weights.Loading(family))
    with torch.no_grad():
        for weight in getattr(model.pipe, part).parameters():
            weight.fill_(float("nan"))
        watch = sampling.Watch(lambda event: steps.append(event), lambda: False)
        steps: list[object] = []
        latents = sampling.draw(model, family, shot(made, "take"), watch)
        family.decode(model.pipe, latents, shot(made, "take"))


@pytest.mark.slow
@pytest.mark.parametrize("part", ["transformer", "vae"])
def test_a_clip_that_is_no_numbers_is_refused(part: str, tmp_path: Path) -> None:
    wan.build_21(tmp_path / "m")
    with pytest.raises(Overflowed, match="would have been black"):
        drawn(tmp_path / "m", part)


@pytest.mark.parametrize(
    ("fields", "lora", "said"),
    [({"dtype": "float16"}, False, "16-bit numbers"), ({"precision": "nf4"}, False, "full precision"),
     ({"attention": "_native_flash"}, False, "attention"), ({}, False, "doctor --card"),
     ({"dtype": "float16"}, True, "LoRAs")],
)  # fmt: skip
def test_the_likeliest_cause_is_said(fields: dict[str, str], lora: bool, said: str) -> None:
    worn = (PlannedLora(name="a", strength=1.0, parts={"transformer": "1" * 32}),) if lora else ()
    placement = Placement.model_validate({"device": "cuda:0", "dtype": "bfloat16"} | fields)
    plan = planned(CASES["wan-2.1"]).model_copy(update={"placement": placement, "loras": worn})
    with pytest.raises(Overflowed) as refused:
        finite.check(torch.tensor([1.0, float("inf")]), plan)
    assert said in refused.value.remedy
