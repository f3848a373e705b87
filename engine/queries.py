"""What can be asked of the engine: the machine, the models, and what a request would do. It changes nothing."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
from pydantic import TypeAdapter

from engine.install.downloads import Downloads
from engine.install.model_location import ModelHome, chosen_folders
from engine.jobs import card_test
from engine.jobs.card_test import CardTest
from engine.jobs.kinds import Rooms
from engine.jobs.scheduler import REPORTED, REPORTED_DEVICES, WARM
from engine.machine import hardware
from engine.media import continuation, images, videos
from engine.paths import open_home
from engine.planning import planner, prompting, recommendations
from engine.planning.planner import Situation
from engine.planning.recommendations import Recommendation, Row, Suggestion
from engine.planning.tiers import Tier, choose
from engine.schema import HardwareProfile, Held, Request, ShotPlan, VideoFacts, VideoRole
from engine.schema.card import ModelCard
from engine.schema.preset import Camera, Look, Style
from engine.storage.catalog import Catalog, Presets, machines
from engine.storage.job_store import Store
from engine.storage.library import Library
from engine.storage.lora_library import Loras
from engine.weights import external
from engine.weights.external import Reusable
from engine.weights.lora import matching

HARDWARE_SECONDS = 2.0  # how long a reading of the machine is good for
TIER = "tier"  # the setting that holds the tier a person keeps to


class Asking:
    """The rooms of one data root, and the answers that planning and looking give."""

    def __init__(self, home: Path | None = None) -> None:
        places = open_home(home)
        self.store = Store(places.database)
        self.places = replace(places, chosen=partial(chosen_folders, self.store))
        self.library = Library(self.places)
        self.loras = Loras(self.places.loras, self.store)
        self.catalog = Catalog(*self.places.cards)
        self.downloads = Downloads(self.places, self.loras)
        self.model_home = ModelHome(self.places, self.store, self.downloads)
        self._presets = Presets(*self.places.presets)
        self.rooms = Rooms(self.places, self.store, self.library, self.loras)
        self._machine: tuple[float, HardwareProfile | None] = 0.0, None

    def hardware(self) -> HardwareProfile:
        """The machine now, or some seconds ago: a face that plans at every key does not ask the driver each time."""
        when, machine = self._machine
        if machine is None or time.monotonic() - when > HARDWARE_SECONDS:
            reported = self.store.setting_as(REPORTED, REPORTED_DEVICES) or ()
            elsewhere = self.places.models if self.places.models != self.places.own_models else None
            machine = hardware.read(self.places.home, reported, models=elsewhere, workers=self._workers())
            machine = card_test.with_measured(machine, self.places)
            self._machine = time.monotonic(), machine
        return machine

    def card_tests(self) -> list[CardTest]:
        """What the tests of this machine's devices found, of those that were tested."""
        found = [card_test.kept(self.places, device) for device in self.hardware().devices]
        return [test for test in found if test]

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

    def reusable(self, path: Path, model: str = "") -> Reusable:
        """What single weights files of another program can serve here, of one model where it is named.

        Raises BadFile when that is nothing, with why.
        """
        return external.look(path, self.cards(), model)

    def plan(self, request: Request, machine: HardwareProfile | None = None, takes: int = 1) -> ShotPlan:
        """What would run here (or on `machine`), and what it would need; `takes`: how many are drawn one after another.
        Raises BadInput; changes nothing."""
        request = self.loras.typed(request.but(seed=draw_seed()) if request.seed is None else request)
        guides = self.loras.kept() if request.takes_by or request.few_steps_by else ()
        return planner.plan_take_and_render(request, lambda one: self._situation(one, machine, takes), guides)

    def plan_shot(self, request: Request) -> ShotPlan:
        """What the request's own model would do here, whoever draws its takes."""
        return planner.plan_shot(request, self._situation(request))

    def _situation(self, request: Request, machine: HardwareProfile | None = None, takes: int = 1) -> Situation:
        """What there is to plan with. What was measured and what waits here says nothing about another machine."""
        card = self.catalog.card(request.model)
        borrowed = external.borrowed_by(card, self.places)
        waiting = [] if machine else self.store.jobs("queued")
        uses, files = self.loras.resolve(request.loras, pairs=matching.PARTS[1] in card.components)
        return Situation(
            card=external.with_borrowed(card, borrowed),
            machine=machine or self.hardware(),
            cards=self.cards(),
            installed=not machine and self.installed(card),
            runs=[] if machine else self.store.runs(),
            styles=self._styles(request),
            tier=self.tier(machine) if request.outcome else None,
            uses=uses,
            loras=matching.planned(uses, files, card, self.cards()),
            footage=self._footage(request),
            begun=continuation.look(self.library.begun(request.extends)) if request.extends else None,
            queued=[(job.stage, job.plan) for job in waiting if isinstance(job.plan, ShotPlan)],
            takes=takes,
            borrowed=borrowed,
            forbidden=prompting.read(self.places.word_list),
        )

    def table(self, everywhere: bool = False) -> list[Row]:
        """Every model and outcome on this machine; `everywhere`: and on the known kinds of machines."""
        places: dict[str, HardwareProfile | None] = {"this machine": None}
        places |= self.known_machines() if everywhere else {}
        return list(recommendations.table(self.plan, self.cards(), places))

    def known_machines(self) -> dict[str, HardwareProfile]:
        """Kinds of machines that plans can be asked for, by name."""
        return machines(self.places.machines)

    def recommended(self) -> list[Recommendation]:
        """The models to install first on this machine, and why."""
        return recommendations.recommend(self.plan, self.cards())

    def instead(self, request: Request, machine: HardwareProfile | None = None) -> list[Suggestion]:
        """What would run here (or on `machine`) where `request` would not; empty where it does."""
        return recommendations.instead(lambda asked, _: self.plan(asked, machine), request, self.cards())

    def unknown_words(self, request: Request) -> list[str]:
        return self.catalog.card(request.model).prompt.unknown(request.prompt)

    def _workers(self) -> list[Held]:
        """What our own workers hold, as far as they are still there."""
        told = [self.store.setting_as(WARM + device, TypeAdapter(Held)) for device in self.store.settings(WARM)]
        return [held for held in told if held and psutil.pid_exists(held.pid)]

    def _footage(self, request: Request) -> dict[VideoRole, VideoFacts]:
        """What is known of a request's videos, as far as they are kept."""
        paths = {role: images.video_path(self.places.media, name) for role, name in request.videos.items()}
        return {role: videos.facts(path) for role, path in paths.items() if path.is_file()}

    def _styles(self, request: Request) -> list[Style]:
        if request.wording is not None:  # a recipe's words are final, whatever became of its look since
            return []
        look = [self._presets.get(Look, request.look)] if request.look else []
        camera = [self._presets.get(Camera, request.camera)] if request.camera else []
        return [*look, *camera]


def draw_seed() -> int:
    """A seed short enough to read aloud."""
    return random.SystemRandom().randrange(1_000_000_000)
