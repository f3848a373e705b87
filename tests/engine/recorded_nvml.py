"""NVML answers of a machine, from a JSON file, by the names and errors of pynvml itself.

The files in cards/ were CONSTRUCTED from published specifications; none is a recording of a real card yet. Replace one
by a recording where a card can be had.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml

CARDS = Path(__file__).parent / "cards"


class RecordedNvml:
    """Stands where the pynvml module stands; raises pynvml's own errors."""

    NVMLError = pynvml.NVMLError
    NVMLError_LibraryNotFound = pynvml.NVMLError_LibraryNotFound
    NVMLError_NotSupported = pynvml.NVMLError_NotSupported
    NVML_CLOCK_SM = pynvml.NVML_CLOCK_SM

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers

    @classmethod
    def of(cls, name: str) -> RecordedNvml:
        return cls(json.loads((CARDS / f"{name}.json").read_text()))

    def nvmlInit(self) -> None:
        if error := self._answers.get("init_error"):
            raise getattr(pynvml, error)()

    def nvmlShutdown(self) -> None:
        pass

    def nvmlDeviceGetCount(self) -> int:
        return len(self._answers["devices"])

    def nvmlDeviceGetHandleByIndex(self, index: int) -> dict[str, Any]:
        return self._answers["devices"][index]

    def __getattr__(self, name: str) -> Any:
        """Every other question is answered by its own name; what the file does not answer is not supported."""

        def answer(handle: dict[str, Any] | None = None, *_: Any) -> Any:
            source = self._answers if handle is None else handle
            if name not in source:
                raise pynvml.NVMLError_NotSupported()
            value = source[name]
            if isinstance(value, dict) and "error" in value:
                raise getattr(pynvml, value["error"])()
            if isinstance(value, list) and value and isinstance(value[0], dict) and "pid" in value[0]:
                return [SimpleNamespace(**item) for item in value]
            return SimpleNamespace(**value) if isinstance(value, dict) and "total" in value else value

        return answer
