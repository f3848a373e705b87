"""What can be asked of the engine: this computer, the models, and what a request would do."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
from pydantic import TypeAdapter

from engine.jobs import card_test
from engine.jobs.card_test import CardTest
from engine.jobs.kinds import Rooms, draw_seed
from engine.jobs.scheduler import REPORTED, REPORTED_DEVICES, WARM
from engine.machine import hardware
from engine.media import continuation, images, videos
from engine.paths import Places
from engine.planning import planner, prompting, recommendations
from engine.planning.planner import Situation
from engine.planning.recommendations import Recommendation, Row, Suggestion
from engine.planning.tiers import Tier, choose
from engine.schema import HardwareProfile, Held, Request, ShotPlan, VideoFacts, VideoRole
from engine.schema.card import ModelCard
from engine.schema.errors import BadFile
from engine.schema.preset import Camera, Look, Style
from engine.storage.catalog import Catalog, Presets, machines
from engine.storage.job_store import Store
from engine.weights import external
from engine.weights.external import Reusable
from engine.weights.lora import matching
from engine.weights.lora.file import LoraFile

HARDWARE_SECONDS = 2.0  # how long a reading of the machine is good for
TIER = "tier"  # the setting that holds the tier a person keeps to


class Machine:
    """This computer: what it is, what its cards were tested to do, and which tier it counts as."""

    def __init__(self, places: Places, store: Store, presets: Presets) -> None:
        self._places, self._store, self._presets = places, store, presets
        self._read: tuple[float, HardwareProfile | None] = 0.0, None

    def hardware(self) -> HardwareProfile:
        """The machine now, or some seconds ago: a face that plans at every key does not ask the driver each time."""
        when, machine = self._read
        if machine is None or time.monotonic() - when > HARDWARE_SECONDS:
            reported = self._store.setting_as(REPORTED, REPORTED_DEVICES) or ()
            elsewhere = self._places.models if self._places.models != self._places.own_models else None
            machine = hardware.read(self._places.home, reported, models=elsewhere, workers=self._workers())
            machine = card_test.with_measured(machine, self._places)
            self._read = time.monotonic(), machine
        return machine

    def forget(self) -> None:
        """Look anew at the next question: what a worker held is free."""
        self._read = 0.0, None

    def card_tests(self) -> list[CardTest]:
        """What the tests of this machine's devices found, of those that were tested."""
        found = [card_test.kept(self._places, device) for device in self.hardware().devices]
        return [test for test in found if test]

    def tiers(self) -> list[Tier]:
        """What Draft, Standard and Best mean on kinds of machines, ours and the person's own."""
        return self._presets.all(Tier)

    def tier(self, machine: HardwareProfile | None = None) -> Tier:
        """The tier of this machine: the one that the person chose, else the one that fits."""
        chosen, tiers = self._store.setting(TIER), self.tiers()
        own = [tier for tier in tiers if tier.id == chosen and machine is None]
        return own[0] if own else choose(tiers, machine or self.hardware())

    def choose_tier(self, name: str | None) -> Tier:
        """Keep to one tier, or with None go back to the one that fits. Raises UnknownName."""
        if name is not None:
            self._presets.get(Tier, name)
        self._store.set(TIER, name or "")
        return self.tier()

    def known_machines(self) -> dict[str, HardwareProfile]:
        """Kinds of machines that plans can be asked for, by name."""
        return machines(self._places.machines)

    def _workers(self) -> list[Held]:
        """What our own workers hold, as far as they are still there."""
        told = [self._store.setting_as(WARM + device, TypeAdapter(Held)) for device in self._store.settings(WARM)]
        return [held for held in told if held and psutil.pid_exists(held.pid)]


class Models:
    """The models that Rushes knows, and which of them are here."""

    def __init__(self, places: Places, catalog: Catalog) -> None:
        self._places, self._catalog = places, catalog

    def cards(self) -> list[ModelCard]:
        """All of them, by name."""
        return list(self._catalog.cards.values())

    def card(self, name: str) -> ModelCard:
        """One by its id. Raises UnknownName."""
        return self._catalog.card(name)

    @property
    def problems(self) -> tuple[BadFile, ...]:
        """What is wrong with the cards that are left out."""
        return tuple(self._catalog.problems)

    def installed(self, card: ModelCard) -> bool:
        """Whether it is on this computer, whole."""
        return any((root / card.id / "model_index.json").is_file() for root in self._places.model_roots)

    def reusable(self, path: Path, model: str = "") -> Reusable:
        """What single weights files of another program can serve here, of one model where it is named.

        Raises BadFile when that is nothing, with why.
        """
        return external.look(path, self.cards(), model)

    def made_for(self, lora: LoraFile) -> list[ModelCard]:
        """The models that a LoRA fits."""
        return matching.made_for(lora, self.cards())

    def unknown_words(self, request: Request) -> list[str]:
        """The words of its prompt that the model of a request was never taught."""
        return self._catalog.card(request.model).prompt.unknown(request.prompt)


class Planning:
    """What would run, what it would need, and what would run instead. It changes nothing."""

    def __init__(self, rooms: Rooms, machine: Machine, models: Models, presets: Presets) -> None:
        self.rooms, self._machine, self._models, self._presets = rooms, machine, models, presets

    def hardware(self) -> HardwareProfile:
        return self._machine.hardware()

    def plan(self, request: Request, machine: HardwareProfile | None = None, takes: int = 1) -> ShotPlan:
        """What would run here (or on `machine`), and what it would need; `takes`: how many are drawn one after another.
        Raises BadInput; changes nothing."""
        request = self.rooms.loras.typed(request.but(seed=draw_seed()) if request.seed is None else request)
        guides = self.rooms.loras.kept() if request.takes_by or request.few_steps_by else ()
        return planner.plan_take_and_render(request, lambda one: self._situation(one, machine, takes), guides)

    def plan_shot(self, request: Request) -> ShotPlan:
        """What the request's own model would do here, whoever draws its takes."""
        return planner.plan_shot(request, self._situation(request))

    def table(self, everywhere: bool = False) -> list[Row]:
        """Every model and outcome on this machine; `everywhere`: and on the known kinds of machines."""
        places: dict[str, HardwareProfile | None] = {"this machine": None}
        places |= self._machine.known_machines() if everywhere else {}
        return list(recommendations.table(self.plan, self._models.cards(), places))

    def recommended(self) -> list[Recommendation]:
        """The models to install first on this machine, and why."""
        return recommendations.recommend(self.plan, self._models.cards())

    def instead(self, request: Request, machine: HardwareProfile | None = None) -> list[Suggestion]:
        """What would run here (or on `machine`) where `request` would not; empty where it does."""
        return recommendations.instead(lambda asked, _: self.plan(asked, machine), request, self._models.cards())

    def _situation(self, request: Request, machine: HardwareProfile | None = None, takes: int = 1) -> Situation:
        """What there is to plan with. What was measured and what waits here says nothing about another machine."""
        card = self._models.card(request.model)
        borrowed = external.borrowed_by(card, self.rooms.places)
        waiting = [] if machine else self.rooms.store.jobs("queued")
        uses, files = self.rooms.loras.resolve(request.loras, pairs=matching.PARTS[1] in card.components)
        return Situation(
            card=external.with_borrowed(card, borrowed),
            machine=machine or self._machine.hardware(),
            cards=self._models.cards(),
            installed=not machine and self._models.installed(card),
            runs=[] if machine else self.rooms.store.runs(),
            styles=self._styles(request),
            tier=self._machine.tier(machine) if request.outcome else None,
            uses=uses,
            loras=matching.planned(uses, files, card, self._models.cards()),
            footage=self._footage(request),
            begun=continuation.look(self.rooms.library.begun(request.extends)) if request.extends else None,
            queued=[(job.stage, job.plan) for job in waiting if isinstance(job.plan, ShotPlan)],
            takes=takes,
            borrowed=borrowed,
            forbidden=prompting.read(self.rooms.places.word_list),
        )

    def _footage(self, request: Request) -> dict[VideoRole, VideoFacts]:
        """What is known of a request's videos, as far as they are kept."""
        paths = {role: images.video_path(self.rooms.places.media, name) for role, name in request.videos.items()}
        return {role: videos.facts(path) for role, path in paths.items() if path.is_file()}

    def _styles(self, request: Request) -> list[Style]:
        if request.wording is not None:  # a recipe's words are final, whatever became of its look since
            return []
        look = [self._presets.get(Look, request.look)] if request.look else []
        camera = [self._presets.get(Camera, request.camera)] if request.camera else []
        return [*look, *camera]
