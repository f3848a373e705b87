"""The engine, as a face sees it: ask for a plan, start takes, approve one, watch, stop, look at what there is."""

from __future__ import annotations

import contextlib
import errno
import itertools
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from engine.jobs.scheduler import Lanes, recover
from engine.keeping import Keeping
from engine.machine import card_test
from engine.machine.card_test import Reading
from engine.media import continuation, images, videos
from engine.paths import acquire, acquired
from engine.planning import planner
from engine.planning.memory_fallback import ROOM
from engine.schema import Beginning, Job, Overrides, Plan, Recipe, Request, Stage, Wording
from engine.schema.card import ModelCard
from engine.schema.errors import BadSetting, InUse, MachineProblem, UnknownName, not_written
from engine.schema.events import Adjusted, Event, Failed, FinalEvent, NeedsConsent
from engine.storage.job_store import PAUSED, now
from engine.storage.library import content_of
from engine.storage.slug import slug
from engine.storage.temporary_folders import sweep

OPENED = "opened"  # the setting that says when this data root was last owned
LEAST_FREE_BYTES = 500_000  # the record of a job and of its end
MAX_TAKES = 12  # one contact sheet
TOY, TOY_PROMPT = "starter", "a red ball rolls to the left on a blue background"
GUEST_POLL_SECONDS = 0.15


class Engine(Keeping):
    """One data root. Planning and looking need nothing; `start()` before making anything.

    The first engine that starts on a data root owns it and runs its jobs. Another one, in another process, adds its
    jobs to the same queue and watches them there, and takes over when the owner is gone.
    """

    def __init__(self, home: Path | None = None) -> None:
        super().__init__(home)
        self._lock, self._closing = FileLock(self.places.lock), threading.Event()
        self._lanes = Lanes(self.places, self.store)
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
        self.model_home.close()
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
            raise InUse("A shot is being made at this moment.", "Let it finish, or stop it, first.")
        for lane in self._lanes:
            lane.worker.stop()
        self._machine = 0.0, None  # what it held is free

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
                yield from card_test.run(self.places, self.hardware(), plan, parts, small)
        finally:
            self._machine = 0.0, None

    def _alone(self) -> None:
        """Raises InUse where another process runs the jobs: it may keep a model on the card."""
        try:
            acquire(self._lock, 0)
        except Timeout:
            raise InUse(
                "Rushes is open in another window, and may keep a model on the card.",
                "Test the card there, under My machine, or close it first.",
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
            recover(self.store, self.library)
        except MachineProblem:  # a full disk: the next start tries again, here or elsewhere
            self._lock.release()
            raise
        sweep(self.places.staging)
        self.loras.sweep()
        waiting = self.store.jobs("queued", "running", "asking", limit=10_000)
        images.prune(self.places.media, itertools.chain(self.library.requests(), (job.plan.request for job in waiting)))
        self._lanes.open(device.id for device in self.hardware().devices)
        self._lanes.open(job.plan.placement.device for job in waiting)  # of a device that is gone: its worker says so
        return True

    def _stand_by(self) -> None:
        while not self._closing.wait(1.0):
            with contextlib.suppress(MachineProblem, OSError):  # a full disk: the next look tries again
                if self._own():
                    return

    # ---- making ----

    def make_takes(self, request: Request, count: int = 1) -> list[Job]:
        """Queue `count` takes of a request: the first with its seed, the next ones with the seeds that follow."""
        if not 1 <= count <= MAX_TAKES:
            raise BadSetting(f"{count} takes at once are not possible.", f"Ask for 1 to {MAX_TAKES}.")
        first = self.plan(request, takes=count)
        seeds = [(first.seed + offset) % (planner.MAX_SEED + 1) for offset in range(count)]
        others = (request.model_copy(update={"seed": seed}) for seed in seeds[1:])
        plans = [first, *(self.plan(other, takes=count).when_warm for other in others)]
        return self._queue([_job("take", plan) for plan in plans])

    def extend(self, source: str | Path, request: Request, count: int = 1) -> list[Job]:
        """Queue takes that go on from the last picture of a clip or take (by name) or of a video file.

        The render of such a take is one video of all of it. Raises BadInput for a model that takes no picture.
        """
        card = self.catalog.card(request.model)
        continuation.check(card, self.cards())
        beginning = self._beginning(source)
        found = continuation.look(self.library.begun(beginning))
        content = content_of(self.library.begun(beginning))
        beginning = beginning.model_copy(update={"overlap": continuation.overlap(found, card), "content": content})
        asked = continuation.request(request, beginning, found, card)
        return self.make_takes(self._begun(asked, found, card), count)

    def _begun(self, asked: Request, source: continuation.Source, card: ModelCard) -> Request:
        """The request with the end of its source as what the model starts from."""
        shared, fps = continuation.overlap(source, card), card.frames.fps
        last = continuation.last_pictures(source, fps, shared)
        with tempfile.TemporaryDirectory() as folder:
            if shared == 1:
                file = Path(folder) / "last.png"
                last[0].save(file)
                return asked.model_copy(update={"pictures": asked.pictures | {"image": self.keep_picture(file)}})
            file, hold = Path(folder) / "last.mp4", card.strength and card.strength.minimum
            videos.write((videos.Shown(n / fps, 1 / fps, picture) for n, picture in enumerate(last)), file)
            return asked.model_copy(update={"videos": {"video": self.keep_video(file)}, "strength": hold})

    def follow_up(self, name: str) -> Request:
        """What to ask for so that a clip or take goes on as it was. Raises UnknownName."""
        beginning = self._beginning(name)
        found = self.library.clip(name) if beginning.kind == "clip" else self.library.take(name)
        return continuation.follow_up(found.recipe)

    def _beginning(self, source: str | Path) -> Beginning:
        if isinstance(source, Path):
            return Beginning(kind="video", id=videos.keep_video(source, self.places.media, ending=True))
        try:
            return Beginning(kind="clip", id=self.library.clip(source).id)
        except UnknownName:
            return Beginning(kind="take", id=self.library.take(source).id)

    def render(self, take_id: str, dial: float | None = None, sigma: float | None = None) -> Job:
        """Queue the render of a take: the same shot at full size, started from the take's latents."""
        take = self.library.take(take_id)
        request = as_request(take.recipe)
        if dial is not None or sigma is not None:
            request = request.model_copy(update={"dial": request.dial if dial is None else dial, "sigma": sigma})
        return self._queue([_job("render", self._planned(request), take.id)])[0]

    def stop(self, job_id: str) -> None:
        """Ask a job to stop; it ends within a step."""
        if self.store.ask_to_stop(job_id):
            self.library.discard(self.store.job(job_id))

    def answer(self, job_id: str, yes: bool) -> None:
        """Answer what a job asks for in its NeedsConsent. Does nothing when it no longer asks."""
        job = self.store.job(job_id)
        asked = [event for _, event in self.store.events(job_id) if isinstance(event, NeedsConsent)]
        if job.state != "asking" or not asked:
            return
        if yes:
            agreed = Adjusted(change=asked[-1].plan.adjusted[-1], reason="You agreed to it.")
            self.store.agree(job_id, asked[-1].plan, agreed)
            return
        self.library.discard(job)
        self.store.finish(job_id, Failed(cause="Memory ran out, and it was not to be changed.", remedy=ROOM))

    def retry(self, job_id: str) -> list[Job]:
        """Queue once more what a job asked for."""
        job = self.store.job(job_id)
        if job.take_id:
            return [self.render(job.take_id, job.plan.request.dial, job.plan.request.sigma)]
        return self.make_takes(job.plan.request)

    def pause(self, paused: bool) -> None:
        """Let queued jobs wait until this is taken back; what runs goes on. It outlives a restart."""
        self.store.set(PAUSED, "yes" if paused else "")

    @property
    def paused(self) -> bool:
        return bool(self.store.setting(PAUSED))

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


def as_request(recipe: Recipe) -> Request:
    """The request that repeats a recipe exactly: every resolved number and the final words are asked for by name."""
    plan = recipe.plan
    take, render = (
        Overrides(**run.model_dump(include=set(Overrides.model_fields))) for run in (plan.take, plan.render)
    )
    return plan.request.model_copy(
        update={
            "seed": plan.seed,
            "num_frames": plan.take.num_frames,
            "seconds": None,
            "sigma": plan.sigma,
            "device": None,
            "wording": Wording(prompt=plan.told, negative_prompt=plan.negative_prompt),
            "take": take,
            "render": render,
        }
    )


def _job(stage: Stage, plan: Plan, take_id: str | None = None) -> Job:
    return Job(id=_name(plan.request.prompt), stage=stage, plan=plan, take_id=take_id, created=now())


def _name(prompt: str) -> str:
    """A readable name that is safe on every disk: when, the first words, and six letters against collisions (all takes
    of a contact sheet are named in one second)."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{slug(prompt) or 'untitled'}-{secrets.token_hex(3)}"
