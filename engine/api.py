"""The engine, as a face sees it: ask for a plan, start takes, approve one, watch, stop, look at what there is."""

from __future__ import annotations

import itertools
import random
import re
import secrets
import tempfile
import threading
import time
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout
from PIL import Image

from engine import advice, extending, fitting, hardware, inputs, lora_fit, media, planner, videos, wordlist
from engine.advice import Recommendation, Row, Suggestion
from engine.card import ModelCard
from engine.catalog import AnyPreset, Catalog, Kind, Presets, machines, named
from engine.downloads import Downloads
from engine.errors import BadFile, BadSetting, UnknownName
from engine.events import Adjusted, Cancelled, Event, Failed, FinalEvent, NeedsConsent
from engine.jobs import REPORTED, REPORTED_DEVICES, Lane, recover
from engine.ladder import ROOM
from engine.library import Library
from engine.lora_file import LoraFile, read_lora
from engine.loras import Loras
from engine.paths import open_home
from engine.preset import Camera, Look, Preset, Style
from engine.store import PAUSED, Store, now
from engine.tier import Tier, apply, choose
from engine.types import (
    Beginning,
    HardwareProfile,
    Job,
    MediaRole,
    Overrides,
    Plan,
    Recipe,
    Request,
    Stage,
    VideoFacts,
    VideoRole,
    Wording,
)

MAX_TAKES = 12  # one contact sheet
HARDWARE_SECONDS = 2.0  # how long a reading of the machine is good for
TIER = "tier"  # the setting that holds the tier a person keeps to
GUEST_POLL_SECONDS = 0.15


class Engine:
    """One data root. Planning and looking need nothing; `start()` before making anything.

    The first engine that starts on a data root owns it and runs its jobs. Another one, in another process, adds its
    jobs to the same queue and watches them there, and takes over when the owner is gone.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.places = open_home(home)
        self.store = Store(self.places.database)
        self.library = Library(self.places)
        self.loras = Loras(self.places.loras, self.store)
        self.catalog = Catalog(*self.places.cards)
        self._presets = Presets(*self.places.presets)
        self._machine: tuple[float, HardwareProfile | None] = 0.0, None
        self.downloads = Downloads(self.places)
        self._lock = FileLock(self.places.lock)
        self._lanes: list[Lane] = []
        self._closing = threading.Event()
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
        for lane in self._lanes:
            lane.close()
        self.downloads.close()
        self._lock.release()
        self.store.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        recover(self.store, self.library)
        waiting = (job.plan.request for job in self.store.jobs("queued", "running", "asking", limit=10_000))
        media.prune(self.places.media, itertools.chain(self.library.requests(), waiting))
        self._lanes = [Lane(self.places, self.store, device.id) for device in self.hardware().devices]
        for lane in self._lanes:
            lane.start()
        return True

    def _stand_by(self) -> None:
        while not self._closing.wait(1.0):
            if self._own():
                return

    # ---- asking ----

    def hardware(self) -> HardwareProfile:
        """The machine now, or some seconds ago: a face that plans at every key does not ask the driver each time."""
        when, machine = self._machine
        if machine is None or time.monotonic() - when > HARDWARE_SECONDS:
            reported = REPORTED_DEVICES.validate_json(self.store.setting(REPORTED, "[]"))
            machine = hardware.read(self.places.home, reported)
            self._machine = time.monotonic(), machine
        return machine

    def tiers(self) -> list[Tier]:
        """What Draft, Standard and Best mean on kinds of machines, ours and the person's own."""
        return self._presets.all(Tier)

    def tier(self, machine: HardwareProfile | None = None) -> Tier:
        """The tier of this machine: the one that the person chose, else the one that fits."""
        chosen, tiers = self.store.setting(TIER), self.tiers()
        own = [tier for tier in tiers if tier.id == chosen and machine is None]
        return own[0] if own else choose(tiers, machine or self.hardware())

    def choose_tier(self, name: str | None) -> Tier:
        """Keep to one tier, or with None go back to the one that fits. Raises UnknownName."""
        if name is not None:
            self._presets.get(Tier, name)
        self.store.set(TIER, name or "")
        return self.tier()

    def cards(self) -> list[ModelCard]:
        return list(self.catalog.cards.values())

    def installed(self, card: ModelCard) -> bool:
        return any((root / card.id / "model_index.json").is_file() for root in self.places.model_roots)

    def plan(self, request: Request, machine: HardwareProfile | None = None) -> Plan:
        """What would run here (or on `machine`), and what it would need. Raises BadInput; changes nothing."""
        card = self.catalog.card(request.model)
        phrases = wordlist.read(self.places.word_list)
        seeded = request if request.seed is not None else request.model_copy(update={"seed": draw_seed()})
        uses, files = self.loras.resolve(seeded.loras, pairs=lora_fit.PARTS[1] in card.components)
        worn = lora_fit.planned(uses, files, card, self.cards())
        seeded = seeded.model_copy(update={"loras": uses})
        # what was measured here says nothing about another machine
        runs = [] if machine else self.store.runs()
        footage = self._footage(request)
        seeded = inputs.as_long_as(footage, seeded, card)
        said: list[str] = []
        if request.outcome:
            seeded, *said = apply(self.tier(machine), seeded, card)
        made = planner.plan(seeded, card, machine or self.hardware(), runs, self._styles(request))
        reasons = (*said, *made.reasons, *inputs.reasons(footage, made, card))
        made = made.model_copy(update={"reasons": reasons})
        made = worn.on(made, card)
        if not machine and self.installed(card):
            made = made.model_copy(update={"forecast": made.forecast.model_copy(update={"download_gb": 0.0})})
        if request.extends:
            goes_on = extending.reasons(extending.look(self.library.begun(request.extends)), made)
            made = made.model_copy(update={"reasons": (*made.reasons, *goes_on)})
        wordlist.check(f"{made.told} {request.prompt} {request.negative_prompt}", phrases)
        return made.model_copy(update={"filtered_by": f"a word list of {len(phrases)}"}) if phrases else made

    def table(self, everywhere: bool = False) -> list[Row]:
        """Every model and outcome on this machine; `everywhere`: and on the known kinds of machines."""
        places: dict[str, HardwareProfile | None] = {"this machine": None}
        places |= machines(self.places.machines) if everywhere else {}
        return list(advice.table(self.plan, self.cards(), places))

    def recommended(self) -> list[Recommendation]:
        """The models to install first on this machine, and why."""
        return advice.recommend(self.plan, self.cards())

    def instead(self, request: Request) -> list[Suggestion]:
        """What would run here where `request` would not; empty where it does."""
        return advice.instead(self.plan, request, self.cards())

    def unknown_words(self, request: Request) -> list[str]:
        return self.catalog.card(request.model).prompt.unknown(request.prompt)

    def keep_picture(self, path: Path) -> str:
        """Take in a picture; its id goes into `pictures`, `references` or `keyframes` of a request. Raises BadFile."""
        return media.keep_picture(path, self.places.media)

    def keep_video(self, path: Path) -> str:
        """Take in a video; its id goes into `Request.videos`. Raises BadFile."""
        return videos.keep_video(path, self.places.media)

    def fitted_preview(self, request: Request, role: MediaRole) -> Image.Image:
        """What the render of `request` will see of `role`: a few pictures side by side. Raises BadInput."""
        found = fitting.read(self.places.media, request, self.plan(request).render).of(role)
        if not found:
            raise BadFile("Nothing is given for that.", "Choose a picture or a video first.")
        return fitting.strip(found)

    def _footage(self, request: Request) -> dict[VideoRole, VideoFacts]:
        """What is known of a request's videos, as far as they are kept."""
        paths = {role: media.video_path(self.places.media, name) for role, name in request.videos.items()}
        return {role: videos.facts(path) for role, path in paths.items() if path.is_file()}

    def _styles(self, request: Request) -> list[Style]:
        if request.wording is not None:  # a recipe's words are final, whatever became of its look since
            return []
        look = [self._presets.get(Look, request.look)] if request.look else []
        camera = [self._presets.get(Camera, request.camera)] if request.camera else []
        return [*look, *camera]

    # ---- presets ----

    def looks(self) -> list[Look]:
        """The looks to choose from, by name; `look.words_for(card)` is empty for a model that cannot do it."""
        return self._presets.all(Look)

    def cameras(self) -> list[Camera]:
        return self._presets.all(Camera)

    def presets(self) -> list[Preset]:
        """The whole requests that this person saved."""
        return self._presets.all(Preset)

    def preset(self, kind: type[Kind], name: str) -> Kind:
        """One by its id. Raises UnknownName, or BadFile when its file is broken."""
        return self._presets.get(kind, name)

    def is_own_preset(self, preset: AnyPreset) -> bool:
        """Whether it lies in the person's data folder and can be deleted."""
        return self._presets.is_own(preset)

    def preset_problems(self) -> list[BadFile]:
        """Files among the presets that cannot be used, each with the field that is wrong."""
        return self._presets.problems()

    def save_preset(self, name: str, content: Request | Look | Camera | Tier) -> AnyPreset:
        """Keep a request, or a changed look or camera, under a name; an own one of that name is replaced.

        Raises BadSetting for a name that cannot be one. Pictures and the device are left out.
        """
        named_so_far = Preset(id="new", name="new", request=content) if isinstance(content, Request) else content
        kept = named(named_so_far, name)
        self._presets.save(kept)
        return kept

    def export_preset(self, kind: type[AnyPreset], name: str, folder: Path) -> Path:
        """Write one as a file for a friend; answers where. Raises UnknownName or BadFile."""
        return self._presets.export(self._presets.get(kind, name), folder)

    def import_preset(self, path: Path, renamed: str | None = None) -> AnyPreset:
        """Take in a friend's file. Raises BadFile with the field that is wrong; then nothing has changed."""
        return self._presets.receive(path, renamed)

    def delete_preset(self, kind: type[AnyPreset], name: str) -> None:
        """Delete one of the person's own; where it replaced one of ours, that is back. Raises BadInput."""
        self._presets.delete(kind, name)

    def keep_lora(self, path: Path, model: str | None = None) -> LoraFile:
        """Take in a LoRA; its id goes into `Request.loras`. Raises BadFile, or BadSetting where `model` is another."""
        if model:
            lora_fit.check(read_lora(path), self.catalog.card(model), self.cards())
        return self.loras.keep(path)

    def made_for(self, lora: LoraFile) -> list[ModelCard]:
        """The models that a LoRA fits."""
        return lora_fit.made_for(lora, self.cards())

    def keep_last_picture(self, clip_id: str) -> str:
        """Take in the last picture of a clip, for another shot to start from. Raises UnknownName, BadFile."""
        return media.keep_last_picture(Path(self.library.clip(clip_id).video), self.places.media)

    # ---- making ----

    def make_takes(self, request: Request, count: int = 1) -> list[Job]:
        """Queue `count` takes of a request: the first with its seed, the next ones with the seeds that follow."""
        if not 1 <= count <= MAX_TAKES:
            raise BadSetting(f"{count} takes at once are not possible.", f"Ask for 1 to {MAX_TAKES}.")
        first = self.plan(request)
        seeds = [(first.seed + offset) % (planner.MAX_SEED + 1) for offset in range(count)]
        plans = [first, *(self.plan(request.model_copy(update={"seed": seed})) for seed in seeds[1:])]
        return self._queue([_job("take", plan) for plan in plans])

    def extend(self, source: str | Path, request: Request, count: int = 1) -> list[Job]:
        """Queue takes that go on from the last picture of a clip or take (by name) or of a video file.

        The render of such a take is one video of all of it. Raises BadInput for a model that takes no picture.
        """
        card = self.catalog.card(request.model)
        extending.check(card, self.cards())
        beginning = self._beginning(source)
        found = extending.look(self.library.begun(beginning))
        beginning = beginning.model_copy(update={"overlap": extending.overlap(found, card)})
        asked = extending.request(request, beginning, found, card)
        return self.make_takes(self._begun(asked, found, card), count)

    def _begun(self, asked: Request, source: extending.Source, card: ModelCard) -> Request:
        """The request with the end of its source as what the model starts from."""
        shared, fps = extending.overlap(source, card), card.frames.fps
        last = extending.last_pictures(source, fps, shared)
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
        return extending.follow_up(found.recipe)

    def _beginning(self, source: str | Path) -> Beginning:
        if isinstance(source, Path):
            return Beginning(kind="video", id=self.keep_video(source))
        try:
            return Beginning(kind="clip", id=self.library.clip(source).id)
        except UnknownName:
            return Beginning(kind="take", id=self.library.take(source).id)

    def render(self, take_id: str, dial: float | None = None, sigma: float | None = None) -> Job:
        """Queue the render of a take: the same shot at full size, started from the take's latents."""
        take = self.library.take(take_id)
        request = as_request(take.recipe)
        if dial is not None or sigma is not None:
            changes = {"dial": request.dial if dial is None else dial, "sigma": sigma}
            request = request.model_copy(update=changes)
        return self._queue([_job("render", self.plan(request), take.id)])[0]

    def stop(self, job_id: str) -> None:
        """Ask a job to stop; it ends within a step."""
        if self.store.ask_to_stop(job_id):
            self.store.finish(job_id, Cancelled())
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
        """A job's events as they come, from the beginning, ending with the final one."""
        while True:
            with self.store.changed:
                fresh = self.store.events(job_id, after)
                if not fresh:
                    self.store.changed.wait(GUEST_POLL_SECONDS)
            for number, event in fresh:
                after = number
                yield event
                if isinstance(event, FinalEvent):
                    return

    def _queue(self, jobs: list[Job]) -> list[Job]:
        self.store.add_jobs(jobs)
        return jobs


def draw_seed() -> int:
    """A seed short enough to read aloud."""
    return random.SystemRandom().randrange(1_000_000_000)


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
    """A readable name that is safe on every disk: when, the first words, and four letters against collisions."""
    ascii_prompt = unicodedata.normalize("NFKD", prompt).encode("ascii", "ignore").decode().casefold()
    slug = "-".join(re.findall(r"[a-z0-9]+", ascii_prompt)[:5])[:32].strip("-") or "untitled"
    return f"{datetime.now():%Y%m%d-%H%M%S}-{slug}-{secrets.token_hex(2)}"
