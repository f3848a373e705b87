"""A card's gauges while it works: one sample a step, from NVML, and nothing where there is no NVML."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any

import pynvml

from engine.machine import nvidia
from engine.machine.symptoms import Sample
from engine.schema import DeviceKind
from engine.schema.events import Progress

GB = 1e9


class Gauges:
    """The samples of one run on `device`, taken as its steps are reported."""

    def __init__(self, device: str, kind: DeviceKind, nvml: ModuleType | Any = pynvml) -> None:
        self._number = int(device.partition(":")[2] or 0) if kind == "cuda" else None  # how torch counts it
        self._nvml = nvml
        self._step, self._since = 0, 0.0
        self.samples: list[Sample] = []

    def see(self, progress: Progress) -> None:
        """Take a sample when a step has ended; the first one of a run warms up and does not count."""
        if progress.phase != "sampling" or self._number is None:
            return
        now = time.monotonic()
        if progress.step == self._step + 1 and self._step:
            sample = self._read(self._number, now - self._since)
            self.samples += [sample] if sample else []
        self._step, self._since = progress.step, now

    def _read(self, number: int, seconds: float) -> Sample | None:
        nvml = self._nvml
        try:
            nvml.nvmlInit()
            card = nvml.nvmlDeviceGetHandleByIndex(nvidia.shown(nvml)[number])
            memory = nvml.nvmlDeviceGetMemoryInfo(card)
            return Sample(
                seconds=seconds,
                vram_gb=memory.used / GB,
                vram_total_gb=memory.total / GB,
                busy=nvml.nvmlDeviceGetUtilizationRates(card).gpu / 100,
                clock_mhz=nvml.nvmlDeviceGetClockInfo(card, nvml.NVML_CLOCK_SM),
                highest_clock_mhz=nvml.nvmlDeviceGetMaxClockInfo(card, nvml.NVML_CLOCK_SM),
                clock_reasons=nvml.nvmlDeviceGetCurrentClocksEventReasons(card),
            )
        except (nvml.NVMLError, IndexError):
            return None
