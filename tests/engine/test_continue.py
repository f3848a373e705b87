"""A run that stopped and went on is the run that did not stop, to the last bit: every family, every scheduler."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.schema.errors import JobCancelled
from engine.schema.shot import RECORDED
from engine.worker import families
from engine.worker.families.family import Latents
from engine.worker.loading import pipeline_loader
from engine.worker.sampling import checkpoint_file, denoise
from engine.worker.sampling import checkpointing as recordings
from engine.worker.sampling.checkpointing import Checkpointer
from tests.engine.test_families import CASES, Case, Loaded, distance, planned, roomy, shot
from tests.tiny import cogvideox, wan

pytestmark = pytest.mark.slow
STEPS = 6
MORE = {name: case for name, case in CASES.items() if case.pipeline in RECORDED and name != "framepack"} | {
    "wan-unipc-3": Case(wan.build_21, "wan", "WanPipeline", 16, 9),
    "cogvideox-dpm": Case(roomy(cogvideox.build_15), "cogvideox", "CogVideoXPipeline", 16, 9),
}


def stage_of(loaded: Loaded, path: Path, stop_after: int | None = None, key: str = "same") -> Latents:
    """The latents of a draw that records itself at `path`, or goes on from there."""
    watch = denoise.StepReporter(lambda event: None, lambda: False)
    watch.recording = Checkpointer(path, key, stop_after)
    return denoise.draw(loaded.model, loaded.family, shot(loaded.plan, "take"), watch)


@pytest.fixture(scope="module", params=MORE)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    case = MORE[request.param]
    folder = tmp_path_factory.mktemp(request.param) / request.param
    case.build(folder)
    if request.param == "wan-unipc-3":
        config = folder / "scheduler" / "scheduler_config.json"
        config.write_text(json.dumps(json.loads(config.read_text()) | {"solver_order": 3}))
    made, family = planned(case), families.of(case.family)
    large = case.family == "ltx2"  # its VAE cannot decode half of the smallest size
    take = (made.render if large else made.take).model_copy(update={"num_inference_steps": STEPS})
    made = made.model_copy(update={"take": take})
    return Loaded(
        case,
        folder,
        pipeline_loader.load(folder, made.placement, case.pipeline, pipeline_loader.Loading(family)),
        family,
        made,
    )


def steps_of(loaded: Loaded) -> int:
    """Of a draw: fewer than were asked for where a video is kept, and as many for each section."""
    return loaded.family.steps(shot(loaded.plan, "take"))


@torch.no_grad()
@pytest.mark.parametrize("share", [0, 2 / 3])
def test_the_second_part_ends_where_the_uninterrupted_run_does(loaded: Loaded, share: float, tmp_path: Path) -> None:
    whole = stage_of(loaded, tmp_path / "none")
    stage_of(loaded, tmp_path / "state", max(1, int(share * steps_of(loaded))))
    after = stage_of(loaded, tmp_path / "state")
    for name, part in whole.items():
        assert torch.equal(after[name], part), name


@torch.no_grad()
def test_the_first_part_shows_where_the_shot_is_going(loaded: Loaded, tmp_path: Path) -> None:
    """Its clean estimate is nearer to the end of the run the later it stops, and decodes to a small clip."""
    family, pipe = loaded.family, loaded.model.pipe
    whole = stage_of(loaded, tmp_path / "none")["latents"]
    early = stage_of(loaded, tmp_path / "early", 1)
    late = stage_of(loaded, tmp_path / "late", steps_of(loaded) - 1)
    assert whole.shape == early["latents"].shape
    nearer = distance(late["latents"], whole) < distance(early["latents"], whole)
    # LTX leaves a video that it holds as it is down to the level that it was brought to: here, to the last step.
    assert nearer or (loaded.case.pipeline == "LTXConditionPipeline" and torch.equal(late["latents"], early["latents"]))
    take = dataclasses.replace(shot(loaded.plan, "take"), glimpse=True)
    frames = family.decode(pipe, early, take).frames
    assert frames.shape == (take.run.num_frames, take.run.height // 2, take.run.width // 2, 3)


@torch.no_grad()
def test_a_run_that_was_cut_off_goes_on_from_its_last_save(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refined renders too, whose latents come from a take. With no limit on the cost, every step is saved."""
    half = loaded.family.steps(shot(loaded.plan, "render"), on_a_take=True) // 2
    monkeypatch.setattr(recordings, "COST", 1e9)
    monkeypatch.setattr(recordings, "SETTLED_SECONDS", 0.0)
    take = stage_of(loaded, tmp_path / "take")
    render = loaded.plan.model_copy(update={"sigma": 0.7})

    def refined(stop_at: int = 99) -> tuple[int, Latents]:
        steps = 0

        def stop_asked() -> bool:
            return steps >= stop_at

        def emit(event: object) -> None:
            nonlocal steps
            steps += getattr(event, "step", 0) > 0

        watch = denoise.StepReporter(emit, stop_asked)  # type: ignore[arg-type]
        watch.recording = Checkpointer(tmp_path / "state", "render")
        return watch.recording.done, denoise.refine(loaded.model, loaded.family, shot(render, "render"), watch, take)

    _, whole = refined()
    (tmp_path / "state").unlink()
    with pytest.raises(JobCancelled):
        refined(stop_at=half)
    done, after = refined()
    assert done >= half - 1
    for name, part in whole.items():
        assert torch.equal(after[name], part), name


# ---- the file ----


def saved(path: Path, **history: object) -> checkpoint_file.State:
    made = checkpoint_file.State(3, {"latents": torch.randn(2, 3)}, dict(history), {}, torch.arange(4), torch.arange(5))
    checkpoint_file.save(made, "key", path)
    return made


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    outputs = [None, torch.randn(2, 3, dtype=torch.bfloat16), torch.randn(4, 2, 3).permute(2, 0, 1)]
    saved(tmp_path / "state", model_outputs=outputs, lower_order_nums=2, name="x")
    read = checkpoint_file.load(tmp_path / "state", "key")
    assert read and read.step == 3 and read.history["lower_order_nums"] == 2
    assert read.history["model_outputs"][0] is None and torch.equal(read.history["model_outputs"][1], outputs[1])
    turned = read.history["model_outputs"][2]
    assert torch.equal(turned, outputs[2]) and turned.stride() == outputs[2].stride()  # type: ignore[arg-type,union-attr]


@pytest.mark.parametrize("damage", ["missing", "cut short", "of another computation", "a pickle", "without words"])
def test_a_state_that_cannot_be_trusted_is_none(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "state"
    saved(path)
    match damage:
        case "missing":
            path.unlink()
        case "cut short":
            path.write_bytes(path.read_bytes()[:-20])
        case "a pickle":
            torch.save({"latents": torch.randn(2)}, path)
        case "without words":
            save_file({"latents.latents": torch.randn(2)}, path)
    assert checkpoint_file.load(path, "other" if damage == "of another computation" else "key") is None
