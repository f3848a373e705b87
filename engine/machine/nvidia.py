"""NVIDIA cards through NVML. Every call may be refused by a card, a driver or a virtual machine; none may crash us."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any, TypeVar

import psutil

from bootstrap import knows, preference
from engine.schema import Device, Tenant
from engine.schema.message import NOTHING, Message

GB = 1e9
NAMED_TENANT_GB = 0.2  # below this a program is not worth naming
Answer = TypeVar("Answer")


def read(
    nvml: ModuleType | Any, own: Collection[int] = (), build: str | None = None
) -> tuple[list[Device], list[Message]]:
    """The cards in torch's order, and what is wrong with them.

    `nvml`: the pynvml module, or a recording of one; `own`: processes of ours, which are no other programs; `build`:
    the torch build that is to run there, the installed one where it is left out.

    A machine without an NVIDIA driver answers nothing at all; that is the ordinary case and no news.
    """
    try:
        nvml.nvmlInit()
    except nvml.NVMLError_LibraryNotFound:
        return [], []
    except nvml.NVMLError as error:
        return [], [
            Message("An NVIDIA driver is installed but does not answer ({error}). Reinstall the driver.", error=error)
        ]
    try:
        count = nvml.nvmlDeviceGetCount()
        if not count:
            return [], [Message("An NVIDIA driver is installed, but it sees no card.")]
        if not shown(nvml):
            return [], [
                Message("CUDA_VISIBLE_DEVICES hides every NVIDIA card ({count}). Unset it to use one.", count=count)
            ]
        return _devices(nvml, own, installed_build() if build is None else build)
    except nvml.NVMLError as error:
        return [], [
            Message(
                "The NVIDIA card could not be read ({error}). Restart the computer or update the driver.", error=error
            )
        ]
    finally:
        nvml.nvmlShutdown()


def _devices(nvml: Any, own: Collection[int], build: str) -> tuple[list[Device], list[Message]]:
    devices: list[Device] = []
    problems: list[Message] = []
    for index in shown(nvml):
        try:
            devices.append(_device(nvml, index, len(devices), own))
        except nvml.NVMLError as error:
            problems.append(
                Message("NVIDIA card {index} does not answer ({error}); it is left out.", index=index, error=error)
            )
    problems += [
        Message(
            "The installed torch ({build}) cannot use {device}, so it is left out.", build=build, device=device.name
        )
        for device in devices
        if not knows(build, _capability(device))
    ]
    return [device for device in devices if knows(build, _capability(device))], problems


def suitability(device: Device) -> tuple[Any, ...]:
    """The higher, the rather a card is to be used."""
    return preference(_capability(device), device.vram_free_gb)


def installed_build() -> str:
    """The torch build by the name that bootstrap.py has for it; empty where nothing says."""
    try:
        return version("torch").partition("+")[2]
    except PackageNotFoundError:
        return ""


def _capability(device: Device) -> tuple[int, ...] | None:
    return tuple(int(part) for part in device.compute_capability.split(".")) if device.compute_capability else None


def crowding(device: Device) -> Message:
    """Which other programs fill the memory of a card, in a sentence; empty where none does."""
    heavy = [
        Message("{program} ({vram_gb:.1f} GB)", program=tenant.name, vram_gb=tenant.vram_gb)
        for tenant in device.tenants
        if tenant.vram_gb >= 1
    ]
    return (
        Message(
            "Other programs use the memory of {device}: {heavy}. Closing them helps.", device=device.name, heavy=heavy
        )
        if heavy
        else NOTHING
    )


def shown(nvml: Any) -> list[int]:
    """NVML's numbers of the cards that torch may see, in torch's order."""
    names = [_uuid(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]
    return visible(os.environ.get("CUDA_VISIBLE_DEVICES"), names)


def _uuid(nvml: Any, index: int) -> str:
    try:
        return _text(nvml.nvmlDeviceGetUUID(nvml.nvmlDeviceGetHandleByIndex(index)))
    except (nvml.NVMLError, UnicodeDecodeError):
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


def _device(nvml: Any, index: int, number: int, own: Collection[int]) -> Device:
    """`number`: how torch counts it, which leaves out the cards that do not answer."""
    card = nvml.nvmlDeviceGetHandleByIndex(index)
    part = _mig_part(nvml, card) or card

    def ask(question: Callable[[Any], Answer], otherwise: Answer) -> Answer:
        """What not every card and driver can say: a question that fails, in whatever way, is one answer less."""
        try:
            return question(card)
        except Exception:  # pynvml also raises UnicodeDecodeError, and what a newer driver confuses it with
            return otherwise

    total, free, shared = _memory(nvml, part)
    whole = ask(lambda it: nvml.nvmlDeviceGetMemoryInfo(it).total, total)
    share = total / whole if whole else 1.0  # of a card cut up by MIG
    major, minor = ask(nvml.nvmlDeviceGetCudaComputeCapability, (0, 0))
    name = ask(lambda it: _text(nvml.nvmlDeviceGetName(it)), "") or f"NVIDIA card {index}"
    return Device(
        id=f"cuda:{number}",
        kind="cuda",
        name=name if part is card else f"{name} (a MIG part)",
        vram_gb=total / GB,
        vram_free_gb=free / GB,
        shares_ram=shared,
        compute_capability=f"{major}.{minor}" if major else "",
        driver=_text(ask(lambda _: nvml.nvmlSystemGetDriverVersion(), "")),
        cuda=_cuda(ask(lambda _: nvml.nvmlSystemGetCudaDriverVersion(), 0)),
        cores=round(ask(nvml.nvmlDeviceGetNumGpuCores, 0) * share),
        clock_mhz=ask(lambda it: nvml.nvmlDeviceGetMaxClockInfo(it, nvml.NVML_CLOCK_SM), 0),
        pcie_generation=ask(nvml.nvmlDeviceGetMaxPcieLinkGeneration, 0),
        pcie_width=ask(nvml.nvmlDeviceGetMaxPcieLinkWidth, 0),
        tenants=tuple(_tenants(ask, nvml, own)),
    )


def _memory(nvml: Any, part: Any) -> tuple[int, int, bool]:
    """(total, free) bytes, and whether they are the computer's own memory: such a chip (GB10) has none to tell of."""
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(part)
        return memory.total, memory.free, False
    except nvml.NVMLError_NotSupported:
        ram = psutil.virtual_memory()
        return ram.total, ram.available, True


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


def _tenants(ask: Callable[[Any, Any], Any], nvml: Any, own: Collection[int]) -> list[Tenant]:
    """Programs that hold memory of the card. Windows does not tell how much; those are left out."""
    drawing = ask(nvml.nvmlDeviceGetGraphicsRunningProcesses, [])
    computing = ask(nvml.nvmlDeviceGetComputeRunningProcesses, [])
    others = [process for process in (*drawing, *computing) if process.pid not in own]
    used_gb = {process.pid: (process.usedGpuMemory or 0) / GB for process in others}
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
    return value.decode(errors="replace") if isinstance(value, bytes) else value
