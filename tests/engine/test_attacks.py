"""Hostile models and presets: each gets a refusal, and its code never runs. Later issues add their own inputs here."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import Engine
from engine.jobs.local_worker import worker_environment
from engine.schema import Placement
from engine.schema.errors import BadFile, ModelProblem
from engine.worker.loading import pipeline_loader

HERE = Placement(device="cpu", dtype="float32")
MARK = "RUSHES_ATTACK_RAN"


class Bomb:
    """A pickle that would leave a file behind when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.mark}",)


@pytest.fixture
def model(tiny_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_home / "models" / "tiny-wan", tmp_path / "model"))


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def pickled_weights(model: Path, mark: Path) -> None:
    folder = model / "transformer"
    (folder / "diffusion_pytorch_model.safetensors").unlink()
    (folder / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps(Bomb(mark)))


def pickle_named_safetensors(model: Path, mark: Path) -> None:
    (model / "transformer" / "diffusion_pytorch_model.safetensors").write_bytes(pickle.dumps(Bomb(mark)))


def pickle_in_capitals(model: Path, mark: Path) -> None:
    """InvokeAI's .SafeTensors trick: another spelling of the ending."""
    folder = model / "transformer"
    (folder / "diffusion_pytorch_model.safetensors").unlink()
    (folder / "diffusion_pytorch_model.SafeTensors").write_bytes(pickle.dumps(Bomb(mark)))


def custom_pipeline(model: Path, mark: Path) -> None:
    (model / "pipeline.py").write_text(f"import os; os.system('touch {mark}')\n")
    edit(model / "model_index.json", _class_name=["pipeline", "Custom"])


def custom_component(model: Path, mark: Path) -> None:
    (model / "transformer" / "mine.py").write_text(f"import os; os.system('touch {mark}')\n")
    edit(model / "model_index.json", transformer=["mine", "Mine"])


def remote_code_in_a_text_encoder(model: Path, mark: Path) -> None:
    """`auto_map` asks transformers to import a file of the model."""
    (model / "text_encoder" / "mine.py").write_text(f"import os; os.system('touch {mark}')\n")
    edit(model / "text_encoder" / "config.json", auto_map={"AutoModel": "mine.Mine"})


def component_of_another_library(model: Path, mark: Path) -> None:
    edit(model / "model_index.json", transformer=["os", "system"])


def lying_header_length(model: Path, mark: Path) -> None:
    path = model / "transformer" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(struct.pack("<Q", 2**62) + path.read_bytes()[8:])


def lying_offsets(model: Path, mark: Path) -> None:
    header = json.dumps({"x": {"dtype": "F32", "shape": [10**9], "data_offsets": [0, 4 * 10**9]}}).encode()
    path = model / "transformer" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def header_bomb(model: Path, mark: Path) -> None:
    header = b"[" * 200_000
    path = model / "transformer" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def index_bomb(model: Path, mark: Path) -> None:
    (model / "model_index.json").write_text("[" * 200_000)


def empty_index(model: Path, mark: Path) -> None:
    (model / "model_index.json").write_text("{}")


@pytest.mark.parametrize(
    "attack",
    [
        pickled_weights,
        pickle_named_safetensors,
        pickle_in_capitals,
        custom_pipeline,
        custom_component,
        remote_code_in_a_text_encoder,
        component_of_another_library,
        lying_header_length,
        lying_offsets,
        header_bomb,
        index_bomb,
        empty_index,
    ],
)
def test_a_hostile_model_is_refused_and_its_code_never_runs(
    attack: Callable[[Path, Path], None], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # Pinokio sets it
    mark = tmp_path / MARK
    attack(model, mark)
    with pytest.raises(ModelProblem) as refusal:
        pipeline_loader.load(model, HERE, "WanPipeline")
    assert refusal.value.cause and refusal.value.remedy
    assert not mark.exists()


def test_the_worker_trusts_no_pickle_and_no_remote_kernel_whatever_the_shell_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "DIFFUSERS_TRUST_REMOTE_KERNELS"):
        monkeypatch.setenv(name, "1")
    environment = worker_environment()
    assert not {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "DIFFUSERS_TRUST_REMOTE_KERNELS"} & environment.keys()
    assert environment["HF_HUB_OFFLINE"] == "1" and environment["HF_HUB_DISABLE_TELEMETRY"] == "1"


def test_a_remote_kernel_is_refused(model: Path) -> None:
    """An attention backend that would fetch native code: not offered by the engine, refused by diffusers offline."""
    pipe = pipeline_loader.load(model, HERE, "WanPipeline").pipe
    with pytest.raises((RuntimeError, ImportError, ValueError)):
        pipe.transformer.set_attention_backend("sage_hub")


LOOK = """id = "mine"
kind = "look"
format = 1
name = "Mine"
summary = "A look."
words = "Soft light."
"""
SAVED = """id = "mine"
kind = "request"
name = "Mine"
[request]
prompt = "a red ball"
"""
TIER = """id = "mine"
kind = "tier"
format = 1
name = "Mine"
[machine]
device = "cuda"
[outcomes]
draft = { megapixels = 0.2, seconds = 3, steps = 0.5 }
"""


@pytest.mark.parametrize(
    ("text", "old", "new", "named"),
    [
        (LOOK, 'kind = "look"', 'kind = "virus"', "kind"),
        (LOOK, 'kind = "look"', "", "kind"),
        (LOOK, "format = 1", "format = 2", "'format': a newer Rushes"),
        (LOOK, "format = 1", 'format = "1"', "'format'"),
        (LOOK, 'id = "mine"', 'id = "../../../etc/passwd"', "'id'"),
        (LOOK, 'id = "mine"', 'id = "C:\\\\mine"', "'id'"),
        (LOOK, 'id = "mine"', 'id = "con"', "'id'"),
        (LOOK, 'id = "mine"', 'id = ""', "'id'"),
        (LOOK, 'name = "Mine"', 'name = "<img src=x onerror=alert(1)>"', "'name'"),
        (LOOK, 'name = "Mine"', 'name = "Mine\\u0000"', "'name'"),
        (LOOK, 'name = "Mine"', 'name = "\\u202Egnp.exe"', "'name'"),
        (LOOK, 'summary = "A look."', 'summary = "</script><script>"', "'summary'"),
        (LOOK, 'words = "Soft light."', 'words = "Soft\\u001b[31m light."', "'words'"),
        (LOOK, 'words = "Soft light."', f'words = "{"a" * 601}"', "'words'"),
        (LOOK, 'words = "Soft light."', "words = 7", "'words'"),
        (LOOK, 'words = "Soft light."', "", "'words'"),
        (LOOK, "format = 1", "surprise = 1", "'surprise'"),
        (LOOK, 'summary = "A look."', 'allows = ["<b>"]', "'allows.0'"),
        (LOOK, "format = 1", "families = { wan = 1 }", "'families.wan'"),
        (LOOK, "format = 1", "x = " + "[" * 10_000 + "]" * 10_000, "cannot be read"),
        (LOOK, "format = 1", "a" + ".a" * 15_000 + " = 1", "'a'"),
        (LOOK, "format = 1", "#" * 40_000, "too large"),
        (LOOK, LOOK, "", "kind"),
        (LOOK, LOOK, "\x00", "cannot be read"),
        (SAVED, 'prompt = "a red ball"', "", "'request.prompt'"),
        (SAVED, 'prompt = "a red ball"', 'prompt = "<script>"', "HTML"),
        (SAVED, 'prompt = "a red ball"', 'prompt = "a\\u0007ball"', "control characters"),
        (SAVED, "[request]", '[request]\npictures = { image = "../../secret" }', "request.pictures"),
        (SAVED, "[request]", '[request]\ndevice = "cuda:9"', "request.device"),
        (SAVED, "[request]", '[request]\nwording = { prompt = "something else" }', "request.wording"),
        (SAVED, "[request]", '[request]\nlook = "../../etc"', "'request.look'"),
        (SAVED, "[request]", "[request]\ndial = nan", "'request.dial'"),
        (SAVED, "[request]", "[request]\nsurprise = 1", "'request.surprise'"),
        (TIER, "format = 1", "format = 2", "'format': a newer Rushes"),
        (TIER, 'name = "Mine"', 'name = "<script>"', "'name'"),
        (TIER, 'device = "cuda"', 'device = "quantum"', "'machine.device'"),
        (TIER, 'device = "cuda"', "", "'machine.device'"),
        (TIER, 'device = "cuda"', 'device = "cuda"\nvram_gb = -1', "'machine.vram_gb'"),
        (TIER, 'device = "cuda"', 'device = "cuda"\nvram_gb = inf', "'machine.vram_gb'"),
        (TIER, 'device = "cuda"', 'device = "cuda"\ncards = 0', "'machine.cards'"),
        (TIER, "[outcomes]", "[outcomes]\nultra = {}", "'outcomes.ultra"),
        (TIER, "megapixels = 0.2", "megapixels = 0", "'outcomes.draft.megapixels'"),
        (TIER, "megapixels = 0.2", "megapixels = 1e9", "'outcomes.draft.megapixels'"),
        (TIER, "megapixels = 0.2", "megapixels = nan", "'outcomes.draft.megapixels'"),
        (TIER, "seconds = 3", "seconds = 86400", "'outcomes.draft.seconds'"),
        (TIER, "steps = 0.5", "steps = 4", "'outcomes.draft.steps'"),
        (TIER, "steps = 0.5", "surprise = 4", "'outcomes.draft.surprise'"),
        (TIER, "[machine]", '[models."../x"]\ndraft = 7\n[machine]', "'models.../x.draft'"),
        (TIER, "[outcomes]", "[results]", "'outcomes'"),
    ],
)
def test_a_hostile_preset_is_refused_by_the_field_and_nothing_is_kept(
    text: str, old: str, new: str, named: str, tmp_path: Path
) -> None:
    assert old in text
    file = tmp_path / "friend.toml"
    file.write_text(text.replace(old, new))
    with Engine(tmp_path / "home") as studio:
        with pytest.raises(BadFile, match=named) as refusal:
            studio.presets.receive(file)
        assert len(refusal.value.cause) < 300 and refusal.value.remedy
        assert not studio.places.presets[1].exists()


@pytest.mark.parametrize("path", ["/dev/zero", "/", "nowhere.toml"])
def test_what_is_no_file_is_no_preset(path: str, tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as studio, pytest.raises(BadFile, match="no file"):
        studio.presets.receive(Path(path))
