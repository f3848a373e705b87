"""The lanes of one data root: one for each device, opened when the device is first heard of."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable

from pydantic import TypeAdapter

from engine.errors import MachineProblem
from engine.jobs import Lane
from engine.messages import Ready
from engine.paths import Places
from engine.store import Store
from engine.types import Device

REPORTED = "torch_devices"  # the setting that keeps what torch sees
REPORTED_DEVICES: TypeAdapter[tuple[Device, ...]] = TypeAdapter(tuple[Device, ...])


class Lanes(list[Lane]):
    """A GPU without NVML is known only when a worker has started, and gets its lane then."""

    def __init__(self, places: Places, store: Store) -> None:
        super().__init__()
        self._places, self._store = places, store
        self._opening, self._closed = threading.RLock(), False

    def open(self, devices: Iterable[str]) -> None:
        """See that each of these has a lane."""
        with self._opening:
            known = {lane.device for lane in self}
            for device in dict.fromkeys(devices):
                if device not in known and not self._closed:
                    lane = Lane(self._places, self._store, device, self._heard)
                    self.append(lane)
                    lane.start()

    def _heard(self, ready: Ready) -> None:
        """A worker is there and says what torch sees."""
        with self._opening:
            if self._closed:
                return
            with contextlib.suppress(MachineProblem):
                self._store.set(REPORTED, REPORTED_DEVICES.dump_json(ready.devices).decode())
            self.open(device.id for device in ready.devices)

    def close(self) -> None:
        with self._opening:
            self._closed = True
        for lane in self:
            lane.close()
