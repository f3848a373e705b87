"""Takes that something cheaper draws: a smaller sibling of the same latent space, or a LoRA that needs few steps, which
may draw the render too.

Such a take is a guide and no promise: the card says how well renders keep it, or that nobody measured it. The render
starts on the take's latents as ever. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.schema import LoraUse, Overrides, Request, ShotPlan, Verdict
from engine.schema.card import Guide, ModelCard
from engine.schema.errors import BadSetting
from engine.schema.message import Message
from engine.weights.lora.file import LoraFile

WORSE: tuple[Verdict, ...] = ("comfortable", "tight", "offloads", "unlikely", "unknown")


def request(asked: Request, card: ModelCard, cards: Sequence[ModelCard], loras: Sequence[LoraFile]) -> Request:
    """What the take of `asked` is planned from. `loras`: those that are here. Raises BadSetting."""
    if asked.mode == "continue":
        raise BadSetting(
            Message("A take that something else drew cannot be continued."), Message("Let the render refine it.")
        )
    guide = _guide(asked.takes_by or "", card)
    if guide.file:
        return _with_lora(asked, guide, loras)
    sibling = next((other for other in cards if other.id == guide.name), None)
    if sibling is None or _latents(sibling) != _latents(card):
        raise BadSetting(
            Message("{guide} cannot draw for {model}.", guide=guide.name, model=card.name),
            Message("Let the model draw its takes itself."),
        )
    return asked.but(model=sibling.id, takes_by=None)


def in_few_steps(asked: Request, card: ModelCard, loras: Sequence[LoraFile]) -> tuple[Request, Message]:
    """What take and render of `asked` are planned from where a LoRA draws both in few steps, and a sentence about it.

    The request says everything itself, so a recipe needs no guide. Raises BadSetting.
    """
    if asked.takes_by:
        raise BadSetting(
            Message("Few steps and another guide for the take do not go together."),
            Message("Leave one of the two out."),
        )
    guide = _guide(asked.few_steps_by or "", card)
    if not guide.file:
        raise BadSetting(
            Message("{guide} is a model, and only draws takes.", guide=guide.name),
            Message("Choose a LoRA of few steps."),
        )
    worn = _with_lora(asked, guide, loras)
    few: dict[str, Any] = {"num_inference_steps": guide.num_inference_steps, "guidance_scale": guide.guidance_scale}
    few |= {name: value for name, value in asked.render if value is not None}
    told = Message(
        "Drawn in few steps by {guide}: {kept}.",
        guide=guide.name,
        kept=Message.known(guide.kept) if guide.kept else Message("what it costs was not measured"),
    )
    return worn.but(few_steps_by=None, render=Overrides(**few)), told


def _guide(name: str, card: ModelCard) -> Guide:
    for guide in card.guides:
        if guide.name == name:
            return guide
    names = " or ".join(guide.name for guide in card.guides)
    raise BadSetting(
        Message("'{name}' cannot draw the takes of {model}.", name=name, model=card.name),
        Message("Choose {names}, or let the model draw them itself.", names=names)
        if names
        else Message("Let the model draw them itself."),
    )


def _latents(card: ModelCard) -> tuple[str, int, int, int]:
    return card.family, card.latent.stride_frames, card.latent.stride_pixels, card.frames.fps


def _with_lora(asked: Request, guide: Guide, loras: Sequence[LoraFile]) -> Request:
    here = next((file for file in loras if file.name.rpartition("/")[2] == guide.name), None)
    if here is None:
        raise BadSetting(
            Message("The LoRA '{guide}' is not on this computer.", guide=guide.name),
            Message("Download it: `app.py loras install {repo}/{file}`.", repo=guide.repo, file=guide.file),
        )
    few: dict[str, Any] = {"num_inference_steps": guide.num_inference_steps, "guidance_scale": guide.guidance_scale}
    said = {name: value for name, value in asked.take if value is not None}
    worn = (*asked.loras, LoraUse(id=here.id, name=here.name))
    return asked.but(takes_by=None, loras=worn, take=Overrides(**few | said))


def joined(take: ShotPlan, render: ShotPlan, card: ModelCard) -> ShotPlan:
    """The plan of a take that a guide draws by `take` and the card's own model finishes by `render`."""
    need, own = take.forecast, render.forecast
    forecast = own.but(
        verdict=max(need.verdict, own.verdict, key=WORSE.index),
        vram_gb=max(need.vram_gb, own.vram_gb),
        ram_gb=max(need.ram_gb, own.ram_gb),
        download_gb=own.download_gb + (need.download_gb if take.model != render.model else 0.0),
        take_seconds=need.take_seconds,
        estimated_seconds=(need.estimated_seconds[0], own.estimated_seconds[1]),
    )
    guide = _guide(render.request.takes_by or "", card)
    said = Message(
        "{guide} draws the take, which is a guide: {kept}.",
        guide=guide.name,
        kept=Message.known(guide.kept) if guide.kept else Message("how well renders keep it was not measured"),
    )
    whole = {"request": render.request, "render": render.render, "sigma": render.sigma, "forecast": forecast}
    return take.but(**(whole | {"reasons": (*render.reasons, said)}))
