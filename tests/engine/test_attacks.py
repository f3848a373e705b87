"""Hostile models: each gets a refusal, and its code never runs. Later issues add their own inputs here."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import ModelProblem
from engine.types import Placement
from engine.worker import weights
from engine.worker_process import worker_environment

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
        weights.load(model, HERE, "WanPipeline")
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
    pipe = weights.load(model, HERE, "WanPipeline").pipe
    with pytest.raises((RuntimeError, ImportError, ValueError)):
        pipe.transformer.set_attention_backend("sage_hub")
