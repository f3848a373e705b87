"""From a request to a plan: pure steps in their order, over the card and the machine. Refuses here, before anything
starts. Every automatic choice leaves a sentence in `Plan.reasons`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.media import continuation
from engine.planning import (
    compiling,
    constraints,
    draft_models,
    forecast,
    media_inputs,
    prompting,
    tiers,
    variations,
)
from engine.planning import placement as memory_placement
from engine.planning.constraints import frames_of, sizes_of
from engine.planning.cost import operations
from engine.planning.prompting import compose
from engine.planning.tiers import Tier
from engine.schema import (
    HardwareProfile,
    LoraUse,
    Pass,
    Placement,
    Request,
    Run,
    ShotPlan,
    ShotStage,
    StepCache,
    VideoFacts,
    VideoRole,
    Wording,
)
from engine.schema.card import ModelCard
from engine.schema.errors import BadSetting
from engine.schema.manifest import Borrowed
from engine.schema.message import Message
from engine.schema.preset import Style
from engine.weights import external
from engine.weights.lora.file import LoraFile
from engine.weights.lora.matching import Worn


@dataclass(frozen=True)
class Situation:
    """What a plan depends on beside its request, gathered beforehand: planning reads no file and no clock.

    `runs`: this machine's measured runs; `styles`: the look and camera of the request; `uses`: its LoRAs by
    name, `loras`: what their files say;
    `footage`: what is known of its videos; `begun`: what its clip goes on from; `queued`: stages and plans that wait,
    `takes`: and how many takes of this one are drawn; `borrowed`: files of other programs that the model reads;
    `forbidden`: the phrases of the person's own word list. `may_be_cut`: a draft may be its render's first part.
    """

    card: ModelCard
    machine: HardwareProfile
    cards: Sequence[ModelCard] = ()
    installed: bool = False
    runs: Sequence[Run] = ()
    styles: Sequence[Style] = ()
    tier: Tier | None = None
    uses: tuple[LoraUse, ...] = ()
    loras: Worn = Worn()
    footage: Mapping[VideoRole, VideoFacts] = field(default_factory=dict)
    begun: continuation.Source | None = None
    queued: Sequence[tuple[str, ShotPlan]] = ()
    takes: int = 1
    borrowed: Sequence[Borrowed] = ()
    forbidden: tuple[str, ...] = ()
    may_be_cut: bool = True

    @property
    def room(self) -> HardwareProfile:
        """What of the machine is left for the model."""
        return self.loras.beside(self.machine)


@dataclass(frozen=True)
class Draft:
    """A plan on its way: each step fills in what it decides, and says so in `reasons`."""

    request: Request
    situation: Situation
    hardware: HardwareProfile
    wording: Wording = Wording(prompt="")
    frames: int = 0
    passes: Mapping[ShotStage, Pass] = field(default_factory=dict)
    sigma: float = 1.0
    step_cache: StepCache | None = None
    placement: Placement | None = None
    reasons: tuple[Message, ...] = ()

    @property
    def card(self) -> ModelCard:
        return self.situation.card

    def but(self, *reasons: Message, **changes: Any) -> Draft:
        """The same with other values, and more reasons."""
        return replace(self, reasons=(*self.reasons, *reasons), **changes)


def plan_shot(request: Request, situation: Situation) -> ShotPlan:
    """Resolve `request` (its seed already drawn). Raises BadPrompt or BadSetting."""
    plan = _assembled(_drafted(Draft(request, situation, situation.room)))
    for consider in AFTERTHOUGHTS:
        plan = consider(plan, situation)
    return plan


def plan(
    request: Request, card: ModelCard, hardware: HardwareProfile, runs: Sequence[Run] = (), styles: Sequence[Style] = ()
) -> ShotPlan:
    """The same by the card and the machine alone: nothing waits, nothing is worn, nothing is said of disks."""
    situation = Situation(card, hardware, runs=runs, styles=styles, may_be_cut=False)
    return _assembled(_drafted(Draft(request, situation, hardware)))


def plan_take_and_render(
    request: Request, situation: Callable[[Request], Situation], loras: Sequence[LoraFile]
) -> ShotPlan:
    """The plan of a request whose takes something else may draw: a smaller sibling, or a LoRA of few steps, which may
    draw the render too. `situation`: that of a request; `loras`: those that are here. Raises BadInput."""
    whole = situation(request)
    if request.few_steps_by:
        few, told = draft_models.in_few_steps(request, whole.card, loras)
        return plan_shot(few, replace(situation(few), may_be_cut=False, takes=1)).saying(told)
    if not request.takes_by:
        return plan_shot(request, whole)
    drawn = draft_models.request(request, whole.card, whole.cards, loras)
    take = plan_shot(drawn, replace(situation(drawn), may_be_cut=False))
    return draft_models.joined(take, plan_shot(request, replace(whole, takes=1)), whole.card)


# ---- the steps, in their order ----


def name_loras(draft: Draft) -> Draft:
    """By their names, and with both halves of a pair."""
    uses = draft.situation.uses
    return draft.but(request=draft.request.but(loras=uses)) if uses else draft


def follow_the_video(draft: Draft) -> Draft:
    request = media_inputs.as_long_as(draft.situation.footage, draft.request, draft.card)
    return draft if request is draft.request else draft.but(request=request)


def apply_tier(draft: Draft) -> Draft:
    """The numbers that draft, standard and best mean on this kind of machine."""
    if not (draft.request.outcome and draft.situation.tier):
        return draft
    request, said = tiers.apply(draft.situation.tier, draft.request, draft.card)
    return draft.but(said, request=request)


def word(draft: Draft) -> Draft:
    """What the model is told."""
    wording, said = compose(draft.request, draft.card, draft.situation.styles)
    return draft.but(*said, wording=wording)


def limit_memory(draft: Draft) -> Draft:
    hardware = memory_placement.within(draft.request, draft.hardware)
    return draft if hardware is draft.hardware else draft.but(hardware=hardware)


def check(draft: Draft) -> Draft:
    """Raises where this model cannot do it."""
    request, card, reasons = draft.request, draft.card, list[Message]()
    if card.not_yet:
        raise BadSetting(
            Message(
                "This version of Rushes cannot run {model} yet: {not_yet}.",
                model=card.name,
                not_yet=Message.known(card.not_yet),
            ),
            Message("Choose another model."),
        )
    prompting.check_prompt(request, card, draft.wording, reasons)
    if request.seed is None or not 0 <= request.seed <= constraints.MAX_SEED:
        raise BadSetting(
            Message("The seed {seed} is out of range.", seed=request.seed),
            Message("Use a whole number from 0 to {max_seed}.", max_seed=constraints.MAX_SEED),
        )
    variations.check(request)
    media_inputs.check(request, card)
    return draft.but(*reasons)


def resolve_passes(draft: Draft) -> Draft:
    """Frames and sizes that the model can do, and where the render starts."""
    request, card, reasons = draft.request, draft.card, list[Message]()
    frames = frames_of(request, card, reasons)
    media_inputs.check_keyframes(request, frames)
    take, render = sizes_of(request, card, reasons)
    passes: dict[ShotStage, Pass] = {
        "take": constraints.sampler_pass(card, card.take, request.take, take, frames),
        "render": constraints.sampler_pass(card, card.render, request.render, render, frames),
    }
    return draft.but(*reasons, frames=frames, passes=passes, sigma=constraints.start_level(request, card))


def divide_steps(draft: Draft) -> Draft:
    """Which of its steps a render takes: those below its take's level, or those after its first part."""
    card, reasons, passes = draft.card, list[Message](), dict(draft.passes)
    if draft.request.mode == "continue":
        constraints.check_continues(draft.request, card)
        passes = constraints.in_two_parts(passes["render"], reasons)
        if card.frames.from_the_end:
            reasons.append(
                Message(
                    "{model} draws the end first: before it, the take shows the picture standing still.",
                    model=card.name,
                )
            )
    else:
        passes["render"] = constraints.on_its_take(passes["render"], draft.sigma, reasons)
    return draft.but(*reasons, passes=passes)


def count_operations(draft: Draft) -> Draft:
    reasons: list[Message] = []
    cache = constraints.step_cache(draft.request, draft.card, reasons)
    refined = draft.passes["take"] if draft.request.mode == "refine" and draft.sigma < 1 else None
    passes: dict[ShotStage, Pass] = {
        stage: run.but(operations=operations(draft.card, run, refined if stage == "render" else None, cache))
        for stage, run in draft.passes.items()
    }
    constraints.check_levels(draft.card, passes, reasons)
    return draft.but(*reasons, passes=passes, step_cache=cache)


def cut_a_dear_draft(draft: Draft) -> Draft:
    """A draft whose take would compute more than its render is planned anew: its take is the render's first part."""
    if not draft.situation.may_be_cut:
        return draft
    instead = tiers.in_one_pass(draft.request, draft.card, draft.passes)
    if instead is None or not constraints.can_continue(instead, draft.card):
        return draft
    anew = replace(draft.situation, may_be_cut=False, tier=None)
    said = draft.reasons[:1] if draft.request.outcome and draft.situation.tier else ()
    again = Draft(instead, anew, anew.room, reasons=said)
    for step in STEPS[: STEPS.index(cut_a_dear_draft)]:
        again = step(again)
    return again


def place_in_memory(draft: Draft) -> Draft:
    """Where the model lies, after what happened here before."""
    passes, runs = draft.passes, draft.situation.runs
    placement, placed = memory_placement.place(
        draft.request, draft.card, draft.hardware, (passes["take"], passes["render"])
    )
    reasons = [*placed]
    history = max(run.pixels for run in passes.values()), runs
    placement = memory_placement.learned(placement, draft.request, draft.card, history, reasons)
    return draft.but(*reasons, placement=placement)


STEPS: tuple[Callable[[Draft], Draft], ...] = (
    name_loras,
    follow_the_video,
    apply_tier,
    word,
    limit_memory,
    check,
    resolve_passes,
    divide_steps,
    count_operations,
    cut_a_dear_draft,
    place_in_memory,
)


def _drafted(draft: Draft) -> Draft:
    for step in STEPS:
        draft = step(draft)
    return draft


def _assembled(draft: Draft) -> ShotPlan:
    request, card, placement, situation = draft.request, draft.card, draft.placement, draft.situation
    assert placement and request.seed is not None
    return ShotPlan(
        request=request,
        model=card.id,
        family=card.family,
        pipeline=constraints.pipeline(request, card),
        revision=card.revision,
        licence=card.licence.line,
        seed=request.seed,
        prompt=draft.wording.prompt,
        negative_prompt=draft.wording.negative_prompt,
        take=draft.passes["take"],
        render=draft.passes["render"],
        sigma=draft.sigma,
        latent_upsampler=card.latent_upsampler,
        max_tokens=card.prompt.max_tokens,
        placement=placement,
        forecast=forecast.forecast(card, dict(draft.passes), placement, draft.hardware, situation.runs),
        reasons=draft.reasons,
        step_cache=draft.step_cache,
        strength=media_inputs.strength(request, card, draft.passes["take"]),
    )


# ---- what is considered once the plan stands, in its order ----


def compile_where_it_pays(plan: ShotPlan, situation: Situation) -> ShotPlan:
    queued: list[tuple[str, ShotPlan]] = [*situation.queued, *[("take", plan)] * (situation.takes - 1)]
    return compiling.where_it_pays(plan, situation.card, situation.room, queued)


def tell_of_files(plan: ShotPlan, situation: Situation) -> ShotPlan:
    """How weights of other programs and the person's videos are read."""
    return plan.saying(
        *external.told(situation.card, situation.borrowed, plan.placement),
        *media_inputs.reasons(situation.footage, plan, situation.card),
    )


def apply_loras(plan: ShotPlan, situation: Situation) -> ShotPlan:
    return situation.loras.on(plan, situation.card)


def forecast_loading(plan: ShotPlan, situation: Situation) -> ShotPlan:
    room = situation.room
    warm = room.loaded_on(plan.placement.device)
    return forecast.loaded(plan, situation.card, situation.runs, warm, room.disk_gb)


def forecast_download(plan: ShotPlan, situation: Situation) -> ShotPlan:
    if situation.installed:
        plan = plan.but(forecast=plan.forecast.but(download_gb=0.0))
    return forecast.on_disk(plan, situation.card.name, situation.machine)


def tell_how_it_goes_on(plan: ShotPlan, situation: Situation) -> ShotPlan:
    return plan.saying(*continuation.reasons(situation.begun, plan)) if situation.begun else plan


def filter_words(plan: ShotPlan, situation: Situation) -> ShotPlan:
    """Raises BadPrompt for what the person's own word list refuses."""
    phrases = situation.forbidden
    prompting.check(f"{plan.told} {plan.request.prompt} {plan.request.negative_prompt}", phrases)
    return plan.but(filtered_by=f"a word list of {len(phrases)}") if phrases else plan


AFTERTHOUGHTS: tuple[Callable[[ShotPlan, Situation], ShotPlan], ...] = (
    compile_where_it_pays,
    tell_of_files,
    apply_loras,
    forecast_loading,
    forecast_download,
    tell_how_it_goes_on,
    filter_words,
)
