"""The lanes of one data root: one for each device, opened when the device is first heard of."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable

from pydantic import TypeAdapter

from engine.jobs.scheduler import Lane, take_up
from engine.paths import Places
from engine.schema import Device, Noun
from engine.schema.errors import MachineProblem
from engine.schema.json_lines import Ready
from engine.storage.job_store import Store, now
from engine.storage.library import Library

REPORTED = "torch_devices"  # the setting that keeps what torch sees
REPORTED_DEVICES: TypeAdapter[tuple[Device, ...]] = TypeAdapter(tuple[Device, ...])


WATCH_SECONDS = 2.0
LOST_LANE = "lost_lane"  # the setting that keeps the last lane that had to be started again


class LostLane(Noun):
    """A lane whose thread ended by itself, when, and by which error."""

    device: str
    when: str
    why: str


def lost_lane(store: Store) -> LostLane | None:
    """The last one that had to be started again."""
    return store.setting_as(LOST_LANE, TypeAdapter(LostLane))


class Lanes(list[Lane]):
    """A GPU without NVML is known only when a worker has started, and gets its lane then."""

    def __init__(self, places: Places, store: Store) -> None:
        super().__init__()
        self._places, self._store = places, store
        self._opening, self._closed = threading.RLock(), False
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="watch over lanes", daemon=True)

    def open(self, devices: Iterable[str]) -> None:
        """See that each of these has a lane."""
        with self._opening:
            known = {lane.device for lane in self}
            for device in dict.fromkeys(devices):
                if device not in known and not self._closed:
                    lane = Lane(self._places, self._store, device, self._heard)
                    lane.start()
                    self.append(lane)
            if self and not self._watching.is_alive() and not self._closed:
                self._watching.start()

    def _watch(self) -> None:
        """Start again a lane that is gone, which no error of a job can do to it. What it was making is queued again."""
        while not self._over.wait(WATCH_SECONDS):
            for lane in [lane for lane in self if lane.ident and not lane.is_alive()]:
                with contextlib.suppress(Exception):  # a full disk, no more threads: the next look tries again
                    self._begin_again(lane)

    def _begin_again(self, gone: Lane) -> None:
        with self._opening:
            if self._closed:
                return
            gone.worker.close()
            jobs = [job for job in self._store.jobs("running") if job.plan.placement.device == gone.device]
            take_up(self._store, Library(self._places), jobs, forget_attempt=False)
            lost = LostLane(device=gone.device, when=now(), why=gone.died)
            self._store.set(LOST_LANE, lost.model_dump_json())
            lane = Lane(self._places, self._store, gone.device, self._heard)
            lane.start()
            self[self.index(gone)] = lane

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
        self._over.set()
        for lane in self:
            lane.close()
