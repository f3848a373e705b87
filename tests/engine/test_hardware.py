"""The machine is read right, or said to be unreadable, and never crashes us. Answers enter where NVML's would."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from engine import Engine, examine
from engine.machine import hardware, nvidia
from engine.queries import Machine
from engine.schema import Device, Held
from tests.engine.recorded_nvml import CARDS, RecordedNvml

ODD = {"two-cards", "busy-browser", "h100-mig", "one-lost", "taciturn", "no-card", "no-driver", "broken-driver"}
SINGLE = sorted({path.stem for path in CARDS.glob("*.json")} - ODD)


def profile(name: str, tmp_path: Path, reported: tuple[Device, ...] = ()) -> hardware.HardwareProfile:
    return hardware.read(tmp_path, reported, RecordedNvml.of(name))


@pytest.mark.parametrize("name", SINGLE)
def test_a_card_is_read_as_its_specification_says(name: str, tmp_path: Path) -> None:
    card = profile(name, tmp_path).best
    assert card.id == "cuda:0" and card.name.startswith("NVIDIA")
    assert 6 <= card.vram_gb <= 86 and card.vram_free_gb < card.vram_gb
    assert float(card.compute_capability) >= 6 and card.driver and float(card.cuda) >= 12
    assert card.pcie_generation in (3, 4, 5) and card.pcie_width in (8, 16)
    assert 1000 < card.cores < 22000 and 1900 <= card.clock_mhz < 3200


def test_there_are_cards_of_every_size_people_own() -> None:
    memories = [RecordedNvml.of(name)._answers["devices"][0]["nvmlDeviceGetMemoryInfo"] for name in SINGLE]
    sizes = {round(memory["total"] / 2**30) for memory in memories}
    assert sizes >= {6, 8, 10, 11, 12, 16, 24, 32, 48, 80} and len(SINGLE) >= 14


def test_two_cards_are_two_devices_and_the_cpu_comes_last(tmp_path: Path) -> None:
    assert [device.id for device in profile("two-cards", tmp_path).devices] == ["cuda:0", "cuda:1", "cpu"]


def test_who_else_uses_the_memory_is_said(tmp_path: Path) -> None:
    found = profile("busy-browser", tmp_path)
    assert [round(tenant.vram_gb, 1) for tenant in found.best.tenants] == [3.2, 1.4]
    assert any("Closing them helps" in note for note in found.notes)


def test_a_mig_part_counts_with_its_own_memory(tmp_path: Path) -> None:
    card = profile("h100-mig", tmp_path).best
    assert "MIG" in card.name and card.vram_gb < 11 and card.cores < 16896 / 7


def test_a_lost_card_is_left_out_and_the_other_one_works(tmp_path: Path) -> None:
    found = profile("one-lost", tmp_path)
    assert [device.id for device in found.devices] == ["cuda:0", "cpu"]
    assert any("does not answer" in problem for problem in found.problems)


def test_a_card_that_answers_little_is_taken_as_far_as_it_goes(tmp_path: Path) -> None:
    card = profile("taciturn", tmp_path).best
    assert (card.name, card.compute_capability, card.cuda, card.pcie_width) == ("GRID T4-8Q", "", "", 0)


@pytest.mark.parametrize(("name", "said"), [("no-card", "sees no card"), ("broken-driver", "does not answer")])
def test_a_driver_without_a_card_is_a_word_and_the_cpu(name: str, said: str, tmp_path: Path) -> None:
    found = profile(name, tmp_path)
    assert found.best.id == "cpu" and any(said in problem for problem in found.problems)


def test_no_driver_is_no_news(tmp_path: Path) -> None:
    found = profile("no-driver", tmp_path)
    assert found.best.id == "cpu" and not found.problems


def test_without_nvml_the_card_that_torch_reported_counts(tmp_path: Path) -> None:
    amd = Device(id="cuda:0", name="AMD Radeon RX 7900 XTX", vram_gb=25.8, vram_free_gb=24.0)
    assert profile("no-driver", tmp_path, (amd,)).best == amd
    assert profile("rtx-4090", tmp_path, (amd,)).best.name == "NVIDIA GeForce RTX 4090"


CASES = [  # /proc/self/cgroup, files, expected
    ("0::/", {"memory.max": "8000000000", "memory.current": "1000"}, (8_000_000_000, 1000)),
    ("0::/", {"memory.max": "max", "memory.current": "1000"}, (hardware.UNLIMITED, 0)),
    (
        "0::/user/app",
        {
            "user/memory.max": "5000",
            "user/memory.current": "900",
            "user/memory.stat": "anon 100\nactive_file 300\ninactive_file 200",
            "user/app/memory.max": "max",
            "user/app/memory.current": "800",
        },
        (5000, 400),
    ),
    (
        "9:pids:/x\n4:memory:/box",
        {"memory/box/memory.limit_in_bytes": "4000", "memory/box/memory.usage_in_bytes": "10"},
        (4000, 10),
    ),
    ("", {}, (hardware.UNLIMITED, 0)),
    ("0::/", {"memory.max": "nonsense", "memory.current": ""}, (hardware.UNLIMITED, 0)),
]


@pytest.mark.parametrize(("memberships", "files", "expected"), CASES)
def test_the_memory_limit_of_a_container_is_read(
    memberships: str, files: dict[str, str], expected: tuple[int, int], tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert hardware._container(tmp_path, memberships) == expected


@pytest.mark.parametrize(
    ("chosen", "seen"),
    [(None, [0, 1]), ("", []), ("-1", []), ("1", [1]), ("1, 0", [1, 0]), ("7", []), ("0,7,1", [0]), ("GPU-34", [1]),
     ("GPU-", []), ("GPU-99", []), ("nonsense", []), ("MIG-12", [0, 1])],
)  # fmt: skip
def test_the_cards_that_a_person_hides_from_torch_are_hidden(chosen: str | None, seen: list[int]) -> None:
    assert nvidia.visible(chosen, ["GPU-12ab", "GPU-34cd"]) == seen


def test_cards_that_are_all_hidden_are_a_word_and_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    found = profile("two-cards", tmp_path)
    assert found.best.id == "cpu" and "CUDA_VISIBLE_DEVICES" in found.problems[0]


def test_the_disk_for_models_is_read_where_it_is_another_one_and_an_unplugged_one_has_no_room(tmp_path: Path) -> None:
    assert profile("rtx-4090", tmp_path).models_disk_free_gb is None
    nvml = RecordedNvml.of("rtx-4090")
    assert hardware.read(tmp_path, (), nvml, models=tmp_path).room_for_models_gb > 0
    assert hardware.read(tmp_path, (), nvml, models=tmp_path / "unplugged").room_for_models_gb == 0


def test_wsl_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "release", lambda: "5.15.167.4-microsoft-standard-WSL2")
    found = profile("rtx-4090", tmp_path)
    assert found.best.id == "cuda:0" and any("WSL" in note for note in found.notes) and not found.problems


def test_the_page_file_or_swap_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "swap_memory", lambda: SimpleNamespace(total=32e9))
    assert profile("rtx-4090", tmp_path).page_file_gb == 32


def test_an_apple_gpu_has_what_the_computer_has_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=32e9, available=9e9))
    guessed = profile("no-driver", tmp_path).best
    assert (guessed.id, guessed.vram_gb, guessed.vram_free_gb) == ("mps", 24, 9)
    said_by_torch = Device(id="mps", name="Apple GPU", vram_gb=21.3, vram_free_gb=21.3)
    assert profile("no-driver", tmp_path, (said_by_torch,)).best.vram_free_gb == 9


def two(**changes: Any) -> dict[str, Any]:
    """The 3090 and the 3060 of two-cards.json, the first one changed."""
    answers = json.loads((CARDS / "two-cards.json").read_text())
    answers["devices"][0] |= changes
    return answers


def named(found: hardware.HardwareProfile) -> list[str]:
    return [device.name.removeprefix("NVIDIA GeForce ") for device in found.devices if device.kind == "cuda"]


def test_a_full_card_is_not_the_one_to_use(tmp_path: Path) -> None:
    full = two(nvmlDeviceGetMemoryInfo={"total": 25769803776, "free": 2_000_000_000, "used": 23_000_000_000})
    assert named(hardware.read(tmp_path, (), RecordedNvml(full))) == ["RTX 3060", "RTX 3090"]


@pytest.mark.parametrize(("build", "seen"), [("cu130", ["RTX 3060"]), ("cu126", ["RTX 3060", "Tesla P40"])])
def test_a_card_that_the_torch_build_does_not_know_is_left_out_and_an_old_one_comes_last(
    build: str, seen: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvidia, "installed_build", lambda: build)
    old = two(nvmlDeviceGetName="Tesla P40", nvmlDeviceGetCudaComputeCapability=[6, 1])
    found = hardware.read(tmp_path, (), RecordedNvml(old))
    assert named(found) == seen and found.best.id == "cuda:1"
    assert any("cannot use Tesla P40" in problem for problem in found.problems) == (build == "cu130")


def test_a_chip_that_shares_the_computers_memory_is_a_card(tmp_path: Path) -> None:
    answers = two(nvmlDeviceGetName="NVIDIA GB10", nvmlDeviceGetCudaComputeCapability=[12, 1],
                  nvmlDeviceGetMemoryInfo={"error": "NVMLError_NotSupported"})  # fmt: skip
    answers["devices"].pop()
    card = hardware.read(tmp_path, (), RecordedNvml(answers)).best
    ram = psutil.virtual_memory()
    assert card.name == "NVIDIA GB10" and card.shares_ram and card.vram_gb == ram.total / 1e9


class Garbled(RecordedNvml):
    """Names come back in bytes that are no text, as pynvml's own wrapper then raises."""

    def nvmlDeviceGetName(self, handle: Any) -> str:
        return b"\xff\xfe".decode()


def test_a_name_that_is_no_text_is_one_answer_less(tmp_path: Path) -> None:
    found = hardware.read(tmp_path, (), Garbled(two()))
    assert [device.name for device in found.devices[:2]] == ["NVIDIA card 0", "NVIDIA card 1"]
    assert found.best.vram_gb > 25


def test_what_our_own_worker_holds_is_free_and_no_other_program(tmp_path: Path) -> None:
    held = two(nvmlDeviceGetMemoryInfo={"total": 25769803776, "free": 5_000_000_000, "used": 20_000_000_000},
               nvmlDeviceGetComputeRunningProcesses=[{"pid": 4711, "usedGpuMemory": 20_000_000_000}])  # fmt: skip
    worker = Held(pid=4711, device="cuda:0", vram_gb=19.0, ram_gb=2.0)
    alone = hardware.read(tmp_path, (), RecordedNvml(held))
    found = hardware.read(tmp_path, (), RecordedNvml(held), workers=(worker,))
    assert alone.notes and named(alone)[0] == "RTX 3060"
    assert named(found)[0] == "RTX 3090" and round(found.best.vram_free_gb) == 24 and not found.best.tenants
    assert found.ram_free_gb > alone.ram_free_gb + 1


def test_the_card_with_the_most_memory_free_is_the_one_to_use(tmp_path: Path) -> None:
    answers = json.loads((CARDS / "two-cards.json").read_text())
    answers["devices"].reverse()
    found = hardware.read(tmp_path, (), RecordedNvml(answers))
    assert [(device.id, round(device.vram_gb)) for device in found.devices[:2]] == [("cuda:1", 26), ("cuda:0", 13)]


@pytest.mark.parametrize(("name", "well"), [("busy-browser", True), ("broken-driver", False), ("no-card", False)])
def test_the_doctor_tells_what_is_wrong_from_what_is_only_so(
    name: str, well: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = profile(name, tmp_path)
    monkeypatch.setattr(Machine, "hardware", lambda _: found)
    with Engine(tmp_path) as studio:
        told = [finding for finding in examine(studio, with_take=False) if finding.name == "device"]
    assert len(told) > len(found.devices) and all(finding.ok for finding in told) == well
