"""From a request to a plan: pure arithmetic over the card and the machine. Refuses here, before anything starts.

Every automatic choice leaves a sentence in `ShotPlan.reasons`.
"""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from collections.abc import Sequence

from engine.planning import constraints, memory_fallback
from engine.planning.constraints import frames_of, sizes_of
from engine.planning.cost import operations, sections
from engine.planning.forecast import forecast
from engine.planning.placement import place
from engine.planning.prompting import compose
from engine.schema import (
    HardwareProfile,
    Overrides,
    Pass,
    Placement,
    Request,
    Run,
    ShotPlan,
    ShotStage,
    Size,
    StepCache,
    Wording,
)
from engine.schema.card import ModelCard, PassRule
from engine.schema.errors import BadPrompt, BadSetting
from engine.schema.preset import Style
from engine.schema.shot import RECORDED

MAX_PROMPT_CHARS = 2000  # far beyond what any text encoder of the field reads (512 tokens at most)
MAX_SEED = 2**63 - 1
FIRST_PART = 0.3  # of the steps; the scene settles within the first 10 to 30 %


def plan(
    request: Request, card: ModelCard, hardware: HardwareProfile, runs: Sequence[Run] = (), styles: Sequence[Style] = ()
) -> ShotPlan:
    """Resolve `request` (its seed already drawn; `styles` are its look and camera) for `card` on `hardware`.

    Raises BadPrompt or BadSetting.
    """
    wording, reasons = compose(request, card, styles)
    hardware = _within(request, hardware)
    if card.not_yet:
        raise BadSetting(f"This version of Rushes cannot run {card.name} yet: {card.not_yet}.", "Choose another model.")
    _check_prompt(request, card, wording, reasons)
    if request.seed is None or not 0 <= request.seed <= MAX_SEED:
        raise BadSetting(f"The seed {request.seed} is out of range.", f"Use a whole number from 0 to {MAX_SEED}.")
    constraints.check(request, card)
    frames = frames_of(request, card, reasons)
    constraints.check_keyframes(request, frames)
    sizes = sizes_of(request, card, reasons)
    passes: dict[ShotStage, Pass] = {
        "take": _pass(card, card.take, request.take, sizes[0], frames),
        "render": _pass(card, card.render, request.render, sizes[1], frames),
    }
    sigma = _sigma(request, card)
    if request.mode == "continue":
        _check_continues(request, card)
        passes = _parts(passes["render"], reasons)
        if card.frames.from_the_end:
            reasons.append(f"{card.name} draws the end first: before it, the take shows the picture standing still.")
    else:
        passes["render"] = _on_its_take(passes["render"], sigma, reasons)
    refined = passes["take"] if request.mode == "refine" and sigma < 1 else None
    step_cache = _step_cache(request, card, reasons)
    passes = {
        stage: run.but(operations=operations(card, run, refined if stage == "render" else None, step_cache))
        for stage, run in passes.items()
    }
    _check_levels(card, passes, reasons)
    placement, placed = place(request, card, hardware, (passes["take"], passes["render"]))
    reasons += placed
    placement = _learned(placement, request, card, (max(run.pixels for run in passes.values()), runs), reasons)
    return ShotPlan(
        request=request,
        model=card.id,
        family=card.family,
        pipeline=_pipeline(request, card),
        revision=card.revision,
        licence=card.licence.line,
        seed=request.seed,
        prompt=wording.prompt,
        negative_prompt=wording.negative_prompt,
        take=passes["take"],
        render=passes["render"],
        sigma=sigma,
        latent_upsampler=card.latent_upsampler,
        max_tokens=card.prompt.max_tokens,
        placement=placement,
        forecast=forecast(card, passes, placement, hardware, runs),
        reasons=tuple(reasons),
        step_cache=step_cache,
        strength=constraints.strength(request, card, passes["take"]),
    )


def _within(request: Request, hardware: HardwareProfile) -> HardwareProfile:
    """The machine, with no more of its cards' memory free than the request allows. Raises BadSetting."""
    if request.vram_gb is None:
        return hardware
    if not 0.5 <= request.vram_gb <= 1000:
        raise BadSetting(f"{request.vram_gb:g} GB of VRAM is out of range.", "Allow the plan 0.5 GB or more.")
    if not any(device.vram_gb for device in hardware.devices):
        raise BadSetting("There is no graphics card here whose memory could be spared.", "Leave that choice out.")
    spared = [device.but(vram_free_gb=min(device.vram_free_gb, request.vram_gb))
              for device in hardware.devices]  # fmt: skip
    return hardware.but(devices=tuple(spared))


def _learned(
    placement: Placement, request: Request, card: ModelCard, history: tuple[int, Sequence[Run]], reasons: list[str]
) -> Placement:
    """Where the plan starts after what happened here with this model to clips of so many pixels."""
    pixels, runs = history
    chosen = request.model_dump(include={"offload", "precision"}, exclude_none=True)
    own = [run for run in runs if run.model == card.id]
    learned, why = memory_fallback.start_at(placement, pixels, own, chosen)
    if not why or not memory_fallback.works(learned, card):
        return placement
    reasons.append(why)
    return learned


def _step_cache(request: Request, card: ModelCard, reasons: list[str]) -> StepCache | None:
    """What "faster, a little less exact" means here."""
    if not request.faster:
        return None
    if card.faster is None:
        raise BadSetting(
            f"{card.name} cannot be made faster by foretelling steps: it has too few, or cannot do without them.",
            "Leave that choice out.",
        )
    reasons.append(f"Faster, a little less exact, as asked: {card.faster.measured or 'not measured for this model'}.")
    return StepCache(interval=card.faster.interval, whole_steps=card.faster.whole_steps)


def can_continue(request: Request, card: ModelCard) -> bool:
    """Whether a run of what is asked for can be cut in two."""
    return _pipeline(request, card) in RECORDED


def _check_continues(request: Request, card: ModelCard) -> None:
    """Raises BadSetting where a run cannot be cut in two."""
    if not can_continue(request, card):
        raise BadSetting(f"{card.name} cannot stop in the middle of this.", "Let the render refine its take.")
    if request.faster:
        raise BadSetting("A render that continues its take cannot be made faster.", "Leave one of the two out.")


def _on_its_take(run: Pass, sigma: float, reasons: list[str]) -> Pass:
    """The render of an approved take: of the steps from noise, those that lie below the level where it starts.

    Flow shift s takes u, which the steps divide evenly, to s u / (1 + (s - 1) u).
    """
    if sigma == 1 or run.sigmas:  # levels of the model's own are all meant
        return run
    u = sigma / (run.flow_shift - (run.flow_shift - 1) * sigma)
    taken = max(1, math.ceil(round(u * run.num_inference_steps, 6)))
    if taken == run.num_inference_steps:
        return run
    reasons.append(f"The render takes the last {taken} of {run.num_inference_steps} steps: its take is past the rest.")
    return run.but(taken=taken)


def _parts(run: Pass, reasons: list[str]) -> dict[ShotStage, Pass]:
    """The render in two parts: the take is the first one. What is where in a shot is settled early."""
    whole = run.num_inference_steps
    if whole < 2:
        raise BadSetting("A render of one step has no first part.", "Use more steps, or let the render refine a take.")
    first = max(1, round(FIRST_PART * whole))
    reasons.append(f"The take is the first {first} of the render's {whole} steps, and the render goes on from there.")
    return {
        "take": run.but(part=(0, first)),
        "render": run.but(part=(first, whole)),
    }


def _pipeline(request: Request, card: ModelCard) -> str:
    """The diffusers class for what is given."""
    if request.given in ((), ("image",)):
        return (request.given and card.image_pipeline) or card.pipeline
    return card.guided_pipeline or card.image_pipeline or card.pipeline


def _check_prompt(request: Request, card: ModelCard, wording: Wording, reasons: list[str]) -> None:
    for prompt in (request.prompt, request.negative_prompt, wording.prompt, wording.negative_prompt):
        if len(prompt) > MAX_PROMPT_CHARS:
            raise BadPrompt(
                f"The prompt is {len(prompt)} characters long; no model reads that much.",
                f"Shorten it to at most {MAX_PROMPT_CHARS} characters.",
            )
        if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t" for letter in prompt):
            raise BadPrompt("The prompt has invisible control characters in it.", "Type it by hand instead.")
    if not request.prompt.strip():
        raise BadPrompt("The prompt is empty.", "Say in a sentence what should be seen.")
    if wording.negative_prompt and not card.prompt.negative:
        raise BadPrompt(f"{card.name} takes no negative prompt.", "Leave it empty.")
    unknown = card.prompt.unknown(request.prompt)
    if unknown:
        spoken = re.findall(r"[^\W_]+", request.prompt.casefold())
        if all(word in unknown for word in spoken):
            raise BadPrompt(
                f"{card.name} knows no word of this prompt: it speaks a small English vocabulary.",
                'Try "a red ball rolls to the left on a blue background", or choose a larger model.',
            )
        reasons.append(f"{card.name} does not know: {', '.join(unknown[:12])}. It will ignore those words.")
    elif card.prompt.words and not re.search(r"[^\W_]", request.prompt):
        raise BadPrompt("The prompt has no words in it.", "Say in a sentence what should be seen.")


def _pass(card: ModelCard, rule: PassRule, asked: Overrides, size: Size, frames: int) -> Pass:
    steps = rule.num_inference_steps if asked.num_inference_steps is None else asked.num_inference_steps
    guidance = rule.guidance_scale if asked.guidance_scale is None else asked.guidance_scale
    shift = rule.flow_shift if asked.flow_shift is None else asked.flow_shift
    for name, value, low, high in (("steps", steps, 1, 200), ("guidance", guidance, 0, 30), ("shift", shift, 0.01, 30)):
        if not low <= value <= high:
            told = f"{value:g}" if abs(value) < sys.maxsize else "That"
            raise BadSetting(f"{told} is out of range for {name}.", f"Use a number from {low} to {high}.")
    return Pass(
        operations=0,
        width=size.width,
        height=size.height,
        num_frames=frames,
        fps=card.frames.fps,
        num_inference_steps=steps,
        guidance_scale=guidance,
        flow_shift=shift,
        sigmas=rule.sigmas if steps == len(rule.sigmas) and asked.flow_shift is None else (),
        arguments=rule.arguments,
        forwards=(rule.forwards or (2 if guidance > 1 else 1)) * sections(card, frames),
    )


def _check_levels(card: ModelCard, passes: dict[ShotStage, Pass], reasons: list[str]) -> None:
    rules: dict[ShotStage, PassRule] = {"take": card.take, "render": card.render}
    for stage, rule in rules.items():
        if rule.sigmas and not passes[stage].sigmas:
            reasons.append(
                f"{card.name} was trained for exactly {len(rule.sigmas)} steps of its own in a {stage}; with other "
                "settings the picture may be worse."
            )


def _sigma(request: Request, card: ModelCard) -> float:
    """The render's start level: as asked, or where the dial stands between the card's close and detail ends."""
    if request.sigma is not None:
        if not 0 < request.sigma <= 1:
            raise BadSetting(f"The start level {request.sigma:g} is out of range.", "Use a number above 0, up to 1.")
        return request.sigma
    if not 0 <= request.dial <= 1:
        raise BadSetting(f"The dial cannot stand at {request.dial:g}.", "Use 0 (stay close) to 1 (add detail).")
    rule, way = card.sigma, request.dial * 2 - 1  # -1 close, 0 default, 1 detail
    return round(rule.default + way * (rule.detail - rule.default if way > 0 else rule.default - rule.close), 6)
