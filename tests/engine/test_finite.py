"""A clip whose numbers overflowed is never kept: it is said after the first step, or after decoding, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from engine.schema import Placement, PlannedLora
from engine.schema.errors import ModelProblem, Overflowed
from engine.worker import families, finite
from engine.worker.loading import pipeline_loader
from engine.worker.sampling import checkpoint_file, denoise
from tests.engine.test_families import CASES, planned, shot
from tests.tiny import wan


def drawn(folder: Path, part: str) -> None:
    """A take of a model with a weight that is no number."""
    case, family = CASES["wan-2.1"], families.of("wan")
    made = planned(case)
    model = pipeline_loader.load(folder, made.placement, case.pipeline, pipeline_loader.Loading(family))
    with torch.no_grad():
        for weight in getattr(model.pipe, part).parameters():
            weight.fill_(float("nan"))
        watch = denoise.StepReporter(lambda event: steps.append(event), lambda: False)
        steps: list[object] = []
        latents = denoise.draw(model, family, shot(made, "take"), watch)
        family.decode(model.pipe, latents, shot(made, "take"))


@pytest.mark.slow
@pytest.mark.parametrize("part", ["transformer", "vae"])
def test_a_clip_that_is_no_numbers_is_refused(part: str, tmp_path: Path) -> None:
    wan.build_21(tmp_path / "m")
    with pytest.raises(Overflowed, match="would have been black"):
        drawn(tmp_path / "m", part)


def poisoned(path: Path) -> None:
    """The same file with one number that is none."""
    with safe_open(str(path), framework="pt") as file:
        notes, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point() and tensor.numel())
    tensors[name].view(-1)[0] = float("nan")
    save_file(tensors, path, notes)


def test_a_vae_that_holds_no_numbers_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    wan.build_21(tmp_path / "m")
    poisoned(tmp_path / "m" / "vae" / "diffusion_pytorch_model.safetensors")
    case = CASES["wan-2.1"]
    with pytest.raises(ModelProblem, match="The VAE of 'm' is damaged"):
        pipeline_loader.load(
            tmp_path / "m", planned(case).placement, case.pipeline, pipeline_loader.Loading(families.of("wan"))
        )


def test_saved_latents_that_hold_no_numbers_are_refused(tmp_path: Path) -> None:
    denoise.save({"latents": torch.ones(2, 3)}, tmp_path / "a.safetensors")
    assert denoise.load(tmp_path / "a.safetensors", "cpu")["latents"].sum() == 6
    poisoned(tmp_path / "a.safetensors")
    with pytest.raises(ModelProblem, match="latents are damaged"):
        denoise.load(tmp_path / "a.safetensors", "cpu")


def test_a_saved_state_that_holds_no_numbers_is_not_gone_on_from(tmp_path: Path) -> None:
    ones = torch.ones(2)
    checkpoint_file.save(
        checkpoint_file.State(1, {"latents": ones}, {}, {}, ones, ones), "key", tmp_path / "state.safetensors"
    )
    assert checkpoint_file.load(tmp_path / "state.safetensors", "key")
    poisoned(tmp_path / "state.safetensors")
    assert checkpoint_file.load(tmp_path / "state.safetensors", "key") is None


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
