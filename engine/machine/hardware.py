"""The machine as it is: NVML for NVIDIA cards, psutil and the control group for memory. No torch.

AMD and Apple GPUs have no NVML; what torch sees of them is what the worker reported when it last started (`reported`).
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Collection, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pynvml

from engine.machine import nvidia
from engine.schema import Device, HardwareProfile, Held
from engine.schema.machine import PACKAGES
from engine.schema.message import Message

GB = 1e9
CGROUP = Path("/sys/fs/cgroup")
UNLIMITED = 2**60  # version 1 writes a huge number where version 2 writes "max"


def read(
    disk: Path,
    reported: Sequence[Device] = (),
    nvml: ModuleType | Any = pynvml,
    models: Path | None = None,
    workers: Collection[Held] = (),
) -> HardwareProfile:
    """The machine now. `disk`: a folder on the drive that holds takes and clips; `models`: where new models go, when
    that is elsewhere; `nvml`: pynvml, or a recording; `workers`: what our own hold, which is free for what comes."""
    devices, problems = nvidia.read(nvml, {worker.pid for worker in workers})
    notes = [note for note in map(nvidia.crowding, devices) if note]
    memory, (limit, used) = psutil.virtual_memory(), _container(CGROUP, _memberships())
    if not devices:
        devices = [_now(device, memory.available / GB) for device in reported if device.kind != "cpu"]
    if not devices and platform.system() == "Darwin" and platform.machine() == "arm64":
        devices = [_apple()]
    cores = _cores()
    devices = sorted((_with_own(device, workers) for device in devices), key=nvidia.suitability, reverse=True)
    devices.append(Device(id="cpu", kind="cpu", name=f"{_processor()}, {cores} cores"))
    held_gb = sum(worker.ram_gb for worker in workers)
    if limit < memory.total:
        notes.append(Message("This runs in a container that may use {limit:.1f} GB of memory.", limit=limit / GB))
    if "microsoft" in platform.release().casefold():
        notes.append(Message("This runs in WSL: Windows keeps part of the memory, and the page file is Windows' own."))
    return HardwareProfile(
        system=f"{platform.system()} {platform.release()}",
        devices=tuple(devices),
        cpu_count=cores,
        ram_gb=min(memory.total, limit) / GB,
        ram_free_gb=min(min(memory.available, max(limit - used, 0)) / GB + held_gb, min(memory.total, limit) / GB),
        page_file_gb=psutil.swap_memory().total / GB,
        disk_free_gb=_free_gb(disk),
        models_disk_free_gb=_free_gb(models) if models else None,
        workers=tuple(workers),
        attention_packages=tuple(way for way, module in PACKAGES.items() if find_spec(module)),
        notes=tuple(notes),
        problems=tuple(problems),
    )


def _free_gb(folder: Path) -> float:
    """Nothing where the disk is unplugged."""
    try:
        return shutil.disk_usage(folder).free / GB
    except OSError:
        return 0.0


def _container(root: Path, memberships: str) -> tuple[int, int]:
    """(limit, used) bytes of this process's control group; a limit that is none is enormous.

    `memberships`: the text of /proc/self/cgroup. The tightest limit on the way up counts, of either version of control
    groups. What is used does not include the cache of files, which gives way.
    """
    found = [(UNLIMITED, 0)]
    for line in memberships.splitlines():
        _, kinds, path = line.split(":", 2)
        if kinds and "memory" not in kinds.split(","):
            continue
        own = root / "memory" if kinds else root
        groups = [own / path.strip("/"), *(own / path.strip("/")).parents]
        found += [_group(group) for group in groups if group.is_relative_to(own)]
    return min(found)


def _group(group: Path) -> tuple[int, int]:
    for limit_file, used_file in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        try:
            limit, used = (group / limit_file).read_text().strip(), int((group / used_file).read_text())
            return (UNLIMITED if limit == "max" else int(limit)), max(used - _cache(group), 0)
        except (OSError, ValueError):
            continue
    return UNLIMITED, 0


def _cache(group: Path) -> int:
    """Bytes of files kept in memory only because there was room."""
    try:
        lines = (line.split() for line in (group / "memory.stat").read_text().splitlines())
        return sum(int(size) for name, size in lines if name in ("inactive_file", "active_file"))
    except (OSError, ValueError):
        return 0


def _memberships() -> str:
    try:
        return Path("/proc/self/cgroup").read_text()
    except OSError:  # not Linux
        return ""


def _cores() -> int:
    """Cores this process may use: a container or a taskset allows fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):  # Linux only
        return len(os.sched_getaffinity(0))
    return psutil.cpu_count(logical=False) or 1


def _processor() -> str:
    return f"{platform.processor() or platform.machine()} CPU"


def _now(device: Device, free_gb: float) -> Device:
    """As torch reported it; an Apple GPU has what the computer has free now."""
    if not device.shares_ram:
        return device
    return device.but(vram_free_gb=min(device.vram_gb, free_gb))


def _with_own(device: Device, workers: Collection[Held]) -> Device:
    """The device with what our own workers hold of its memory counted as free: they let go of it for the next job."""
    held_gb = sum(worker.vram_gb for worker in workers if worker.device == device.id)
    return device.but(vram_free_gb=min(device.vram_free_gb + held_gb, device.vram_gb))


def _apple() -> Device:
    """Apple's GPU shares the computer's memory; Metal gives a program about three quarters of it."""
    memory = psutil.virtual_memory()
    return Device(
        id="mps",
        kind="mps",
        shares_ram=True,
        name="Apple GPU (shares the computer's memory)",
        vram_gb=0.75 * memory.total / GB,
        vram_free_gb=min(0.75 * memory.total, memory.available) / GB,
    )
