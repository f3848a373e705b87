"""Clips are called by their prompt in any script, safely on every disk; numbers beyond all measure are refused."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine import Engine, MachineProblem, Request
from engine.jobs.kinds import job_name
from engine.paths import MOST_LETTERS
from engine.schema import HardwareProfile
from engine.schema.errors import BadInput, RushesError, UnknownName
from engine.storage.slug import slug
from tests.conftest import PROMPT

PROMPTS = {
    "A red ball, rolling to the left on blue": "a-red-ball-rolling-to",
    "一只猫在街上跑": "yi-zhi-mao-zai-jie-shang-pao",
    "красный шар катится": "krasnyy-shar-katitsya",
    "قطة حمراء": "qth-hmr",
    "Ein Bär läuft über die Straße": "ein-bar-lauft-uber-die-strasse",
    "🐱🚀": "cat-rocket",
    "": "",
    "...": "",
}


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_clip_is_called_by_its_prompt_in_any_script(prompt: str) -> None:
    assert slug(prompt) == PROMPTS[prompt]
    assert re.fullmatch(r"\d{8}-\d{6}-[a-z0-9-]{1,32}-[0-9a-f]{6}", job_name(prompt))


def test_clips_of_two_prompts_can_be_told_apart() -> None:
    assert len({slug(prompt) for prompt in ("猫在跑", "狗在跑", "قطة", "كلب", "🐱", "🐶")}) == 6


NUMBERS = (1e308, -1e308, 1e-308, -1, 2**63, 10**30, 10**400)
FIELDS = ("seconds", "num_frames", "dial", "sigma", "seed", "strength", "vram_gb")
STAGE_FIELDS = ("width", "height", "num_inference_steps", "guidance_scale", "flow_shift")


@pytest.mark.parametrize("model", ["starter", "wan2.2-t2v-a14b", "ltx-2"])
def test_numbers_beyond_all_measure_are_refused_in_a_sentence(
    model: str, machine: HardwareProfile, tmp_path: Path
) -> None:
    with Engine(tmp_path / "home") as engine:
        for value, field in itertools.product(NUMBERS, (*FIELDS, *STAGE_FIELDS)):
            asked = {"render": {field: value}} if field in STAGE_FIELDS else {field: value}
            try:
                engine.plan(Request.model_validate({"prompt": PROMPT, "model": model, **asked}), machine)
            except (BadInput, ValidationError) as error:
                assert len(str(error)) < 900


def test_half_characters_are_an_unknown_name_and_can_be_said(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        for ask in (engine.store.job, engine.library.take, engine.library.clip, engine.loras.find):
            with pytest.raises(UnknownName) as refusal:
                ask("x\ud800y")
            assert str(refusal.value).encode() and refusal.value.cause.encode()
        with pytest.raises(RushesError) as refused:
            engine.plan(Request.model_construct(**{**Request(prompt="a").__dict__, "model": "x\ud800"}))
        assert str(refused.value).encode()


def test_a_data_folder_of_too_long_a_path_is_refused_in_a_sentence(tmp_path: Path) -> None:
    far = tmp_path.joinpath(*["a" * 100] * 6)
    assert len(str(far)) > MOST_LETTERS
    with pytest.raises(MachineProblem, match="The path of the data folder is too long"):
        Engine(far)
    assert not (tmp_path / ("a" * 100)).exists()
