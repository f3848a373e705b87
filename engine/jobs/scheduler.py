"""The queue at work: one lane per device, each with one long-lived worker process.

A worker that dies fails or restarts one job, never the app. Cancel is asked first (the worker checks at every step),
then enforced. A job whose worker died is tried once more; one that was running when the app was killed goes on.
"""

from __future__ import annotations

import contextlib
import platform
import threading
from collections.abc import Callable, Iterable, Sequence

from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from engine.jobs.executor import Executor
from engine.jobs.kinds import Rooms, kind_of
from engine.jobs.local_worker import POLL_SECONDS, LocalWorker
from engine.machine import symptoms
from engine.machine.gauges import Gauges
from engine.paths import Places
from engine.planning import memory_fallback
from engine.schema import Device, FrozenModel, Job, Phase, Run, Shortage, Work
from engine.schema.errors import BadFile, MachineProblem, RushesError, UnknownName, WorkerDied, not_written
from engine.schema.events import (
    Adjusted,
    Cancelled,
    Event,
    Failed,
    FinalEvent,
    Finished,
    NeedsConsent,
    Noticed,
    Progress,
)
from engine.schema.json_lines import RanOut, Ready
from engine.schema.message import Message
from engine.storage.job_store import OTHER_VERSION, Store, now

MAX_ATTEMPTS = 2
CLAIM_SECONDS = 0.5  # lanes wait for each other, a move of models lasts longer
WORK: dict[Phase, Work] = {"loading": "loading", "sampling": "denoising", "decoding": "decoding"}
WARM = "warm "  # and a device: the setting that says what its worker has loaded and holds (types.Held)


class DeviceWorker(threading.Thread):
    """Runs the queued jobs of one device, one after the other; a failure never stops the next."""

    def __init__(
        self, places: Places, store: Store, device: str, heard: Callable[[Ready], None] = lambda _: None
    ) -> None:
        """`heard`: called, from another thread, when the worker has started."""
        super().__init__(name=f"lane {device}", daemon=True)
        self._store, self.device, self._rooms = store, device, Rooms.of(places, store)
        self._library = self._rooms.library
        self.worker: Executor = LocalWorker(places, device, heard)
        self.died = "it ended without a word"
        self._closing, self._moving = threading.Event(), FileLock(places.moving)

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # nothing should come this far; whoever watches over the lanes says what it was
            self.died = repr(error)
            raise

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                job = self._claim()
            except (MachineProblem, OSError):  # the disk is full or gone, or too many files are open: a lane waits
                self._closing.wait(2.0)
                continue
            if job:
                final = self._outcome(job)
                if final:
                    self._finish(job, final)
            else:
                with self._store.changed:
                    self._store.changed.wait(POLL_SECONDS)

    def _claim(self) -> Job | None:
        """The next job; none while models are being moved, of which the worker then lets go."""
        try:
            with self._moving.acquire(timeout=CLAIM_SECONDS):
                return self._store.claim(self.device)
        except Timeout:
            self.worker.stop()
            return None

    def _note(self, job: Job, event: Event) -> None:
        """Write an event down; one that a full disk refuses is not worth the job."""
        with contextlib.suppress(MachineProblem):
            self._store.add_event(job.id, event)

    def _finish(self, job: Job, final: FinalEvent) -> None:
        """Write down how it ended, however long the disk stays full: a lane outlives that too."""
        while True:
            try:
                return self._store.finish(job.id, final)
            except (MachineProblem, OSError):
                if self._closing.wait(2.0):
                    return None

    def close(self) -> None:
        """Stop after the current step; the running job goes back to the queue for the next start."""
        self._closing.set()
        self.worker.close()
        with self._store.changed:  # it may be waiting for a job
            self._store.changed.notify_all()
        self.join(timeout=10)

    def _outcome(self, job: Job) -> FinalEvent | None:
        """How a job ended, whatever went wrong; None: it waits for an answer, or for the next start."""
        try:
            return self._attempt(job)
        except RushesError as error:
            failed = Failed(cause=error.cause, remedy=error.remedy, detail=error.detail)
        except Exception as error:  # the boundary: a lane must outlive any job
            failed = Failed(
                cause=Message("Something unexpected went wrong while the job was being run."),
                remedy=Message("Try again; if it happens again, run `app.py doctor`."),
                detail=repr(error),
            )
        if self._closing.is_set():  # what it has computed waits for the next start
            return None
        self._library.discard(job.id)
        return failed

    def _attempt(self, job: Job) -> FinalEvent | None:
        """One job, tried again when its worker dies under it or memory runs out. None: it waits for an answer."""
        doing: Work = "loading"
        gauges = Gauges(self.device, job.plan.placement.kind)

        def note(event: Event) -> None:
            nonlocal doing
            if isinstance(event, Progress):
                doing = WORK.get(event.phase, doing)
                gauges.see(event)
            self._note(job, event)

        try:
            self._prepare(job)
            final = self._performed(job, note)
            self._remember_held()
            if isinstance(final, RanOut):
                return self._step_down(job, (final.what, final.doing), final.detail)
            if isinstance(final, Finished):
                ended = taken_in(self._rooms, job, final)
                with contextlib.suppress(MachineProblem):  # a full disk costs what was learned, not the clip
                    self._explain(job, gauges)
                    self._remember(job, final)
                return ended
            self._library.discard(job.id)
            return final
        except WorkerDied as death:
            return self._after_death(job, death, doing)

    def _prepare(self, job: Job) -> None:
        """Give the job a workspace with what its kind needs there. Raises BadFile, MachineProblem."""
        try:
            folder = self._library.clear_workspace(job.id)
            kind_of(job.kind).put(job, folder, self._rooms)
            self._library.mark_begun(job.id)
        except FileNotFoundError as error:
            raise BadFile(
                Message("A picture or video of this shot is no longer there."), Message("Choose it again.")
            ) from error
        except OSError as error:
            raise not_written(error) from error

    def _performed(self, job: Job, note: Callable[[Event], None]) -> FinalEvent | RanOut:
        """How the worker ended the job; what came before that is noted."""
        for event in self.worker.perform(job):
            if isinstance(event, FinalEvent | RanOut):
                return event
            if event:
                note(event)
            if self._store.stop_asked(job.id):
                self.worker.cancel(job.id)
        raise AssertionError("a job ends with a final event")

    def _explain(self, job: Job, gauges: Gauges) -> None:
        """Say why the run was slower than it could be, when the card's gauges tell.

        By arithmetic: forecasts that learned from a slow card would find it in order.
        """
        stage = job.plan.stage(job.stage)
        longest = stage.estimated_seconds * symptoms.MARGIN
        windows = platform.system() == "Windows" or "microsoft" in platform.release().casefold()  # WSL has its driver
        symptom = symptoms.found(gauges.samples, longest / stage.steps, windows)
        if symptom:
            self._note(job, Noticed(cause=symptom.cause, remedy=symptom.remedy))

    def _after_death(self, job: Job, death: WorkerDied, doing: Work) -> FinalEvent | None:
        if self._store.stop_asked(job.id):
            self._library.discard(job.id)
            return Cancelled()
        if self._closing.is_set():
            self._store.requeue(job.id, forget_attempt=True)
            return None  # the lane ends; the job waits for the next start
        if job.attempts < MAX_ATTEMPTS or self._library.advanced(job.id):
            self._note(job, Adjusted(change=Message("Going on with the shot."), reason=death.cause))
            return self._attempt(job.but(attempts=job.attempts + 1))
        if death.what:
            return self._step_down(job, (death.what, doing), death.detail)
        self._library.discard(job.id)
        return Failed(cause=death.cause, remedy=death.remedy, detail=death.detail)

    def _step_down(self, job: Job, shortage: tuple[Shortage, Work], detail: str) -> FinalEvent | None:
        """Go on with less memory: by itself where the picture stays the same, else with the person's consent."""
        step, cause = kind_of(job.kind).step_down(job, shortage, self._rooms), memory_fallback.reason(*shortage)
        if step is None:
            self._library.discard(job.id)
            return Failed(
                cause=Message("{cause} Nothing smaller is left to try.", cause=cause),
                remedy=memory_fallback.ROOM,
                detail=detail,
            )
        if step.alters and not job.plan.may_alter:
            question = NeedsConsent(
                question=Message("{cause} It can go on like this: {change}", cause=cause, change=step.change),
                plan=step.plan,
            )
            if self._store.ask(job.id, question):
                return None
            self._library.discard(job.id)
            return Cancelled()
        if shortage[0] == "fragmented":
            self.worker.stop()
        self._store.adjust(job.id, step.plan, Adjusted(change=step.change, reason=cause))
        return self._attempt(job.but(plan=step.plan, attempts=1))

    def _remember_held(self) -> None:
        """Tell plans what the worker has loaded and holds."""
        with contextlib.suppress(MachineProblem):
            self._store.set(WARM + self.device, self.worker.held.model_dump_json() if self.worker.held else "")

    def _remember(self, job: Job, done: Finished) -> None:
        """What this run was promised to take and took (the MP4 apart)."""
        stage = job.plan.stage(job.stage)
        run = Run(
            model=job.plan.model,
            stage=job.stage,
            device=self.device,
            operations=stage.operations,
            seconds=max(done.seconds - done.loading_seconds, 1e-3),
            loading_seconds=done.loading_seconds,
            loaded_gb=done.loaded_gb,
            ram_gb=done.ram_gb,
            vram_gb=done.vram_gb,
            forecast_seconds=job.plan.seconds(job.stage),
            estimated_seconds=stage.estimated_seconds if job.plan.teaches and not done.resumed else 0.0,
            pixels=stage.pixels,
            placement=job.plan.placement,
            adjusted=bool(job.plan.adjusted),
        )
        self._store.add_run(run)


def taken_in(rooms: Rooms, job: Job, done: Finished) -> FinalEvent:
    """How a job ends whose result is complete: finished; where it cannot be brought to its place, failed and kept."""
    try:
        kind_of(job.kind).adopt(job, rooms)
    except OSError as error:
        aside = rooms.library.set_aside(job.id)
        return Failed(
            cause=Message("What was made could not be put into the library."),
            remedy=Message(
                "It is kept in {aside}. See that the disk has room and can be written to, and make it again.",
                aside=aside,
            ),
            detail=repr(error),
        )
    return done


def recover(rooms: Rooms) -> None:
    """After a start: what was running when the last owner died is finished, or queued again. That it was interrupted is
    no fault of the job. Raises MachineProblem when that cannot be written down, and nothing else."""
    rooms.store.give_up_unreadable()
    for job in rooms.store.jobs("queued", "running", "asking", limit=10_000):
        try:
            kind_of(job.kind)
        except UnknownName:
            rooms.store.finish(job.id, OTHER_VERSION)
    take_up(rooms, rooms.store.jobs("running"), forget_attempt=True)
    over = ("finished", "cancelled")  # what failed may be kept there
    rooms.library.sweep(lambda job_id: rooms.store.state(job_id) in over)


def take_up(rooms: Rooms, jobs: Sequence[Job], forget_attempt: bool) -> None:
    """Finish those of the jobs that were running whose result is complete, and queue the others again; one that used up
    its attempts fails."""
    for job in jobs:
        if kind_of(job.kind).is_complete(job, rooms):
            rooms.store.finish(job.id, taken_in(rooms, job, Finished(result_id=job.id, seconds=0)))
        elif forget_attempt or job.attempts < MAX_ATTEMPTS:
            rooms.store.requeue(job.id, forget_attempt=forget_attempt)
        else:
            rooms.library.discard(job.id)
            rooms.store.finish(job.id, Failed(
                cause=Message("This job made the queue stop twice at the same place."),
                remedy=Message("Try again with other settings; if it happens again, run `app.py doctor`."),
            ))  # fmt: skip


# ---- one for each device, opened when the device is first heard of ----

REPORTED = "torch_devices"  # the setting that keeps what torch sees
REPORTED_DEVICES: TypeAdapter[tuple[Device, ...]] = TypeAdapter(tuple[Device, ...])


WATCH_SECONDS = 2.0
LOST_LANE = "lost_lane"  # the setting that keeps the last lane that had to be started again


class LostLane(FrozenModel):
    """A lane whose thread ended by itself, when, and by which error."""

    device: str
    when: str
    why: str


def lost_lane(store: Store) -> LostLane | None:
    """The last one that had to be started again."""
    return store.setting_as(LOST_LANE, TypeAdapter(LostLane))


class Scheduler(list[DeviceWorker]):
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
                    lane = DeviceWorker(self._places, self._store, device, self._heard)
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

    def _begin_again(self, gone: DeviceWorker) -> None:
        with self._opening:
            if self._closed:
                return
            gone.worker.close()
            jobs = [job for job in self._store.jobs("running") if job.plan.placement.device == gone.device]
            take_up(Rooms.of(self._places, self._store), jobs, forget_attempt=False)
            lost = LostLane(device=gone.device, when=now(), why=gone.died)
            self._store.set(LOST_LANE, lost.model_dump_json())
            lane = DeviceWorker(self._places, self._store, gone.device, self._heard)
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
