"""The machine as it is: NVML for NVIDIA cards, psutil for the rest. No torch."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

import psutil

from engine.types import Device, HardwareProfile

GB = 1e9


def read(disk: Path) -> HardwareProfile:
    """The machine now; `disk` is a folder on the drive that will hold models and clips."""
    devices, notes = _nvidia()
    devices += _apple()
    cores = _cores()
    devices.append(Device(id="cpu", name=f"{platform.processor() or platform.machine()} CPU, {cores} cores"))
    memory = psutil.virtual_memory()
    return HardwareProfile(
        system=f"{platform.system()} {platform.release()}",
        devices=tuple(devices),
        cpu_count=cores,
        ram_gb=memory.total / GB,
        ram_free_gb=memory.available / GB,
        page_file_gb=psutil.swap_memory().total / GB,
        disk_free_gb=shutil.disk_usage(disk).free / GB,
        notes=tuple(notes),
    )


def _cores() -> int:
    """Cores this process may use: a container or a taskset allows fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):  # Linux only
        return len(os.sched_getaffinity(0))
    return psutil.cpu_count(logical=False) or 1


def _nvidia() -> tuple[list[Device], list[str]]:
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError_LibraryNotFound:
        return [], []  # no NVIDIA driver: the ordinary machine without such a card
    except pynvml.NVMLError as error:
        return [], [f"An NVIDIA driver is installed but does not answer ({error}). Reinstall the driver."]
    try:
        return [_nvidia_device(index) for index in range(pynvml.nvmlDeviceGetCount())], []
    except pynvml.NVMLError as error:
        return [], [f"The NVIDIA card could not be read ({error}). Restart the computer or update the driver."]
    finally:
        pynvml.nvmlShutdown()


def _nvidia_device(index: int) -> Device:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    return Device(
        id=f"cuda:{index}",
        name=_text(pynvml.nvmlDeviceGetName(handle)),
        vram_gb=memory.total / GB,
        vram_free_gb=memory.free / GB,
        compute_capability=f"{major}.{minor}",
        driver=_text(pynvml.nvmlSystemGetDriverVersion()),
    )


def _text(value: str | bytes) -> str:
    """Old NVML bindings answer bytes."""
    return value.decode() if isinstance(value, bytes) else value


def _apple() -> list[Device]:
    if platform.system() != "Darwin" or platform.machine() != "arm64":
        return []
    total, free = psutil.virtual_memory().total / GB, psutil.virtual_memory().available / GB
    return [Device(id="mps", name="Apple GPU (shares the computer's memory)", vram_gb=total, vram_free_gb=free)]
