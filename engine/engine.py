"""The engine, as a face sees it: ask for a plan, start takes, approve one, watch, stop, look at what there is."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import itertools
import shutil
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout
from PIL import Image

from engine.install.downloads import Downloads
from engine.install.model_location import ModelLocation, chosen_folders
from engine.jobs import card_test
from engine.jobs.kinds import Rooms, kind_of
from engine.jobs.kinds.extend import ExtendRequest, beginning_of
from engine.jobs.kinds.render import RenderRequest
from engine.jobs.kinds.take import TakeRequest
from engine.jobs.kinds.vary import VaryRequest
from engine.jobs.queue import Queue
from engine.jobs.scheduler import Scheduler, recover
from engine.media import continuation, images, resize
from engine.paths import acquire, acquired, open_home
from engine.planning.memory_fallback import ROOM
from engine.planning.tiers import Tier, with_level
from engine.queries import Machine, Models, Planning
from engine.schema import FrozenModel, HardwareProfile, Job, MediaRole, Request, ShotPlan
from engine.schema.errors import BadFile, BadSetting, InUse, MachineProblem, not_written
from engine.schema.events import Adjusted, Event, Failed, FinalEvent, NeedsConsent
from engine.schema.machine import Reading
from engine.schema.message import Message
from engine.storage import temporary_folders
from engine.storage.catalog import Catalog, Presets
from engine.storage.job_store import Store, now
from engine.storage.library import Library
from engine.storage.lora_library import Loras
from engine.storage.media_library import MediaLibrary
from engine.storage.temporary_folders import sweep
from engine.weights.lora import matching
from engine.weights.lora.file import LoraFile, read_lora

OPENED = "opened"  # the setting that says when this data root was last owned
LEAST_FREE_BYTES = 500_000  # the record of a job and of its end
TOY, TOY_PROMPT = "starter", "a red ball rolls to the left on a blue background"
GUEST_POLL_SECONDS = 0.15
OWN_TIER = "My own"
LANGUAGE = "language"  # the setting


class Engine:
    """One data root. Planning and looking need nothing; `start()` before making anything.

    The first engine that starts on a data root owns it and runs its jobs. Another one, in another process, adds its
    jobs to the same queue and watches them there, and takes over when the owner is gone.

    Its parts, each a class of its own: `queue`, `library`, `presets`, `media`, `loras`, `models`, `downloads`,
    `location` (where models lie), `machine` and `planning`. What else it holds is not for faces.
    """

    def __init__(self, home: Path | None = None) -> None:
        places = open_home(home)
        self.store = Store(places.database)
        self.places = dataclasses.replace(places, chosen=partial(chosen_folders, self.store))
        self.library = Library(self.places)
        self.loras = Loras(self.places.loras, self.store)
        self.rooms = Rooms(self.places, self.store, self.library, self.loras)
        self.queue = Queue(self.store)
        self.media = MediaLibrary(self.places.media, self.store)
        self.presets = Presets(*self.places.presets)
        self.models = Models(self.places, Catalog(*self.places.cards))
        self.downloads = Downloads(self.places, self.loras)
        self.location = ModelLocation(self.places, self.store, self.downloads)
        self.machine = Machine(self.places, self.store, self.presets)
        self.planning = Planning(self.rooms, self.machine, self.models, self.presets)
        # taken by the thread that stands by, given back by the one that closes
        self._lock, self._closing = FileLock(self.places.lock, thread_local=False), threading.Event()
        self._lanes = Scheduler(self.places, self.store)
        self._watchman: threading.Thread | None = None

    # ---- life ----

    def start(self) -> None:
        """Own the data root, or stand by until its owner is gone."""
        if self._watchman or self._own():
            return
        self._watchman = threading.Thread(target=self._stand_by, name="stand by", daemon=True)
        self._watchman.start()

    def close(self) -> None:
        """Stop the workers; what was running waits in the queue for the next start."""
        self._closing.set()
        if self._watchman:
            self._watchman.join()
        self._lanes.close()
        self.location.close()
        self.downloads.close()
        self._lock.release()
        self.store.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def let_go(self) -> None:
        """End the workers: the memory of the models that they keep ready is free. Raises InUse while a shot is made."""
        with acquired(FileLock(self.places.moving)):  # no lane claims a job meanwhile
            self._end_workers()

    def _end_workers(self) -> None:
        if self.store.jobs("running"):
            raise InUse(Message("A shot is being made at this moment."), Message("Let it finish, or stop it, first."))
        for lane in self._lanes:
            lane.worker.stop()
        self.machine.forget()

    def test_card(self, device: str | None = None, parts: Sequence[str] = (), small: bool = False) -> Iterator[Reading]:
        """Measure a device and try on it what plans rely on; forecasts count with it from then on. Nothing is made
        meanwhile. `small`: by sizes that take seconds on a CPU, whose figures say little. Raises InUse, BadSetting,
        MachineProblem."""
        if not self.owns:
            self._alone()
        plan = self.plan(Request(prompt=TOY_PROMPT, model=TOY, seed=1, device=device))
        try:
            with acquired(FileLock(self.places.moving)):  # no lane claims a job meanwhile
                self._end_workers()
                yield from card_test.run(self.places, self.machine.hardware(), plan, parts, small)
        finally:
            self.machine.forget()

    def _alone(self) -> None:
        """Raises InUse where another process runs the jobs: it may keep a model on the card."""
        try:
            acquire(self._lock, 0)
        except Timeout:
            raise InUse(
                Message("Rushes is open in another window, and may keep a model on the card."),
                Message("Test the card there, under My machine, or close it first."),
            ) from None
        self._lock.release()

    @property
    def owns(self) -> bool:
        """Whether this process runs the jobs of the data root."""
        return bool(self._lanes)

    def warm_up(self) -> None:
        """Start the best device's worker now, so that the first take does not wait for imports."""
        if self._lanes:
            self._lanes[0].worker.start()

    def _own(self) -> bool:
        try:
            acquire(self._lock, 0)
        except Timeout:
            return False
        try:
            self.store.set(OPENED, now())  # what could only be read might lack jobs, whose pictures would be pruned
            recover(self.rooms)
        except MachineProblem:  # a full disk: the next start tries again, here or elsewhere
            self._lock.release()
            raise
        sweep(self.places.staging)
        self.loras.sweep()
        waiting = self.store.jobs("queued", "running", "asking", limit=10_000)
        made = itertools.chain.from_iterable(
            images.files_of(request, self.places.media) for request in self.library.requests()
        )
        wanted = (kind_of(job.kind).files(job.plan, self.places) for job in waiting)
        images.prune(self.places.media, itertools.chain(made, *wanted))
        self._lanes.open(device.id for device in self.machine.hardware().devices)
        self._lanes.open(job.plan.placement.device for job in waiting)  # of a device that is gone: its worker says so
        return True

    def _stand_by(self) -> None:
        while not self._closing.wait(1.0):
            with contextlib.suppress(MachineProblem, OSError):  # a full disk: the next look tries again
                if self._own():
                    return

    # ---- planning and making ----

    def plan(self, request: Request, machine: HardwareProfile | None = None, takes: int = 1) -> ShotPlan:
        """What would run here (or on `machine`), and what it would need; `takes`: how many are drawn one after another.
        Raises BadInput; changes nothing."""
        return self.planning.plan(request, machine, takes)

    def submit(self, kind: str, request: FrozenModel) -> list[Job]:
        """Queue what a request of some kind of work asks for. Raises BadInput, UnknownName, MachineProblem."""
        return self._queue(kind_of(kind).jobs(request, self.planning))

    def make_takes(self, request: Request, count: int = 1) -> list[Job]:
        """Queue `count` takes of a request: the first with its seed, the next ones with the seeds that follow."""
        return self.submit("take", TakeRequest(request=request, count=count))

    def extend(self, source: str | Path, request: Request, count: int = 1) -> list[Job]:
        """Queue takes that go on from the last picture of a clip or take (by name) or of a video file.

        The render of such a take is one video of all of it. Raises BadInput for a model that takes no picture.
        """
        return self.submit("extend", ExtendRequest(source=source, request=request, count=count))

    def vary(self, take_id: str, amount: float = 0.3, count: int = 1) -> list[Job]:
        """Queue takes that keep a take (or a clip's) and change it a little: other noise is mixed with its own, from
        none (`amount` 0: the same take) to nothing else (1: another shot). A variation varies from where it stands."""
        return self.submit("vary", VaryRequest(take_id=take_id, amount=amount, count=count))

    def follow_up(self, name: str) -> Request:
        """What to ask for so that a clip or take goes on as it was. Raises UnknownName."""
        beginning = beginning_of(name, self.rooms)
        found = self.library.clip(name) if beginning.kind == "clip" else self.library.take(name)
        return continuation.follow_up(found.recipe)

    def render(self, take_id: str, dial: float | None = None, sigma: float | None = None) -> Job:
        """Queue the render of a take: the same shot at full size, started from the take's latents."""
        (job,) = self.submit("render", RenderRequest(take_id=take_id, dial=dial, sigma=sigma))
        return job

    def stop(self, job_id: str) -> None:
        """Ask a job to stop; it ends within a step."""
        if self.store.ask_to_stop(job_id):
            self.library.discard(job_id)

    def answer(self, job_id: str, yes: bool) -> None:
        """Answer what a job asks for in its NeedsConsent. Does nothing when it no longer asks."""
        job = self.store.job(job_id)
        asked = [event for _, event in self.store.events(job_id) if isinstance(event, NeedsConsent)]
        if job.state != "asking" or not asked:
            return
        if yes:
            agreed = Adjusted(change=asked[-1].plan.adjusted[-1], reason=Message("You agreed to it."))
            self.store.agree(job_id, asked[-1].plan, agreed)
            return
        self.library.discard(job_id)
        self.store.finish(job_id, Failed(cause=Message("Memory ran out, and it was not to be changed."), remedy=ROOM))

    def retry(self, job_id: str) -> list[Job]:
        """Queue once more what a job asked for."""
        job = self.store.job(job_id)
        return self.submit(job.kind, kind_of(job.kind).again(job))

    def is_there(self, job: Job) -> bool:
        """Whether what a finished job made is still here."""
        return kind_of(job.kind).is_there(job, self.rooms)

    def watch(self, job_id: str, after: int = 0) -> Iterator[Event]:
        """A job's events as they come, those numbered above `after`, ending with the final one."""
        while True:
            with self.store.changed:
                job = self.store.job(job_id)
                fresh = self.store.events(job_id, after)
                if not fresh and job.ended:
                    if unsaid := self.store.unsaid_end(job):
                        yield unsaid
                    return
                if not fresh:
                    self.store.changed.wait(GUEST_POLL_SECONDS)
            for number, event in fresh:
                after = number
                yield event
                if isinstance(event, FinalEvent):
                    return

    def _queue(self, jobs: list[Job]) -> list[Job]:
        """Raises MachineProblem on a full disk: nothing could be kept of what is made."""
        if shutil.disk_usage(self.places.home).free < LEAST_FREE_BYTES:
            raise not_written(OSError(errno.ENOSPC, f"less than {LEAST_FREE_BYTES} bytes free"))
        self.store.add_jobs(jobs)
        if self.owns:
            self._lanes.open(job.plan.placement.device for job in jobs)
        return jobs

    # ---- what a person brings and keeps ----

    def keep_lora(self, path: Path, model: str | None = None) -> LoraFile:
        """Take in a LoRA; its id goes into `Request.loras`. Raises BadFile, or BadSetting where `model` is another."""
        if model:
            matching.check(read_lora(path), self.models.card(model), self.models.cards())
        return self.loras.keep(path)

    def keep_outcome(self, request: Request) -> Tier:
        """Keep what this request would render as the meaning of its outcome, in a tier of the person's own."""
        if request.outcome is None:
            raise BadSetting(Message("No outcome is chosen."), Message("Choose draft, standard or best first."))
        now, card = self.machine.tier(), self.models.card(request.model)
        name = now.name if self.presets.is_own(now) else OWN_TIER
        own = self.presets.keep(name, with_level(now, self.plan(request), card))
        return self.machine.choose_tier(own.id)

    def fitted_preview(self, request: Request, role: MediaRole) -> Image.Image:
        """What the render of `request` will see of `role`: a few pictures side by side. Raises BadInput."""
        found = resize.read(self.places.media, request, self.plan(request).render).of(role)
        if not found:
            raise BadFile(Message("Nothing is given for that."), Message("Choose a picture or a video first."))
        return resize.strip(found)

    def keep_last_picture(self, clip_id: str) -> str:
        """Take in the last picture of a clip, for another shot to start from. Raises UnknownName, BadFile."""
        return self.media.keep_last_picture(Path(self.library.clip(clip_id).video))

    def passing(self, purpose: str) -> contextlib.AbstractContextManager[Path]:
        """A folder for a file that only passes through: `brought` or `preset`."""
        return temporary_folders.folder(self.places.staging, purpose)

    @property
    def folders(self) -> dict[str, Path]:
        """Folders that a person may open: `home`, `models`, `takes`, `clips`."""
        return {"home": self.places.home, "models": self.places.models, "takes": self.places.takes,
                "clips": self.places.clips}  # fmt: skip

    @property
    def language(self) -> str:
        """The language that the person chose for the page; empty: as their browser asks."""
        return self.store.setting(LANGUAGE)

    def choose_language(self, language: str) -> None:
        """Keep to a language; an empty one leaves it to the browser."""
        self.store.set(LANGUAGE, language)
