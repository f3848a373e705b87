"""NVIDIA cards through NVML. Every call may be refused by a card, a driver or a virtual machine; none may crash us."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

import psutil

from engine.types import Device, Tenant

GB = 1e9
NAMED_TENANT_GB = 0.2  # below this a program is not worth naming
Answer = TypeVar("Answer")


def read(nvml: ModuleType | Any) -> tuple[list[Device], list[str]]:
    """The cards, the one with the most memory first, and what is wrong with them.

    `nvml`: the pynvml module, or a recording of one.

    A machine without an NVIDIA driver answers nothing at all; that is the ordinary case and no news.
    """
    try:
        nvml.nvmlInit()
    except nvml.NVMLError_LibraryNotFound:
        return [], []
    except nvml.NVMLError as error:
        return [], [f"An NVIDIA driver is installed but does not answer ({error}). Reinstall the driver."]
    try:
        count = nvml.nvmlDeviceGetCount()
        if not count:
            return [], ["An NVIDIA driver is installed, but it sees no card."]
        if not shown(nvml):
            return [], [f"CUDA_VISIBLE_DEVICES hides every NVIDIA card ({count}). Unset it to use one."]
        return _devices(nvml)
    except nvml.NVMLError as error:
        return [], [f"The NVIDIA card could not be read ({error}). Restart the computer or update the driver."]
    finally:
        nvml.nvmlShutdown()


def _devices(nvml: Any) -> tuple[list[Device], list[str]]:
    devices: list[Device] = []
    problems: list[str] = []
    for index in shown(nvml):
        try:
            devices.append(_device(nvml, index, len(devices)))
        except nvml.NVMLError as error:
            problems.append(f"NVIDIA card {index} does not answer ({error}); it is left out.")
    devices.sort(key=lambda device: -device.vram_gb)
    return devices, problems


def crowding(device: Device) -> str:
    """Which other programs fill the memory of a card, in a sentence; empty where none does."""
    heavy = [f"{tenant.name} ({tenant.vram_gb:.1f} GB)" for tenant in device.tenants if tenant.vram_gb >= 1]
    return f"Other programs use the memory of {device.name}: {', '.join(heavy)}. Closing them helps." if heavy else ""


def shown(nvml: Any) -> list[int]:
    """NVML's numbers of the cards that torch may see, in torch's order."""
    names = [_uuid(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]
    return visible(os.environ.get("CUDA_VISIBLE_DEVICES"), names)


def _uuid(nvml: Any, index: int) -> str:
    try:
        return _text(nvml.nvmlDeviceGetUUID(nvml.nvmlDeviceGetHandleByIndex(index)))
    except nvml.NVMLError:
        return ""


def visible(chosen: str | None, names: list[str]) -> list[int]:
    """What CUDA_VISIBLE_DEVICES leaves of these cards, as CUDA reads it: numbers or the beginnings of names, up to the
    first that is none of them. The part of a card that a MIG- name means is found by asking the card."""
    if chosen is None or "MIG-" in chosen:
        return list(range(len(names)))
    found: list[int] = []
    for word in (word.strip() for word in chosen.split(",")):
        of_name = word.startswith("GPU-")
        meant = [i for i, name in enumerate(names) if (name.startswith(word) if of_name else word == str(i))]
        if len(meant) != 1:
            break
        found += meant
    return found


def _device(nvml: Any, index: int, number: int) -> Device:
    """`number`: how torch counts it, which leaves out the cards that do not answer."""
    card = nvml.nvmlDeviceGetHandleByIndex(index)
    part = _mig_part(nvml, card) or card
    memory = nvml.nvmlDeviceGetMemoryInfo(part)
    share = 1.0 if part is card else memory.total / nvml.nvmlDeviceGetMemoryInfo(card).total  # of a card cut up by MIG

    def ask(question: Callable[[Any], Answer], otherwise: Answer) -> Answer:
        """What not every card and driver can say."""
        try:
            return question(card)
        except nvml.NVMLError:
            return otherwise

    major, minor = ask(nvml.nvmlDeviceGetCudaComputeCapability, (0, 0))
    name = _text(nvml.nvmlDeviceGetName(card))
    return Device(
        id=f"cuda:{number}",
        name=name if part is card else f"{name} (a MIG part)",
        vram_gb=memory.total / GB,
        vram_free_gb=memory.free / GB,
        compute_capability=f"{major}.{minor}" if major else "",
        driver=_text(ask(lambda _: nvml.nvmlSystemGetDriverVersion(), "")),
        cuda=_cuda(ask(lambda _: nvml.nvmlSystemGetCudaDriverVersion(), 0)),
        cores=round(ask(nvml.nvmlDeviceGetNumGpuCores, 0) * share),
        clock_mhz=ask(lambda it: nvml.nvmlDeviceGetMaxClockInfo(it, nvml.NVML_CLOCK_SM), 0),
        pcie_generation=ask(nvml.nvmlDeviceGetMaxPcieLinkGeneration, 0),
        pcie_width=ask(nvml.nvmlDeviceGetMaxPcieLinkWidth, 0),
        tenants=tuple(_tenants(ask, nvml)),
    )


def _mig_part(nvml: Any, card: Any) -> Any:
    """The first part of a card that is cut up by MIG: torch sees that and not the card. None when it is whole."""
    try:
        current, _ = nvml.nvmlDeviceGetMigMode(card)
        if not current:
            return None
        for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(card)):
            try:
                return nvml.nvmlDeviceGetMigDeviceHandleByIndex(card, index)
            except nvml.NVMLError:
                continue
    except nvml.NVMLError:
        pass  # most cards do not know the question
    return None


def _tenants(ask: Callable[[Any, Any], Any], nvml: Any) -> list[Tenant]:
    """Programs that hold memory of the card. Windows does not tell how much; those are left out."""
    drawing = ask(nvml.nvmlDeviceGetGraphicsRunningProcesses, [])
    computing = ask(nvml.nvmlDeviceGetComputeRunningProcesses, [])
    used_gb = {process.pid: (process.usedGpuMemory or 0) / GB for process in (*drawing, *computing)}
    found = [Tenant(name=_program(pid), vram_gb=size) for pid, size in used_gb.items() if size >= NAMED_TENANT_GB]
    return sorted(found, key=lambda tenant: -tenant.vram_gb)


def _program(pid: int) -> str:
    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:
        return "another program"


def _cuda(version: int) -> str:
    """13000 is 13.0."""
    return f"{version // 1000}.{version % 1000 // 10}" if version else ""


def _text(value: str | bytes) -> str:
    """Old NVML bindings answer bytes."""
    return value.decode() if isinstance(value, bytes) else value
